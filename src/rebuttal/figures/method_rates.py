"""How much each method depends on its learning rate: validation loss against rate, a row for each variant."""

from collections import Counter
from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, many_methods, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.learning_rates import CHOSEN, EDGE, MARKS, tuning_rows
from rebuttal.figures.many_dots import FRAME, ROW, names_axis
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import Entry, Panel, area_key, panel, tips
from rebuttal.figures.theme import INK, SOLID, Style

TOP = 1.5  # losses are told apart up to so many times the largest loss at a chosen rate
DARK, LIGHT = "#0b4a75", "#e6edf2"
TINTS = area_key({
    "low": ("low loss", "the lowest validation loss of all variants", DARK),
    "high": ("high loss", "as untrained or worse, or diverged", LIGHT),
})  # fmt: skip
KEY = tuple(
    Entry(mark, mark, text, Style(tint, SOLID, form), "point")
    for mark, text, tint, form in (
        (CHOSEN, MARKS[CHOSEN][0], "#e8a33d", "circle"),
        (EDGE, MARKS[EDGE][0], "#e8a33d", "diamond"),
    )
)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, group, learning_rate, mean of the validation loss, diverged, n, mark, drawn (the loss, or the top).

    On the first workload and machine; a rate without a loss, or with one above the top, is drawn at the top.
    """
    here = {name: [data[name].values[0]] for name in ("workload", "machine")}
    frame = tuning_rows(chart_rows.where_run(data.sel(here), "best_learning_rate")).drop(columns="workload")
    chosen = chart_rows.column(frame, "mean")[np.isin(chart_rows.column(frame, "mark"), [CHOSEN, EDGE])]
    top = TOP * float(np.nanmax(chosen, initial=np.nanmin(chart_rows.column(frame, "mean"))))
    frame["drawn"] = np.fmin(chart_rows.column(frame, "mean"), top)
    frame["drawn"] = frame["drawn"].fillna(top)
    return many_methods.with_groups(frame)


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """A panel for each group: a row per variant, a cell per rate, the darker the lower its loss."""
    frame = chart_rows.some(rows(data), "method_rates")
    about = f"{sentences.counted(data.sizes['seed'], 'seed')} used for tuning only; {chart_rows.clock(data)}"
    drawn = chart_rows.column(frame, "drawn")
    domain = (float(drawn.min()), float(drawn.max()))
    return [_one(part, key, domain, about) for key, part in many_methods.by_group(frame)]


def _one(part: pd.DataFrame, key: str, domain: tuple[float, float], about: str) -> Panel:
    """One group, its variants sorted by the loss at their chosen rate."""
    chosen = chart_rows.keep(part, part["mark"].isin([CHOSEN, EDGE])).sort_values("mean", kind="stable")
    labels = list(dict.fromkeys([*chosen["method"], *part["method"]]))
    shown = part.drop(columns=["group", "low", "high", "n"])
    shown["text"] = [
        "×" if lost else f"{loss:.2g}" for lost, loss in zip(part["diverged"] > 0, part["mean"], strict=True)
    ]
    base = alt.Chart(chart_rows.small(shown))
    x = alt.X("learning_rate:O", title="learning rate", axis=alt.Axis(labelAngle=0, grid=False))
    y = names_axis(labels)
    tip = tips(
        "method", "learning_rate:Q", alt.Tooltip("mean:Q", title="validation loss"), "diverged:Q", "mark:N"
    )
    tint = alt.Scale(type="log", domain=list(domain), range=[DARK, LIGHT], interpolate="lab", clamp=True)
    white = alt.value(LIGHT)
    dark = domain[0] * (domain[1] / domain[0]) ** (1 / 3)  # below it a cell is too dark for dark words
    layers = [
        base.mark_rect(stroke="#ffffff", strokeWidth=1).encode(
            x, y, color=alt.Color("drawn:Q", scale=tint, legend=None), tooltip=tip
        ),
        base.mark_text(fontSize=10, dy=5).encode(
            x, y, text=alt.Text("text:N"), tooltip=tip,
            color=alt.condition(f"datum.drawn < {dark}", white, alt.value(INK)),
        ),
    ]  # fmt: skip
    layers += [
        base.transform_filter(f"datum.mark == '{one.label}'")
        .mark_point(
            shape=one.style.shape, filled=True, color=one.style.colour, opacity=1, size=42, yOffset=-8
        )
        .encode(x, y, tooltip=tip)
        for one in KEY
    ]
    say = f"Validation loss against learning rate, methods {group(key).name}, {len(labels)} variants."
    return panel(layers, group(key).name, about, say, (*TINTS, *KEY), height=FRAME + ROW * len(labels))


def outcome(data: xr.Dataset) -> dict[str, list[str]]:
    """The variants that diverged at every rate, that did at some, and whose chosen rate is at the edge of the grid."""
    frame = rows(data)
    lost = diverged_rates(frame)
    tried = Counter(map(str, frame["method"]))
    edge = chart_rows.keep(frame, frame["mark"] == EDGE)
    return {
        "every": [label for label, count in lost.items() if count == tried[label]],
        "some": [label for label, count in lost.items() if 0 < count < tried[label]],
        "edge": [str(label) for label in edge["method"]],
    }


def diverged_rates(frame: pd.DataFrame) -> dict[str, int]:
    """Label -> at how many rates at least one run diverged."""
    found = dict.fromkeys(map(str, frame["method"]), 0)
    for label, count in zip(frame["method"], frame["diverged"], strict=True):
        found[str(label)] += int(count > 0)
    return found


def finding(data: xr.Dataset) -> str:
    """Who diverged where, and how many were tuned to the edge of the grid."""
    found, count = outcome(data), data.sizes["method"]
    return (
        f"Of {count} variants {len(found['every'])} diverged at every rate, {len(found['some'])} at some, and "
        f"{len(found['edge'])} have their best rate at the edge of the grid. "
        f"Diverged at every rate: {many_methods.listed(found['every'])}."
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """The chosen rate of every variant, its loss, and at how many rates it diverged."""
    frame = rows(data)
    lost = diverged_rates(frame)
    best = chart_rows.keep(frame, frame["mark"].isin([CHOSEN, EDGE]))
    best["diverged_rates"] = [lost[str(label)] for label in best["method"]]
    best["at_edge"] = best["mark"] == EDGE
    best["group"] = [group(key).name for key in best["group"]]
    found = best.rename(columns={"mean": "validation_loss"})
    kept = ["group", "method", "learning_rate", "validation_loss", "diverged_rates", "at_edge"]
    return chart_rows.short(pd.DataFrame(found[kept]), most=len(found))


FIGURE = Figure(
    title="Validation loss at every learning rate",
    reads={"tuning": ("validation_loss", "diverged", "best_learning_rate", "at_edge")},
    how_to_read=(
        "A row is a variant, a cell the loss at one learning rate after the same number of samples, the darker "
        "the lower. A wide dark band is a method that forgives a rate which is off; a single dark cell is one "
        "that does not. A cross is a rate at which a run diverged."
    ),
    draw=panels,
    table=table,
    finding=finding,
    stacked=True,
)
