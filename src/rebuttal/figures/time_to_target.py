"""Seconds to a range of target accuracies or other metrics, and what missed them."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import Metric, metric_of
from rebuttal.evidence import arrays, datasets
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.error_curves import main_methods
from rebuttal.figures.figure_record import TIMES, Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, method_key, panel
from rebuttal.figures.sentences import Compared, on
from rebuttal.figures.single_seeds import renamed, with_seeds
from rebuttal.figures.targets import at_targets, at_verdicts
from rebuttal.figures.theme import words


def rows(data: xr.Dataset, targets: xr.DataArray, methods: Sequence[str] | None = None) -> pd.DataFrame:
    """Rows: workload, machine, method, target (of the metric), seconds (median), fastest, slowest, n, missed, at_least.

    `targets` (workload, target) comes from `rebuttal.evidence.datasets.targets`. seconds is NaN where less than half of
    the runs arrived; at_least is the end of those that did not (a lower bound). methods: default `main_methods`.
    """
    chosen = chart_rows.pick(data.sel({"method": list(methods or main_methods(data))}), "rate", "tuned")
    times = datasets.time_to_target(chosen, targets)
    dims = ("workload", "machine", "method", "target")
    series = times.seconds.reset_coords(drop=True).transpose(*dims, "seed")
    frame = series.isel(seed=0, drop=True).to_series().index.to_frame(index=False)
    values = series.values.reshape(len(frame), -1)
    frame[["seconds", "fastest", "slowest", "n", "missed"]] = [_time(row) for row in values]
    frame["at_least"] = chart_rows.flat_values(times.seconds_end.mean("seed"), frame, dims[:3])
    level = targets.transpose("workload", "target")
    frame["multiple"] = frame["target"]
    frame = with_seeds(frame, "seconds", times.seconds, dims)
    frame["target"] = chart_rows.flat_values(level, frame, ("workload", "target"))
    return chart_rows.keep(frame, chart_rows.column(frame, "n") > 0)


def _time(row: np.ndarray) -> tuple[float, float, float, int, int]:
    """Median, fastest, slowest, how many ran, how many of them missed."""
    known, arrived = row[~np.isnan(row)], row[np.isfinite(row)]
    median = arrays.median_time(row)
    fastest, slowest = (float(arrived.min()), float(arrived.max())) if len(arrived) else (np.nan, np.nan)
    missed = int(np.isinf(known).sum())
    return median if np.isfinite(median) else np.nan, fastest, slowest, len(known), missed


def panels(
    data: xr.Dataset, targets: xr.DataArray, definitions: Mapping[str, str] | None = None
) -> list[Panel]:
    """Median seconds to each target; a hollow triangle where most runs missed it, at the time when they ended."""
    frame = chart_rows.some(rows(data, targets), "time_to_target")
    key = method_key(list(dict.fromkeys(frame["method"])), definitions)
    places = chart_rows.groups(frame, "workload", "machine")
    return [
        _panel(part, f"{words(w)} on {words(m)}", chart_rows.clock(data), key, metric_of(data.attrs, w))
        for w, m, part in places
    ]


def _panel(frame: pd.DataFrame, title: str, clock: str, key: tuple[Entry, ...], metric: Metric) -> Panel:
    m = marks(
        frame.drop(columns=["workload", "machine"]),
        axis(alt.X, "target", f"target: test {metric.name}", share=metric.is_share),
        axis(alt.Y, "seconds", "seconds to the target (s), log scale", log=True),
        key, tip=("method", "target", alt.Tooltip("seconds:Q", title="median seconds"), "fastest:Q",
                  "slowest:Q", "missed", "n"),
    )  # fmt: skip
    arrived = m.where("isValid(datum.seconds) && datum.seconds > 0")
    ended = m.where("!isValid(datum.seconds)").against(y=alt.Y("at_least:Q"))
    layers = [
        arrived.where("datum.fastest > 0").band("fastest", "slowest", opacity=0.1),
        arrived.line(),
        arrived.point(opacity=1, size=36),
        ended.point(shaped=False, filled=False, opacity=1, shape="triangle-up", size=60),
    ]
    about = f"{chart_rows.seeds(frame)}; median and range; hollow triangle: missed by most; {clock}"
    say = f"Seconds to each of {frame['target'].nunique()} targets on {title}, {len(key)} methods."
    return panel(layers, title, about, say, key)


def finding(data: xr.Dataset, targets: xr.DataArray, compared: Compared | None = None) -> str:
    """Who is at the target of verdicts first and how much sooner, in the first place; who is at the hardest target."""
    frame = renamed(rows(data, targets), seconds="mean")
    verdicts = at_verdicts(frame, targets)
    places = list(chart_rows.groups(chart_rows.keep(verdicts, verdicts["standard"]), "workload", "machine"))
    workload, machine, part = places[0]
    where, metric = on(workload, machine), metric_of(data.attrs, workload)
    goal = sentences.goal(part["target"].iloc[0], metric)
    first, second = sentences.two(part, compared)
    said = sentences.sooner(first, second, goal, where)
    lost = sentences.how_many(part["mean"].isna())
    missed = f" {lost} of {sentences.counted(len(part), 'method')} missed it on most seeds." if lost else ""
    return f"{said}{sentences.elsewhere([part for *_, part in places], first, second, 'sooner', ratio=True)}{missed}"


def table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Every method at the strictest target: median seconds, range, how many runs missed it; then at the others."""
    frame = rows(data, targets)
    shown = at_targets(frame, chart_rows.column(frame, "multiple") == frame["multiple"].min())
    return chart_rows.short(shown, most=len(shown))


FIGURE = Figure(
    title="Seconds to a range of target accuracies",
    needs=("curves", "targets"),
    reads=TIMES,
    how_to_read=(
        "One target can favour one method, so a range is shown: further right is a harder target, lower is "
        "faster. Targets are multiples of the tuned mini-batch error on validation data, fixed before any other "
        "method was looked at. A run that ends before it gets there is a miss, never left out."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
)
