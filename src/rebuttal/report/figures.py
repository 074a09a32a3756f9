"""The figures of a report, drawn from the results of a study or of the analyses."""

from collections.abc import Mapping
from typing import Any

from altair.utils import schemapi

from rebuttal import charts
from rebuttal.report.captions import ABOUT
from rebuttal.report.figure import Figure, Source
from rebuttal.report.findings import FINDINGS
from rebuttal.schemas import ANALYSES, CALIBRATION

FILES = {
    "curves": "training/*/curves.nc",
    "tuning": "tuning/*.nc",
    "summaries": "summaries/*.nc",
    "stragglers": "stragglers.nc",
    "gantt": "timelines/*/*.npz",
    "layer_gantt": "timelines/*/*.npz",
}


def needs(name: str) -> tuple[str, ...]:
    """The data that a figure is drawn from."""
    return charts.drawing(name).needs


def build(
    name: str, data: Mapping[str, Any], study: str, definitions: Mapping[str, str], level: int = 4
) -> Figure:
    """The figure called `name`, its heading of `level`.

    `data` holds what its drawing needs, `study` is the folder's name.
    """
    drawing = charts.drawing(name)
    given = [data[need] for need in drawing.needs]
    about = ABOUT[name]
    sources = tuple(Source(source(kind, study), names) for kind, names in about.variables.items())
    with schemapi.debug_mode(
        False
    ):  # Altair checks each part of a chart as it is made; the tests have it checked
        drawn = tuple(drawing.panels(*given, definitions))
    finding = drawing.finding or FINDINGS.get(name)
    return Figure(
        id=name,
        title=about.title,
        caption=about.read,
        panels=drawn,
        table=drawing.table(*given),
        sources=sources,
        across=about.across,
        stacked=about.stacked,
        finding=finding(*given) if finding else "",
        level=level,
    )


def source(kind: str, study: str) -> str:
    """The files that a kind of data is read from: a study's own, or the analyses'."""
    if kind in ANALYSES:
        return f"results/analyses/{ANALYSES[kind].pattern}"
    if kind == CALIBRATION.name:
        return f"results/{CALIBRATION.pattern}"
    return f"results/{study}/{FILES[kind]}"
