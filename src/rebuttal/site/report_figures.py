"""The figures of a report, drawn from the results of a study or of the analyses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from altair.utils import schemapi

from rebuttal import figures
from rebuttal.base.errors import NothingToDrawError, refuse
from rebuttal.core.schemas import ANALYSES, CALIBRATION, STRAGGLERS
from rebuttal.figures.theme import family
from rebuttal.site.captions import ABOUT
from rebuttal.site.figure import Figure, Source
from rebuttal.site.findings import FINDINGS

FILES = {
    "curves": "training/*/curves.nc",
    "tuning": "tuning/*.nc",
    "summaries": "summaries/*.nc",
    "gantt": "timelines/*/*.npz",
    "layer_gantt": "timelines/*/*.npz",
}


NOTHING = "Nothing to draw: no run of these results has a finite value of what this figure shows."


def needs(name: str) -> tuple[str, ...]:
    """The data that a figure is drawn from."""
    return figures.drawing(name).needs


def baseline_of(name: str, labels: Sequence[str], against: Sequence[str]) -> str | None:
    """The label against which a figure draws all others: its own if that was run, else one that a rule compares with.

    labels: what was run. against: labels or methods that the rules beside the figure compare with.

    Raises:
        InputError: neither was run.
    """
    own = figures.drawing(name).baseline
    if own is None or own in labels:
        return own
    found = [label for label in labels for wanted in against if wanted in (label, family(label))]
    if not found:
        raise refuse(f"figure {name}: its baseline", own, labels)
    return found[0]


def build(
    name: str,
    data: Mapping[str, Any],
    study: str,
    definitions: Mapping[str, str],
    level: int = 4,
    baseline: str | None = None,
) -> Figure:
    """The figure called `name`, its heading of `level`.

    `data` holds what its drawing needs, `study` is the folder's name, `baseline` stands in the place of the figure's.
    """
    drawing = figures.drawing(name)
    if baseline not in (None, drawing.baseline):
        drawing = drawing.against(str(baseline))
    given = [data[need] for need in drawing.needs]
    about = ABOUT[name]
    sources = tuple(Source(source(kind, study), names) for kind, names in about.variables.items())
    frame = Figure(
        name, about.title, about.read, (), pd.DataFrame(), sources, about.across, about.stacked, level=level
    )
    finding = drawing.finding or FINDINGS.get(name)
    try:
        with schemapi.debug_mode(False):  # Altair checks each part as it is made; the tests have it checked
            drawn = tuple(drawing.panels(*given, definitions))
        said = finding(*given) if finding else ""
        return replace(frame, panels=drawn, table=drawing.table(*given), finding=said)
    except NothingToDrawError:
        return replace(frame, finding=NOTHING)


def source(kind: str, study: str) -> str:
    """The files that a kind of data is read from: a study's own, or the analyses'."""
    if kind in ANALYSES:
        return f"results/analyses/{ANALYSES[kind].pattern}"
    if kind == STRAGGLERS.name:
        return f"results/analyses/{STRAGGLERS.pattern}"
    if kind == CALIBRATION.name:
        return f"results/{CALIBRATION.pattern}"
    return f"results/{study}/{FILES[kind]}"
