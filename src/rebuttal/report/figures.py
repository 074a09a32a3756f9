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


def build(
    name: str, data: Mapping[str, Any], study: str, definitions: Mapping[str, str], level: int = 4
) -> Figure:
    """The figure called `name`, its heading of `level`.

    `data` holds what its drawing needs, `study` is the folder's name.
    """
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
    return Figure(
        id=name,
        title=about.title,
        caption=about.read,
        panels=drawn,
        table=drawing.table(*given),
        sources=sources,
        across=about.across,
        stacked=about.stacked,
        finding=drawing.finding(*given) if drawing.finding else "",
        level=level,
    )
