"""One row per method, a dot and its interval: for numbers that have no second axis."""

import altair as alt
import pandas as pd

from rebuttal.charts import frames
from rebuttal.charts.panel import Entry, Panel, axis, colour, panel, shape
from rebuttal.charts.theme import SOFT

ROW, FRAME = 26, 60


def dots(
    frame: pd.DataFrame, title: str, x_title: str, about: str, say: str, key: tuple[Entry, ...],
    log: bool = False, zero: bool = False, reference: float | None = None,
) -> Panel:  # fmt: skip
    """Rows of `frame`: method, mean, low, high, n. `reference` draws a dashed line, such as 1 for a ratio."""
    base = alt.Chart(frames.small(frame))
    names = {entry.label: entry.name for entry in key}
    expression = f"{names!r}[datum.label]".replace("'", '"')
    every = alt.Scale(domain=list(names))  # a method without a value keeps its empty row
    y = alt.Y("method:N", title=None, scale=every, axis=alt.Axis(labelExpr=expression, labelLimit=150, labelOverlap=False))
    x = axis(alt.X, "mean", x_title, log=log, zero=zero)
    tip = ["method", "mean", "low", "high", "n"]
    rule = base.mark_rule(strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high"), y=y, color=colour(key), tooltip=tip)
    point = base.mark_point(filled=True, opacity=1, size=70).encode(x, y, colour(key), shape(key), tooltip=tip)
    layers = [rule, point]
    if reference is not None:
        line = alt.Chart(pd.DataFrame({"at": [reference]})).mark_rule(color=SOFT, strokeDash=[3, 3])
        layers.insert(0, line.encode(x="at:Q"))
    return panel(layers, title, about, say, key, height=FRAME + ROW * len(names))
