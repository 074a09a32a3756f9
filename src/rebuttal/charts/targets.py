"""Time to a target accuracy or other metric, and every speed-up split into its two factors."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.charts import frames, many
from rebuttal.charts.convergence import main_methods
from rebuttal.charts.panel import (
    Entry,
    Panel,
    axis,
    colour,
    dash,
    method_key,
    panel,
    plain_key,
    rows_of,
    shape,
    tips,
)
from rebuttal.charts.single_seeds import wide, with_seeds
from rebuttal.charts.theme import SOFT, words
from rebuttal.errors import refuse
from rebuttal.metrics import Metric, metric_of
from rebuttal.stats import arrays, datasets

PARTS = {
    "total": "seconds to the target: baseline over method",
    "updates": "updates to the target: baseline over method (statistical efficiency)",
    "seconds_per_update": "seconds per update: baseline over method (hardware efficiency)",
}
BASELINE = "asynchronous"
TARGET = 3.0  # the target of single-target figures: this multiple of the baseline's validation error, as in verdicts


def time_rows(data: xr.Dataset, targets: xr.DataArray, methods: Sequence[str] | None = None) -> pd.DataFrame:
    """Rows: workload, machine, method, target (of the metric), seconds (median), fastest, slowest, n, missed, at_least.

    `targets` (workload, target) comes from `rebuttal.stats.datasets.targets`. seconds is NaN where less than half of
    the runs arrived; at_least is the end of those that did not (a lower bound). methods: default `main_methods`.
    """
    frames.need(data, "time_to_target", ["test_metric", "seconds"])
    chosen = frames.pick(data.sel({"method": list(methods or main_methods(data))}), "rate", "tuned")
    times = datasets.time_to_target(chosen, targets)
    dims = ("workload", "machine", "method", "target")
    series = times.seconds.reset_coords(drop=True).transpose(*dims, "seed")
    frame = series.isel(seed=0, drop=True).to_series().index.to_frame(index=False)
    values = series.values.reshape(len(frame), -1)
    frame[["seconds", "fastest", "slowest", "n", "missed"]] = [_time(row) for row in values]
    frame["at_least"] = frames.flat_values(times.seconds_end.mean("seed"), frame, dims[:3])
    level = targets.transpose("workload", "target")
    frame["multiple"] = frame["target"]
    frame = with_seeds(frame, "seconds", times.seconds, dims)
    frame["target"] = frames.flat_values(level, frame, ("workload", "target"))
    return frames.keep(frame, frames.column(frame, "n") > 0)


def _time(row: np.ndarray) -> tuple[float, float, float, int, int]:
    """Median, fastest, slowest, how many ran, how many of them missed."""
    known, arrived = row[~np.isnan(row)], row[np.isfinite(row)]
    median = arrays.median_time(row)
    fastest, slowest = (float(arrived.min()), float(arrived.max())) if len(arrived) else (np.nan, np.nan)
    missed = int(np.isinf(known).sum())
    return median if np.isfinite(median) else np.nan, fastest, slowest, len(known), missed


def time_panels(
    data: xr.Dataset, targets: xr.DataArray, definitions: Mapping[str, str] | None = None
) -> list[Panel]:
    """Median seconds to each target; a hollow triangle where most runs missed it, at the time when they ended."""
    frame = frames.some(time_rows(data, targets), "time_to_target")
    key = method_key(list(dict.fromkeys(frame["method"])), definitions)
    places = frames.groups(frame, "workload", "machine")
    return [
        _time_panel(part, f"{words(w)}, {words(m)}", frames.clock(data), key, metric_of(data.attrs, w))
        for w, m, part in places
    ]


def _time_panel(frame: pd.DataFrame, title: str, clock: str, key: tuple[Entry, ...], metric: Metric) -> Panel:
    base = alt.Chart(frames.small(frame.drop(columns=["workload", "machine"])))
    x = axis(alt.X, "target", f"target: test {metric.name}{'' if metric.lower_is_better else ' (fraction)'}")
    y = axis(alt.Y, "seconds", "seconds to the target (s), log scale", log=True)
    tip = tips(
        "method",
        "target",
        alt.Tooltip("seconds:Q", title="median seconds"),
        "fastest:Q",
        "slowest:Q",
        "missed",
        "n",
    )
    reached = base.transform_filter("isValid(datum.seconds) && datum.seconds > 0")
    band = (
        reached.transform_filter("datum.fastest > 0")
        .mark_area(opacity=0.1)
        .encode(x, alt.Y("fastest:Q"), alt.Y2("slowest"), colour(key))
    )
    line = reached.mark_line().encode(x, y, colour(key), dash(key))
    point = reached.mark_point(filled=True, opacity=1, size=36).encode(
        x, y, colour(key), shape(key), tooltip=tip
    )
    missed = base.transform_filter("!isValid(datum.seconds)").mark_point(
        filled=False, opacity=1, shape="triangle-up", size=60
    ).encode(x, alt.Y("at_least:Q"), colour(key), tooltip=tip)  # fmt: skip
    about = f"{frames.seeds(frame)}; median and range; hollow triangle: missed by most; {clock}"
    say = f"Seconds to each of {frame['target'].nunique()} targets on {title}, {len(key)} methods."
    return panel([band, line, point, missed], title, about, say, key)


def time_table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Every method at the strictest target: median seconds, range, how many runs missed it; then at the others."""
    frame = time_rows(data, targets)
    shown = at_targets(frame, frames.column(frame, "multiple") == frame["multiple"].min())
    return frames.short(shown, most=len(shown))


def at_targets(frame: pd.DataFrame, shown: Any) -> pd.DataFrame:
    """Rows at every target (column `multiple`), with the column `standard`: those `shown` unless a reader asks.

    They come first.
    """
    found = frame.assign(standard=np.asarray(shown, dtype=bool))
    return found.sort_values("standard", ascending=False, kind="stable", ignore_index=True)


def split_rows(
    data: xr.Dataset, targets: xr.DataArray, baseline: str = BASELINE, methods: Sequence[str] | None = None,
    machines: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Rows: workload, machine, method, part, target, multiple, mean, low, high, n, missed, baseline_missed, standard.

    standard: at the strictest target that at least half of the pairs of runs reached, for each workload, machine and
    method. target: the level of the metric; multiple: the target's name in the sweep. machines: only the first so many.
    """
    data = data.isel(machine=slice(machines))
    known = [str(label) for label in data.method.values]
    if baseline not in known:
        raise refuse("baseline", baseline, known)
    others = [label for label in (methods or main_methods(data)) if label != baseline]
    found = datasets.speed_up(data, others, baseline, targets)
    joined = found.reset_coords(drop=True).to_dataframe().reset_index()
    joined = joined.rename(columns={"estimate": "mean", "target": "multiple"}).dropna(subset=["mean", "low"])
    place = ["workload", "machine", "method"]
    joined = with_seeds(
        joined.reset_index(drop=True), "mean", _seed_ratios(data, others, baseline, targets),
        [*place, "multiple", "part"],
    )  # fmt: skip
    level = targets.rename(target="multiple")
    joined["target"] = frames.flat_values(level, joined, ("workload", "multiple"))
    return at_targets(joined, joined["multiple"] == joined.groupby(place)["multiple"].transform("min"))


def _seed_ratios(
    data: xr.Dataset, labels: Sequence[str], baseline: str, targets: xr.DataArray
) -> xr.DataArray:
    """The speed-up and its factors of each single seed, NaN where one of the pair missed: ..., multiple, part, seed."""
    chosen = data.sel({"method": [*labels, baseline], "rate": "tuned"})
    times = datasets.time_to_target(chosen, targets, axes=("seconds", "updates"))[["seconds", "updates"]]
    times = times.where(np.isfinite(times.seconds) & (times.updates > 0)).rename(target="multiple")
    total, updates = (
        times[name].sel(method=baseline, drop=True) / times[name].sel({"method": list(labels)})
        for name in ("seconds", "updates")
    )
    return xr.concat(
        [total, updates, total / updates],
        xr.DataArray(list(PARTS), dims="part", name="part"),
        coords="minimal",
    )


def split_panels(
    data: xr.Dataset,
    targets: xr.DataArray,
    definitions: Mapping[str, str] | None = None,
    baseline: str = BASELINE,
    machines: int | None = None,
) -> list[Panel]:
    """Three dots per method: the total speed-up over the baseline and its two factors, on a logarithmic axis."""
    frame = frames.some(split_rows(data, targets, baseline, machines=machines), "speed_up_split")
    places = frames.groups(frame, "workload", "machine")
    return [
        _split_panel(part, f"{words(w)}, {words(m)}", frames.clock(data), baseline) for w, m, part in places
    ]


def _split_panel(frame: pd.DataFrame, title: str, clock: str, baseline: str) -> Panel:
    key = plain_key(PARTS, "point")
    names = {label: words(label) for label in dict.fromkeys(frame["method"])}
    base = rows_of(frame.drop(columns=["workload", "machine"]))
    label = f"{many.short_names(list(names))!r}[datum.label]".replace("'", '"')
    lines = alt.Axis(labelExpr=label, labelLimit=175, labelOverlap=False, labelLineHeight=13)
    y = alt.Y("method:N", title=None, axis=lines)
    lane = alt.YOffset("part:N", sort=list(PARTS))
    x = axis(
        alt.X, "mean", [f"speed-up over {words(baseline)}", "log scale"], log=True
    )  # names leave little room
    tip = tips("method", "part", "mean:Q", "low:Q", "high:Q", "n", "missed", "baseline_missed", "target")
    rule = base.mark_rule(strokeWidth=2).encode(
        alt.X("low:Q"), alt.X2("high"), y, lane, colour(key, "part"), tooltip=tip
    )
    point = base.mark_point(filled=True, opacity=1, size=52).encode(
        x, y, lane, colour(key, "part"), shape(key, "part"), tooltip=tip
    )
    one = alt.Chart(pd.DataFrame({"at": [1.0]})).mark_rule(color=SOFT, strokeDash=[3, 3]).encode(x="at:Q")
    there = frames.seeds(frames.keep(frame, frame["standard"]))
    about = f"{there}, paired; 95 % interval; at the strictest target that both reached; {clock}"
    say = f"Speed-up over {words(baseline)} on {title}, split into two factors, for {len(names)} methods."
    return panel([one, rule, point], title, about, say, key, height=52 * len(names))


def split_table(
    data: xr.Dataset, targets: xr.DataArray, baseline: str = BASELINE, machines: int | None = None
) -> pd.DataFrame:
    """The total speed-up of every method with its factors side by side."""
    frame = split_rows(data, targets, baseline, machines=machines)
    index = ["workload", "machine", "method", "target", "multiple", "standard"]
    found = wide(frame, index, "part")
    return frames.short(found, most=len(found))
