"""What speed costs: the error at the end against the seconds of an epoch, and against staleness."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, many_methods, method_errors
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import Entry, Panel, axis, panel
from rebuttal.figures.single_seeds import of_seeds, renamed, with_seeds
from rebuttal.figures.theme import Style

GREY = "#7b8087"  # of the steps: to be seen on a light and on a dark page
SPEED, STALE = "seconds_per_epoch", "staleness"
TITLES = {
    SPEED: "seconds per epoch (s), log scale",
    STALE: "mean staleness (updates)",
}
TIP = ("method", "mean:Q", "low:Q", "high:Q", "seconds_per_epoch:Q", "seconds_per_update:Q", "staleness:Q")


def rows(data: xr.Dataset, summaries: xr.Dataset) -> pd.DataFrame:
    """Rows: method, group, mean, low, high of the test error, seconds_per_epoch, seconds_per_update, staleness, best.

    best: no other variant has a lower mean error in no more seconds. On the first workload and machine.
    """
    frame = method_errors.rows(data)
    chosen = many_methods.one_place(data)
    ends = chosen[["seconds", "epoch"]].isel(point=-1)
    read = many_methods.one_place(summaries)
    columns = {
        SPEED: ends.seconds / ends.epoch,
        "seconds_per_update": read.seconds_per_update,
        STALE: read.staleness_mean,
    }
    for name, values in columns.items():
        frame[name] = chart_rows.flat_values(values.mean("seed"), frame, ("method",))
        frame = with_seeds(frame, name, values, ("method",))
    frame["best"] = frontier(chart_rows.column(frame, SPEED), chart_rows.column(frame, "mean"))
    return frame


def frontier(cost: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Which points no other point beats: none has a lower error at no higher cost; of equal ones the first is in."""
    order = np.lexsort((error, cost))
    least = np.minimum.accumulate(np.concatenate([[np.inf], error[order]]))[:-1]
    found = np.zeros(len(cost), dtype=bool)
    found[order] = error[order] < least
    return found


def panels(
    data: xr.Dataset, summaries: xr.Dataset, definitions: Mapping[str, str] | None = None
) -> list[Panel]:
    """Error against the seconds of an epoch, with what no other variant beats; and against staleness."""
    frame = chart_rows.some(rows(data, summaries), "method_trade_off")
    key = many_methods.group_entries(list(frame["group"]))
    about = f"{chart_rows.seeds(frame)}; mean and 95 % interval; {chart_rows.clock(data)}"
    here = many_methods.where(many_methods.one_place(data))
    return [_one(frame, x, here, about, key) for x in (SPEED, STALE)]


def _one(frame: pd.DataFrame, x: str, here: str, about: str, key: tuple[Entry, ...]) -> Panel:
    across = axis(alt.X, x, TITLES[x], log=x == SPEED, zero=x == STALE)
    title, ticks = "test error at the end, log scale", alt.Axis(tickCount=10)
    up = axis(alt.Y, "mean", title, log=True, axis=ticks, share=True)
    m = marks(frame, across, up, key, "group", TIP)
    layers = [m.interval(strokeWidth=1, opacity=0.55), m.point(opacity=0.9, size=70)]
    if x == SPEED:
        best = unbeaten(frame)
        layers = [*_frontier(best, across, up), *layers]
        line = f"by the means, no other variant is both quicker and more accurate: {_listed(best)}"
        key = (*key, Entry("frontier", "unbeaten", line, Style(GREY, (3, 3), "circle"), "line"))
    title = f"error against {'seconds per epoch' if x == SPEED else 'staleness'}"
    say = f"Test error at the end against {TITLES[x].split(' (')[0]} on {here}, {len(frame)} variants."
    return panel(layers, title, about, say, key, height=340)


def _frontier(best: pd.DataFrame, across: alt.X, up: alt.Y) -> list[alt.Chart]:
    """The steps below which no variant lies, and the number of each on them: there is always room to its lower left."""
    base = alt.Chart(chart_rows.small(pd.DataFrame(best[["number", SPEED, "mean"]])))
    steps = base.mark_line(interpolate="step-after", color=GREY, strokeWidth=1.2, strokeDash=[3, 3]).encode(
        across, up
    )
    number = base.mark_text(align="right", dx=-6, dy=10, fontSize=12, fontWeight=600, color=GREY).encode(
        across, up, text=alt.Text("number:N")
    )
    return [steps, number]


def unbeaten(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the frontier, the quickest first, numbered from 1 in the column `number`."""
    found = chart_rows.keep(frame, frame["best"]).sort_values(SPEED, ignore_index=True)
    return found.assign(number=[str(place) for place in range(1, len(found) + 1)])


def _listed(best: pd.DataFrame) -> str:
    """'(1) hogwild; (2) mini batch, shards = 1'."""
    return "; ".join(
        f"({number}) {in_text(label)}" for number, label in zip(best["number"], best["method"], strict=True)
    )


def finding(data: xr.Dataset, summaries: xr.Dataset) -> str:
    """Who is on the frontier, and how error and staleness go together."""
    frame = rows(data, summaries)
    same = many_methods.equals(many_methods.one_place(data))
    distinct = chart_rows.keep(frame, [min([label, *same[label]]) == label for label in frame["method"]])
    ranks = [stats.rankdata(chart_rows.column(distinct, name)) for name in ("mean", STALE)]
    going = np.corrcoef(*ranks)[0, 1] if len({*ranks[0]}) > 1 and len({*ranks[1]}) > 1 else 0.0
    return (
        f"By the means, no other variant is both quicker per epoch and more accurate than {_listed(unbeaten(frame))}. "
        f"Over the {len(distinct)} variants that compute different values, error and mean staleness have a rank "
        f"correlation of {f'{going:.2f}'.replace('-', '−')}."
    )


def table(data: xr.Dataset, summaries: xr.Dataset) -> pd.DataFrame:
    """Every variant, quickest first."""
    frame = renamed(rows(data, summaries).sort_values(SPEED, kind="stable"), mean="test_error")
    frame["group"] = [group(key).name for key in frame["group"]]
    kept = [
        "group",
        "method",
        "test_error",
        SPEED,
        "seconds_per_update",
        STALE,
        "best",
        *of_seeds(frame),
    ]
    return chart_rows.short(pd.DataFrame(frame[kept]), most=len(frame))


FIGURE = Figure(
    title="What speed and staleness cost",
    reads={
        "curves": ("test_metric", "seconds", "epoch"),
        "summaries": ("staleness_mean", "seconds_per_update"),
    },
    how_to_read=(
        "Down is more accurate, left is quicker or fresher. The numbered steps join the variants that no other "
        "one beats in both. Methods on one vertical line of the second chart are equally stale: what sets them "
        "apart there is not staleness."
    ),
    draw=panels,
    table=table,
    finding=finding,
)
