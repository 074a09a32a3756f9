"""The virtual clock against the real one: the error of every method, all runs, and PyTorch's own beside ours."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.charts import frames
from rebuttal.charts.dots import dots
from rebuttal.charts.panel import Entry, Panel, axis, colour, method_key, panel, plain_key, shape, tips
from rebuttal.charts.theme import SOFT, words

PLACE = ("nodes", "workload", "stragglers")
NEEDED = ("measured_s", "predicted_s", "counterpart")
SERIES = {
    "small": "messages of a few kilobytes a layer",
    "large": "messages of many kilobytes a layer",
    "small with stragglers": "small messages, and injected stragglers",
}
AGAINST = "measured clock against modelled clock"


def error_panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """How far the prediction of every method is off, a panel for each number of nodes and kind of run."""
    frame = frames.some(errors(data), "calibration_error")
    x = axis(alt.X, "mean", "predicted over measured seconds per update, minus 1 (%)", zero=True)
    found = []
    for place, part in by_place(frame):
        key = _key(data, part, definitions)
        about = f"{_repetitions(part)}; mean and 95 % interval; {AGAINST}"
        say = f"Error of the predicted seconds per update of {len(part)} methods, {place}."
        found.append(dots(part, place, x, about, say, key))
    return found


def error_table(data: xr.Dataset) -> pd.DataFrame:
    """The methods with the largest errors."""
    frame = errors(data)
    largest_first = np.argsort(-np.abs(frames.column(frame, "mean")), kind="stable")
    return frames.short(frame.iloc[largest_first].rename(columns={"mean": "error (%)"}))


def error_finding(data: xr.Dataset) -> str:
    """The middle and the largest absolute error, without stragglers and with."""
    frame = errors(data)
    parts = []
    for nodes, stragglers, part in frames.groups(frame, "nodes", "stragglers"):
        off = part["mean"].abs()
        worst = part.loc[off.idxmax()]
        kind = "without stragglers" if stragglers == "none" else "with injected stragglers"
        parts.append(
            f"On {_processes(int(nodes))}, {kind}, the median of the absolute errors is {off.median():.0f} %; the "
            f"largest is {off.max():.0f} % ({words(str(worst['method']))}, {worst['workload']} messages)."
        )
    return " ".join([*parts, support(data)])


def support(data: xr.Dataset) -> str:
    """Which of the seconds support a claim about time: a sentence."""
    supported, count = json.loads(data.attrs["supports_timing"]), int(data.attrs["cores"])
    lost = [int(nodes) for nodes in data.nodes.values if nodes > 1 and nodes not in supported]
    if not lost:
        return "The machine had a core for each process, and was quiet before the measurement and after it."
    listed = " and ".join(_processes(nodes) for nodes in lost)
    more = [_processes(nodes) for nodes in lost if nodes > count]
    crowded = (
        f" {' and '.join(more)} are more processes than cores: they wait for each other." if more else ""
    )
    return (
        f"Seconds of {listed} support no claim about time: the machine has {count} cores, and its load was "
        f"{data.attrs['load_before']:.1f} before the measurement and {data.attrs['load_after']:.1f} after it.{crowded}"
        + _lease(data)
    )


def _lease(data: xr.Dataset) -> str:
    """What took the run the right to support a claim, as its lease of the host says; nothing of cores, told before."""
    reasons = json.loads(data.attrs.get("lease", "{}")).get("why_not", [])
    told = [reason for reason in reasons if not reason.startswith("more processes")]
    return f" The measurement was {'; '.join(told)}." if told else ""


def scatter_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Predicted against measured seconds per update, a panel for each number of nodes."""
    frame = frames.some(medians(data), "calibration_scatter")
    key = plain_key(
        {name: line for name, line in SERIES.items() if name in set(frame["series"])}, mark="point"
    )
    found = []
    for number in dict.fromkeys(frame["nodes"]):
        part, nodes = frames.keep(frame, frame["nodes"] == number), _processes(int(number))
        base = alt.Chart(frames.small(part.drop(columns="nodes")))
        x = axis(alt.X, "measured_ms", "measured ms per update, log scale", log=True)
        y = axis(alt.Y, "predicted_ms", "predicted ms per update, log scale", log=True)
        tip = tips("method", "series", "measured_ms", "predicted_ms")
        point = base.mark_point(filled=True, size=60, opacity=0.8).encode(
            x, y, colour(key, "series"), shape(key, "series"), tooltip=tip
        )
        about = f"medians of {data.sizes['repetition']} repetitions; {AGAINST}"
        say = f"Predicted against measured seconds per update of {len(part)} runs on {nodes}."
        found.append(panel([_equal(part), point], nodes, about, say, key))
    return found


def scatter_table(data: xr.Dataset) -> pd.DataFrame:
    """Medians over repetitions, the slowest runs first."""
    return frames.short(medians(data).sort_values("measured_ms", ascending=False, kind="stable"))


def shipped_panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """Measured seconds per update of PyTorch's own and of what computes the same here."""
    frame = frames.some(beside(data), "calibration_shipped")
    x = axis(alt.X, "mean", "measured ms per update", zero=True)
    found = []
    for place, part in by_place(frame):
        about = f"{_repetitions(part)}; mean and 95 % interval; measured clock"
        say = f"Measured milliseconds per update of PyTorch's own and of ours, {place}."
        found.append(dots(part, place, x, about, say, _key(data, part, definitions)))
    return found


def shipped_table(data: xr.Dataset) -> pd.DataFrame:
    """The same numbers."""
    return frames.short(beside(data).rename(columns={"mean": "ms per update"}))


def shipped_finding(data: xr.Dataset) -> str:
    """Ours over PyTorch's data-parallel form, wherever both were timed."""
    ours, theirs = (
        data.measured_s.sel({"method": name}).median("repetition") for name in ("all_reduce", "ddp")
    )
    ratio = (ours / theirs).sel(stragglers="none")
    places = itertools.product(data.nodes.values, data.workload.values)
    found = {place: float(ratio.sel(nodes=place[0], workload=place[1])) for place in places}
    parts = [
        f"{times:.2f} on {_processes(int(nodes))} with {workload} messages"
        for (nodes, workload), times in found.items()
        if np.isfinite(times)
    ]
    return f"Seconds of our all-reduce over those of DistributedDataParallel: {'; '.join(parts)}."


def errors(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, PLACE, mean, low, high of the relative error in per cent, n repetitions."""
    frames.need(data, "calibration_error", NEEDED)
    off = 100 * (data.predicted_s / data.measured_s - 1)
    return frames.rows(off.rename(repetition="seed"), ("method", *PLACE))


def medians(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, nodes, series, measured_ms, predicted_ms: medians over repetitions."""
    frames.need(data, "calibration_scatter", NEEDED)
    middle = 1e3 * data[["measured_s", "predicted_s"]].median("repetition").reset_coords(drop=True)
    frame = (
        middle.to_dataframe().reset_index().dropna().rename(columns=lambda name: name.replace("_s", "_ms"))
    )
    suffix = np.where(frame["stragglers"] == "none", "", " with stragglers")
    frame["series"] = frame["workload"].astype(str) + suffix
    return pd.DataFrame(frame[["method", "nodes", "series", "measured_ms", "predicted_ms"]]).reset_index(
        drop=True
    )


def beside(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, PLACE, mean, low, high of the measured ms per update, n: PyTorch's own and their counterparts."""
    frames.need(data, "calibration_shipped", NEEDED)
    pairs = [(str(m), str(c)) for m, c in zip(data.method.values, data.counterpart.values, strict=True) if c]
    wanted = dict.fromkeys(["all_reduce", *(ours for _, ours in pairs), *(theirs for theirs, _ in pairs)])
    shown = [name for name in wanted if name in data.method.values]
    measured = 1e3 * data.measured_s.sel({"method": shown, "stragglers": ["none"]})
    return frames.rows(measured.rename(repetition="seed"), ("method", *PLACE))


def by_place(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """('2 processes, small messages', its rows)."""
    for columns, part in frame.groupby(list(PLACE), sort=False):
        nodes, workload, stragglers = map(str, columns if isinstance(columns, tuple) else (columns,))
        more = "" if stragglers == "none" else f", {words(stragglers)} stragglers"
        place = f"{_processes(int(nodes))}, {workload} messages{more}"
        yield place, pd.DataFrame(part.drop(columns=list(PLACE)))


def _key(data: xr.Dataset, frame: pd.DataFrame, definitions: Mapping[str, str] | None) -> tuple[Entry, ...]:
    """The methods' key; those of PyTorch say what they are."""
    own = dict(zip(map(str, data.method.values), map(str, data.about.values), strict=True))
    known = dict(definitions or {}) | {name: line for name, line in own.items() if line}
    return tuple(replace(entry, mark="point") for entry in method_key(list(frame["method"]), known))


def _equal(frame: pd.DataFrame) -> alt.Chart:
    """The line on which predicted is measured."""
    both = frame[["measured_ms", "predicted_ms"]]
    ends = [float(both.min().min()), float(both.max().max())]
    line = alt.Chart(frames.small(pd.DataFrame({"x": ends, "y": ends})))
    return line.mark_line(color=SOFT, strokeDash=[3, 3], strokeWidth=1).encode(alt.X("x:Q"), alt.Y("y:Q"))


def _repetitions(frame: pd.DataFrame) -> str:
    return frames.seeds(frame).replace("seed", "repetition")


def _processes(nodes: int) -> str:
    return f"{nodes} process{'es' * (nodes != 1)}"
