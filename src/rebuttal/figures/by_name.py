"""Figures by their names: the record of each, its panels and its table, and the figure that suits some data."""

import functools
import importlib
from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from rebuttal.base import arguments, notebook_renderer
from rebuttal.base.errors import refuse
from rebuttal.core.figure_list import FIGURES
from rebuttal.core.timeline import Timeline
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Panel, join
from rebuttal.figures.single_seeds import plain

notebook_renderer.enable()

ANY = "rebuttal.figures.*"  # a module of a figure, imported when it is asked for


@functools.cache
def figure(name: str) -> Figure:
    """The figure called `name`. Raises InputError for an unknown one."""
    return importlib.import_module(module_of(name)).FIGURE


def module_of(name: str) -> str:
    """The module that holds a figure. Raises InputError for an unknown one."""
    if name not in FIGURES:
        raise refuse("figure", name, FIGURES)
    return ANY.replace("*", FIGURES[name])


def panels(name: str, *data: Any, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """The panels of a figure, for a page that lays them out. `definitions`: label or method -> one line."""
    return figure(name).panels(*data, definitions=definitions)


def chart(
    *data: Any, figure: str | None = None, definitions: Mapping[str, str] | None = None
) -> alt.LayerChart | alt.ConcatChart:
    """One Altair chart of a timeline, of a replay's dataset or of results, with a legend that explains its entries.

    figure: a name of `rebuttal.core.figure_list` (default: the one that suits the data). definitions: label or
    method -> one line. Raises InputError for an unknown figure, or data that none suits.
    """
    if not data:
        raise refuse("chart", "nothing", "a timeline, a replay's dataset, or a dataset of results")
    if figure is not None and not isinstance(figure, str):
        raise refuse("figure", figure, FIGURES)
    said = arguments.options("definitions", definitions)
    return join(panels(figure or figure_of(data[0]), *data, definitions=said or None))


def table(name: str, *data: Any) -> pd.DataFrame:
    """The numbers of a figure, at most some forty rows; `attrs['rows']` says how many there would be.

    Without what pages have besides: other targets than the figure's own, and the values of single seeds.
    """
    figure(name).check(*data)
    return plain(figure(name).table(*data))


def figure_of(data: Any) -> str:
    """The figure that suits a timeline, a Gantt table or a dataset."""
    if isinstance(data, Timeline):
        return "one_timeline"
    if "learning_rate" in getattr(data, "dims", ()) and "point" in data.dims:
        return "replay"
    held = set(getattr(data, "variables", getattr(data, "columns", ())))
    for name in FIGURES:
        if figure(name).suits in held:
            return name
    raise refuse("chart", type(data).__name__, "a timeline, a replay's dataset, or a dataset of results")
