"""A group of methods as rows: a dot, its interval, and the baseline's values as lines through all rows."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from rebuttal.figures import many_methods
from rebuttal.figures.marks import named
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import Entry, Panel, axis, panel, rows_of, tips
from rebuttal.figures.single_seeds import of_seeds

ROW, FRAME = 30, 12
LABEL = 140  # pixels for the names of methods: a phone leaves as much again for the dots


def dots(
    frame: pd.DataFrame,
    key: str,
    across: tuple[list[str], tuple[float, float]],
    about: str,
    say: str,
    lines: Sequence[tuple[Entry, pd.DataFrame]],
    notes: pd.DataFrame,
    share: bool = False,
) -> Panel:
    """The rows of one group. `frame`: method, mean, low, high and what a tooltip shows; sorted as it is to be drawn.

    across: the title of the logarithmic axis (its lines) and its domain. lines: the baseline's entries with their
    places on it (column at, and what else a selection may ask for). notes: rows of `frame` with a column `note`, a few
    words beside a hollow mark. share: as `axis` has it. A row without a mean keeps its place.
    """
    title, domain = across
    entry = many_methods.group_entries([key])[0]
    looks = {"shape": entry.style.shape, "size": 60, "opacity": 1}
    x = axis(alt.X, "mean", title, log=True, domain=domain, share=share, axis=alt.Axis(tickCount=10))
    labels = list(dict.fromkeys(frame["method"]))
    y = names_axis(labels)
    # A colour for each row, all alike: a page may colour some of them apart.
    scale = alt.Scale(domain=labels, range=[entry.style.colour for _ in labels])
    tint = alt.Color("method:N", scale=scale, legend=None)
    shown = frame.drop(columns="group")
    hidden = {*of_seeds(shown), "standard", "multiple"}
    tip = tips(*(alt.Tooltip(str(name)) for name in shown if name not in hidden))
    base = rows_of(shown)
    layers = [
        *(_line(one, at) for one, at in lines),
        base.mark_rule(strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high"), tint, y=y, tooltip=tip),
        base.mark_point(filled=True, **looks).encode(x, y, tint, tooltip=tip),
        *(_notes(notes.drop(columns="group"), (x, y, tint), looks, float(np.sqrt(domain[0] * domain[1])))),
    ]
    entries = [entry, *(one for one, _ in lines)]
    return panel(layers, group(key).name, about, say, entries, height=FRAME + ROW * len(labels), rows=labels)


def names_axis(labels: Sequence[str]) -> alt.Y:
    """The axis of methods, each name on one line or two."""
    return alt.Y(
        "method:N",
        title=None,
        scale=alt.Scale(domain=list(labels)),
        axis=alt.Axis(
            labelExpr=named(many_methods.short_names(labels)),
            labelLimit=LABEL, labelOverlap=False, labelFontSize=11, labelLineHeight=12,
            minExtent=LABEL, ticks=False,
        ),
    )  # fmt: skip


def _notes(notes: pd.DataFrame, where: tuple[Any, ...], looks: dict, middle: float) -> list[alt.Chart]:
    """A hollow mark where each note belongs, and its words on the side that has more room. where: axes and colour."""
    if notes.empty:
        return []
    base = rows_of(notes)
    words = alt.Text("note:N")
    text: dict[str, Any] = {"fontSize": 11, "dy": -8}  # above an interval
    right = base.transform_filter(f"datum.mean < {middle}").mark_text(align="left", dx=9, **text)
    left = base.transform_filter(f"datum.mean >= {middle}").mark_text(align="right", dx=-9, **text)
    tip = tips("method", alt.Tooltip("note:N"), alt.Tooltip("mean:Q"))
    hollow = base.mark_point(filled=False, **looks).encode(*where, tooltip=tip)
    return [hollow, right.encode(*where, text=words), left.encode(*where, text=words)]


def _line(entry: Entry, at: pd.DataFrame) -> alt.Chart:
    """One value of the baseline, through all rows."""
    return rows_of(at.assign(method=entry.label)).mark_rule(
        color=entry.style.colour, strokeDash=list(entry.style.dash), strokeWidth=1.5
    ).encode(alt.X("at:Q"), tooltip=tips("method", alt.Tooltip("at:Q", title="mean")))  # fmt: skip
