"""One row per method, a dot and its interval: for numbers that have no second axis."""

import altair as alt
import pandas as pd

from rebuttal.figures import many_methods
from rebuttal.figures.marks import line_at, marks, named
from rebuttal.figures.panel import Entry, Panel, panel

ROW, FRAME = 26, 60


def dots(frame: pd.DataFrame, title: str, x: alt.X, about: str, say: str, key: tuple[Entry, ...],
         line: float | None = None) -> Panel:  # fmt: skip
    """Rows of `frame`: method, mean, low, high, n. `x` is the axis of `mean`; line: a value that is marked on it."""
    names = {entry.label: entry.name for entry in key}
    said = names | many_methods.short_names(
        [label for label in names if "=" in label]
    )  # options on a line of their own
    every = alt.Scale(domain=list(names))  # a method without a value keeps its empty row
    labels = alt.Axis(labelExpr=named(said), labelLimit=175, labelOverlap=False, labelLineHeight=12)
    y = alt.Y("method:N", title=None, scale=every, axis=labels)
    m = marks(frame, x, y, key, tip=("method", "mean", "low", "high", "n"))
    marked = [] if line is None else [line_at(x=line, pattern=(3, 3))]
    return panel(
        [*marked, m.span(), m.point(opacity=1, size=70)],
        title,
        about,
        say,
        key,
        height=FRAME + ROW * len(names),
    )
