"""Predicted against measured seconds per update, every run a point."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.clock_runs import AGAINST, processes, support
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, panel, plain_key
from rebuttal.figures.theme import SOFT

SERIES = {
    "small": "messages of a few kilobytes a layer",
    "large": "messages of many kilobytes a layer",
    "small with stragglers": "small messages, and injected stragglers",
}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Predicted against measured seconds per update, a panel for each number of nodes."""
    frame = chart_rows.some(rows(data), "calibration_scatter")
    key = plain_key(
        {name: line for name, line in SERIES.items() if name in set(frame["series"])}, mark="point"
    )
    for number in dict.fromkeys(frame["nodes"]):
        part, nodes = chart_rows.keep(frame, frame["nodes"] == number), processes(int(number))
        m = marks(
            part.drop(columns="nodes"),
            axis(alt.X, "measured_ms", "measured ms per update, log scale", log=True),
            axis(alt.Y, "predicted_ms", "predicted ms per update, log scale", log=True),
            key, "series", ("method", "series", "measured_ms", "predicted_ms"),
        )  # fmt: skip
        about = f"medians of {data.sizes['repetition']} repetitions; {AGAINST}"
        say = f"Predicted against measured seconds per update of {len(part)} runs on {nodes}."
        yield panel([_equal(part), m.point(size=60, opacity=0.8)], nodes, about, say, key)


def finding(data: xr.Dataset) -> str:
    """Over what range of times predictions hold, how far they are off, and how many pairs they order rightly."""
    frame = rows(data)
    measured, predicted = (chart_rows.column(frame, name) for name in ("measured_ms", "predicted_ms"))
    off = 100 * np.abs(predicted / measured - 1)
    alike, pairs = 0, 0
    for number in dict.fromkeys(frame["nodes"]):
        there = chart_rows.column(frame, "nodes") == number
        one, other = np.triu_indices(int(there.sum()), 1)
        signs = [np.sign(values[there][one] - values[there][other]) for values in (measured, predicted)]
        alike, pairs = alike + int((signs[0] == signs[1]).sum()), pairs + len(one)
    return (
        f"Over runs of {sentences.spread(measured)} ms per update the prediction is "
        f"{sentences.three(float(np.median(off)))} % off in the middle run of {len(frame)} and "
        f"{sentences.three(float(off.max()))} % at most. Predictions "
        f"put {alike:,} of {sentences.counted(pairs, 'pair')} of runs in the measured order. {support(data)}"
    )


def table(data: xr.Dataset) -> pd.DataFrame:
    """Medians over repetitions, the slowest runs first."""
    return chart_rows.short(rows(data).sort_values("measured_ms", ascending=False, kind="stable"))


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, nodes, series, measured_ms, predicted_ms: medians over repetitions."""
    middle = 1e3 * data[["measured_s", "predicted_s"]].median("repetition").reset_coords(drop=True)
    frame = (
        middle.to_dataframe().reset_index().dropna().rename(columns=lambda name: name.replace("_s", "_ms"))
    )
    suffix = np.where(frame["stragglers"] == "none", "", " with stragglers")
    frame["series"] = frame["workload"].astype(str) + suffix
    return pd.DataFrame(frame[["method", "nodes", "series", "measured_ms", "predicted_ms"]]).reset_index(
        drop=True
    )


def _equal(frame: pd.DataFrame) -> alt.Chart:
    """The line on which predicted is measured."""
    both = frame[["measured_ms", "predicted_ms"]]
    ends = [float(both.min().min()), float(both.max().max())]
    line = alt.Chart(chart_rows.small(pd.DataFrame({"x": ends, "y": ends})))
    return line.mark_line(color=SOFT, strokeDash=[3, 3], strokeWidth=1).encode(alt.X("x:Q"), alt.Y("y:Q"))


FIGURE = Figure(
    title="Predicted against measured seconds per update",
    reads={"calibration": ("predicted_s", "measured_s")},
    how_to_read=(
        "On the dashed line both are equal. Every point is a method; where points lie above one another, the "
        "clock takes methods for different that are not."
    ),
    draw=panels,
    table=table,
    finding=finding,
)
