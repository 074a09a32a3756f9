"""One row per method, a dot and its interval: for numbers that have no second axis."""

import altair as alt
import pandas as pd

from rebuttal.figures import many_methods
from rebuttal.figures.panel import Entry, Panel, colour, panel, rows_of, shape, tips
from rebuttal.figures.theme import SOFT

ROW, FRAME = 26, 60


def dots(frame: pd.DataFrame, title: str, x: alt.X, about: str, say: str, key: tuple[Entry, ...],
         line: float | None = None) -> Panel:  # fmt: skip
    """Rows of `frame`: method, mean, low, high, n. `x` is the axis of `mean`; line: a value that is marked on it."""
    base = rows_of(frame)
    names = {entry.label: entry.name for entry in key}
    said = names | many_methods.short_names(
        [label for label in names if "=" in label]
    )  # options on a line of their own
    expression = f"{said!r}[datum.label]".replace("'", '"')
    every = alt.Scale(domain=list(names))  # a method without a value keeps its empty row
    y = alt.Y(
        "method:N",
        title=None,
        scale=every,
        axis=alt.Axis(labelExpr=expression, labelLimit=175, labelOverlap=False, labelLineHeight=12),
    )
    tip = tips("method", "mean", "low", "high", "n")
    rule = base.mark_rule(strokeWidth=2).encode(
        alt.X("low:Q"), alt.X2("high"), y=y, color=colour(key), tooltip=tip
    )
    point = base.mark_point(filled=True, opacity=1, size=70).encode(
        x, y, colour(key), shape(key), tooltip=tip
    )
    marked = [] if line is None else [
        alt.Chart(pd.DataFrame({"at": [line]})).mark_rule(color=SOFT, strokeDash=[3, 3]).encode(x="at:Q")
    ]  # fmt: skip
    return panel([*marked, rule, point], title, about, say, key, height=FRAME + ROW * len(names))
