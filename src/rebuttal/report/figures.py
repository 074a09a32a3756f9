"""The figures of a report, drawn from the results of a study."""

from collections.abc import Mapping
from typing import Any

from altair.utils import schemapi

from rebuttal import charts
from rebuttal.report.captions import ABOUT
from rebuttal.report.figure import Figure, Source

FILES = {
    "curves": "training/*/curves.nc",
    "tuning": "tuning/*.nc",
    "summaries": "summaries/*.nc",
    "stragglers": "stragglers.nc",
    "gantt": "timelines/*/*.npz",
}


def needs(name: str) -> tuple[str, ...]:
    """The data that a figure is drawn from."""
    return charts.drawing(name).needs


def build(name: str, data: Mapping[str, Any], study: str, definitions: Mapping[str, str]) -> Figure:
    """The figure called `name`; `data` holds what its drawing needs, `study` is the folder's name."""
    drawing = charts.drawing(name)
    given = [data[need] for need in drawing.needs]
    about = ABOUT[name]
    sources = tuple(
        Source(f"results/{study}/{FILES[kind]}", names) for kind, names in about.variables.items()
    )
    with schemapi.debug_mode(
        False
    ):  # Altair checks each part of a chart as it is made; the tests have it checked
        drawn = tuple(drawing.panels(*given, definitions))
    said = drawing.finding(*given) if drawing.finding else ""
    return Figure(
        name,
        about.title,
        about.read,
        drawn,
        drawing.table(*given),
        sources,
        about.across,
        about.stacked,
        said,
    )
