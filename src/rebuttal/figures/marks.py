"""The grammar of marks: rows drawn as points, lines, intervals, bands, cells or bars, in the look that a key gives.

A panel of most figures is some of the layers that `Marks` has, over one another. Every mark of a chart reads the same
rows, on the same two axes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import altair as alt
import pandas as pd

from rebuttal.figures import chart_rows
from rebuttal.figures.panel import Entry, colour, dash, rows_of, shape, tips
from rebuttal.figures.theme import SOFT

CELL_INK = "#1c2126"  # on every cell of a heat map, in light and in dark
LOSS, EVEN, GAIN = "#e8956c", "#f4f1ea", "#58b8a4"  # the colours of cells that compare two


@dataclass(frozen=True)
class Marks:
    """Rows with an axis each way; `by` is the column whose values the key explains. tip: what a mark says.

    The columns low and high are the interval of what the axis shows that has one.
    """

    rows: alt.Chart
    x: Any
    y: Any
    key: Sequence[Entry]
    by: str = "method"
    tip: Sequence[str | alt.Tooltip] = ()
    more: Sequence[Any] = ()  # further encodings of every mark, such as an offset

    def where(self, condition: str) -> "Marks":
        """The rows of which an expression of Vega holds."""
        return replace(self, rows=self.rows.transform_filter(condition))

    def against(self, x: Any = None, y: Any = None) -> "Marks":
        """The same rows on another axis."""
        return replace(self, x=x or self.x, y=y or self.y)

    def line(self, *, tip: bool = False, dashed: bool = True, **look: Any) -> alt.Chart:
        """A line for each entry of the key."""
        pattern = [dash(self.key, self.by)] if dashed else []
        return self._marked(self.rows.mark_line(**look), [self.x, self.y, *pattern], tip=tip)

    def point(self, *, shaped: bool = True, **look: Any) -> alt.Chart:
        """A point for each row, filled unless `look` says otherwise."""
        form = [shape(self.key, self.by)] if shaped else []
        mark = self.rows.mark_point(**{"filled": True, **look})
        return self._marked(mark, [self.x, self.y, *form], tip=True)

    def interval(self, **look: Any) -> alt.Chart:
        """The interval of y, upright."""
        ends = [self.x, alt.Y("low:Q"), alt.Y2("high")]
        return self._marked(self.rows.mark_rule(**look), ends, tip=False)

    def span(self, low: str = "low", high: str = "high", *, tip: bool = True, **look: Any) -> alt.Chart:
        """The interval of x, along its row."""
        ends = [alt.X(f"{low}:Q"), alt.X2(high), self.y]
        return self._marked(self.rows.mark_rule(**{"strokeWidth": 2, **look}), ends, tip=tip)

    def band(self, low: str = "low", high: str = "high", opacity: float = 0.14) -> alt.Chart:
        """The interval of y along a line."""
        ends = [self.x, alt.Y(f"{low}:Q"), alt.Y2(high)]
        return self._marked(self.rows.mark_area(opacity=opacity), ends, tip=False)

    def bar(self, end: str, *, rule: bool = False, **look: Any) -> alt.Chart:
        """A bar along its row, or a thin rule, from x to the column `end`."""
        mark = self.rows.mark_rule(**look) if rule else self.rows.mark_bar(**look)
        return self._marked(mark, [self.x, alt.X2(end), self.y], tip=True)

    def tick(self, **look: Any) -> alt.Chart:
        """A tick across its row."""
        mark = self.rows.mark_tick(orient="vertical", **look)
        return self._marked(mark, [self.x, self.y], tip=True)

    def text(self, field: str, **look: Any) -> alt.Chart:
        """The column `field`, written right of its place."""
        mark = self.rows.mark_text(**{"align": "left", "dx": 3, "fontSize": 9, **look})
        return mark.encode(self.x, self.y, text=field)

    def _marked(self, mark: alt.Chart, encodings: Sequence[Any], *, tip: bool) -> alt.Chart:
        said: dict[str, Any] = {"tooltip": tips(*self.tip)} if tip else {}
        return mark.encode(*encodings, colour(self.key, self.by), *self.more, **said)


def marks(
    frame: pd.DataFrame, x: Any, y: Any, key: Sequence[Entry], by: str = "method", tip: Sequence[Any] = (),
    more: Sequence[Any] = (),
) -> Marks:  # fmt: skip
    """The marks of a frame, whose numbers are rounded for a chart."""
    return Marks(rows_of(frame), x, y, key, by, tip, more)


def line_at(*, x: float | None = None, y: float | None = None, look: Entry | None = None,
            pattern: Sequence[float] = (2, 2), scale: Any = alt.Undefined) -> alt.Chart:  # fmt: skip
    """A straight line through the whole chart at one value. look: the entry of the key that explains it."""
    name, value, channel = ("y", y, alt.Y) if x is None else ("x", x, alt.X)
    tint, dashes = (SOFT, list(pattern)) if look is None else (look.style.colour, list(look.style.dash))
    base = alt.Chart(pd.DataFrame({name: [value]})).mark_rule(color=tint, strokeDash=dashes)
    return base.encode(channel(f"{name}:Q", scale=scale))


def named(names: Mapping[str, str | list[str]]) -> str:
    """The expression that shows each label of an axis by its name."""
    return f"{json.dumps(dict(names), ensure_ascii=False)}[datum.label]"


def heat(
    frame: pd.DataFrame, x: alt.X, y: alt.Y, fill: tuple[str, alt.Scale], text: str, tip: Sequence[Any]
) -> list[alt.Chart]:  # fmt: skip
    """A cell for each row, in the colour that a scale gives to a column, with the number written on it.

    fill: the column and its scale. text: how its numbers are written.
    """
    name, scale = fill
    base = alt.Chart(chart_rows.small(frame)).encode(x, y)
    cell = base.mark_rect().encode(color=alt.Color(f"{name}:Q", scale=scale, legend=None), tooltip=tips(*tip))
    return [cell, base.mark_text(fontSize=11, color=CELL_INK).encode(text=alt.Text(f"{name}:Q", format=text))]
