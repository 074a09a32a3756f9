"""The figures of a report, drawn from the results of a study or of the analyses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from altair.utils import schemapi

from rebuttal import figures
from rebuttal.base.errors import NothingToDrawError, refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.schemas import CALIBRATION, STRAGGLERS
from rebuttal.figures.panel import emphasised, with_own_first
from rebuttal.figures.sentences import Compared
from rebuttal.figures.theme import family
from rebuttal.site.figure import PageFigure, Source

FILES = {
    "curves": "training/*/curves.nc",
    "tuning": "tuning/*.nc",
    "summaries": "summaries/*.nc",
    "gantt": "timelines/*/*.npz",
    "layer_gantt": "timelines/*/*.npz",
}


NOTHING = "Nothing to draw: no run of these results has a finite value of what this figure shows."


def needs(name: str) -> tuple[str, ...]:
    """The data that a figure is drawn from. Raises InputError for an unknown name."""
    return figures.figure(name).needs


def baseline_of(name: str, labels: Sequence[str], against: Sequence[str]) -> str | None:
    """The label against which a figure draws all others: its own if that was run, else one that a rule compares with.

    labels: what was run. against: labels or methods that the rules beside the figure compare with.

    Raises:
        InputError: neither was run.
    """
    own = figures.figure(name).baseline
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
    own: Collection[str] = (),
    compared: Compared | None = None,
) -> PageFigure:
    """The figure called `name` as a page shows it, its heading of `level`.

    `data` holds what the figure needs, `study` is the folder's name, `baseline` stands in the place of the figure's,
    `own` are the families of methods that stand out, `compared` those that the finding is about.
    """
    one = figures.figure(name)
    if baseline not in (None, one.baseline):
        one = one.against(str(baseline))
    given = [data[need] for need in one.needs]
    sources = tuple(Source(source(kind, study), names) for kind, names in one.reads.items())
    frame = PageFigure(name, one, (), pd.DataFrame(), sources, level=level)
    try:
        with schemapi.debug_mode(False):  # Altair checks each part as it is made; the tests have it checked
            panels = with_own_first(one.panels(*given, definitions=definitions), own)
            drawn = tuple(emphasised(panel, own) for panel in panels)
        return replace(
            frame, panels=drawn, table=one.table(*given), finding=one.says(*given, compared=compared)
        )
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
