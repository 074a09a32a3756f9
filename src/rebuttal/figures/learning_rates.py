"""Validation loss against learning rate: the tuning that every method got, with the same budget."""

from collections.abc import Mapping
from itertools import cycle

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Entry, Panel, axis, method_key, panel, tips
from rebuttal.figures.theme import SOLID, WORKLOAD_COLOURS, Style, family, words

CHOSEN, EDGE, DIVERGED = "chosen", "chosen, at the edge of the grid", "diverged"
MARKS = {
    CHOSEN: ("the rate with the lowest mean validation loss, which the report uses", "circle", "#00937a"),
    EDGE: ("the smallest or largest rate that was tried: a wider grid might find a better one", "diamond", "#c98a00"),
    DIVERGED: ("at least one tuning run diverged; drawn at the top if none has a loss", "cross", "#d1541b"),
}  # fmt: skip
KEY = tuple(
    Entry(mark, mark, text, Style(tint, SOLID, form), "point") for mark, (text, form, tint) in MARKS.items()
)


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """One panel per family of methods on the first machine, a line per workload and variant."""
    frame = chart_rows.some(tuning_rows(chart_rows.where_run(data, "best_learning_rate")), "learning_rates")
    about = f"{data.sizes['seed']} seeds used for tuning only; {chart_rows.clock(data)}"
    drawn = dict(zip(dict.fromkeys(frame["workload"]), cycle(WORKLOAD_COLOURS), strict=False))
    families = frame.groupby(frame["method"].map(family), sort=False)
    return [_one(part, str(name), about, drawn, definitions) for name, part in families]


def tuning_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, workload, learning_rate, mean, low, high, n, diverged, mark ('': nothing special)."""
    order = ("method", "workload", "learning_rate")
    lost = (data.diverged.fillna(0) > 0).where(data.diverged.notnull().any("seed")).sum("seed", min_count=1)
    frame = lost.reset_coords(drop=True).rename("diverged").to_series().dropna().reset_index()
    frame = frame.merge(chart_rows.rows(data.validation_loss, order), on=list(order), how="left").fillna(
        {"n": 0}
    )
    best = chart_rows.flat_values(data.best_learning_rate, frame, order[:2])
    edge = chart_rows.flat_values(data.at_edge.fillna(0) > 0, frame, order[:2]).astype(bool)
    chosen = abs(frame["learning_rate"] / best - 1) < 1e-9
    frame["mark"] = ""
    frame.loc[frame["diverged"] > 0, "mark"] = DIVERGED
    frame.loc[chosen, "mark"] = CHOSEN
    frame.loc[chosen & edge, "mark"] = EDGE
    return frame


def _one(
    frame: pd.DataFrame,
    name: str,
    about: str,
    tints: Mapping[str, str],
    definitions: Mapping[str, str] | None,
) -> Panel:
    """One family: its validation loss on every workload, for every variant. tints: the colour of each workload."""
    line = "validation loss on this workload, one line per variant"
    lines = tuple(Entry(w, words(w), line, Style(t, SOLID, "circle"), "line")
                  for w, t in tints.items())  # fmt: skip
    domain = {entry.label: entry.style for entry in (*lines, *KEY)}
    tint = alt.Scale(domain=list(domain), range=[style.colour for style in domain.values()])
    x = axis(alt.X, "learning_rate", "learning rate, log scale", log=True)
    y = axis(alt.Y, "mean", "validation loss (nat), log scale", log=True)
    tip = tips(
        "method",
        "workload",
        "learning_rate",
        alt.Tooltip("mean:Q", title="validation loss"),
        "low:Q",
        "high:Q",
        "diverged",
    )
    base = alt.Chart(chart_rows.small(frame.dropna(subset=["mean"])))
    line = base.mark_line(strokeWidth=1.4, opacity=0.8).encode(
        x, y, alt.Color("workload:N", scale=tint, legend=None), detail="method:N"
    )
    shape = alt.Shape(
        "mark:N", scale=alt.Scale(domain=list(MARKS), range=[e.style.shape for e in KEY]), legend=None
    )
    special = alt.Chart(chart_rows.small(_placed(frame))).mark_point(filled=True, opacity=1, size=70).encode(
        x, y, alt.Color("mark:N", scale=tint, legend=alt.Legend(values=list(MARKS))), shape, tooltip=tip)  # fmt: skip
    definition = method_key([name], definitions)[0].definition
    say = f"Validation loss against learning rate for {words(name)} ({definition}), the chosen rates marked."
    return panel([line, special], words(name), about, say, (*lines, *KEY), height=190)


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    """The marked rows; a rate at which every run diverged has no loss and is drawn at the highest one."""
    top = chart_rows.column(frame, "mean").max(
        initial=0.0, where=np.isfinite(chart_rows.column(frame, "mean"))
    )
    marked = chart_rows.keep(frame, chart_rows.column(frame, "mark") != "")
    return marked.fillna({"mean": top, "low": top, "high": top})


def finding(data: xr.Dataset) -> str:
    """How many chosen rates are inside the grid, from what to what they go, how many tuning runs diverged."""
    frame = tuning_rows(chart_rows.where_run(data, "best_learning_rate"))
    best = chart_rows.keep(frame, frame["mark"].isin([CHOSEN, EDGE]))
    edge = sentences.how_many(best["mark"] == EDGE)
    lost = int(np.sum(chart_rows.column(frame, "diverged")))
    return (
        f"The chosen learning rate is inside the grid for {len(best) - edge} of {len(best)} pairs of a variant and a "
        f"workload, at its edge for {edge}. Chosen rates go from {sentences.spread(best['learning_rate'])}; "
        f"{sentences.counted(lost, 'tuning run')} diverged."
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """The chosen rate of every method and workload, its validation loss, and how many tuning runs diverged."""
    frame = tuning_rows(chart_rows.where_run(data, "best_learning_rate"))
    place = ["method", "workload"]
    lost = frame.groupby(place, sort=False).agg(diverged_runs=("diverged", "sum")).reset_index()
    best = chart_rows.keep(frame, frame["mark"].isin([CHOSEN, EDGE])).merge(lost, on=place)
    best["at_edge"] = best["mark"] == EDGE
    return chart_rows.short(
        best.drop(columns=["mark", "diverged"]).rename(columns={"mean": "validation_loss"})
    )


FIGURE = Figure(
    title="Validation loss against learning rate",
    reads={"tuning": ("validation_loss", "diverged", "best_learning_rate", "at_edge")},
    how_to_read=(
        "Every variant was tuned on the same grid with the same number of runs, on seeds and on a validation split "
        "that no other figure uses: all rates on the first seed, the best on the others. A chosen rate at the edge of "
        "the grid is marked, because a better one may lie beyond it."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="best_learning_rate",
)
