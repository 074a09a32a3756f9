"""Updates to the target against the samples that an update averages, for every number of backup workers."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import TARGETS, Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, method_key, panel
from rebuttal.figures.single_seeds import renamed, seed_rows
from rebuttal.figures.targets import at_verdicts, reached
from rebuttal.figures.theme import family, words

SERIES = {
    "mini_batch": "one node, one batch: what averaging more gradients does to the number of updates",
    "backup_workers": "the first N of N + b gradients; b = 0 waits for all",
    "k_sync": "the first N of N + b gradients; the others are abandoned and start afresh",
}

NEAR = 0.02  # of the logarithm of samples: so far beside a line a point is still at its end


def rows(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Rows: workload, series, method, samples_per_update, mean, low, high (updates to the target), n, and the target.

    On the first machine; the columns multiple and standard as in `backups_effect.rows`.
    """
    labels = [
        label for label in map(str, data.method.values) if family(label) in SERIES or label == "synchronous"
    ]
    chosen = chart_rows.where_run(data.sel({"method": labels}), "learning_rate")
    frame = seed_rows(reached(chosen, targets).updates, ("workload", "method", "multiple"))
    last = chosen.isel(point=-1)
    size = (last.samples_applied / last["update"]).mean("seed")
    frame["samples_per_update"] = chart_rows.flat_values(size, frame, ("workload", "method"))
    frame["series"] = [
        "backup_workers" if label == "synchronous" else family(label) for label in frame["method"]
    ]
    found = frame.sort_values(["series", "samples_per_update"], kind="stable", ignore_index=True)
    return at_verdicts(found, targets)


def panels(data: xr.Dataset, targets: xr.DataArray, definitions: object = None) -> Iterator[Panel]:
    """Updates to the target against how many samples an update averages: backups cost what a smaller batch costs."""
    frame = chart_rows.some(rows(data, targets), "rate_of_convergence")
    key = method_key([name for name in SERIES if name in set(frame["series"])], SERIES)
    for name in dict.fromkeys(frame["workload"]):
        part = chart_rows.keep(frame, chart_rows.column(frame, "workload") == name)
        yield _panel(part, words(name), key)


def _panel(part: pd.DataFrame, title: str, key: tuple[Entry, ...]) -> Panel:
    m = marks(
        part.drop(columns="workload"),
        axis(alt.X, "samples_per_update", "samples per update, log scale", log=True),
        axis(alt.Y, "mean", "updates to the target, log scale", log=True),
        key, "series",
        ("method", "samples_per_update", alt.Tooltip("mean:Q", title="updates"), "low:Q", "high:Q", "n"),
    )  # fmt: skip
    reached_by = f"{chart_rows.seeds(chart_rows.keep(part, part['standard']))} that reached the target"
    about = f"{reached_by}; mean and 95 % interval; counted in updates, not on a clock"
    say = f"Updates to the target on {title} against the samples that one update averages."
    return panel([m.interval(), m.line(), m.point(opacity=1, size=54)], title, about, say, key)


def finding(data: xr.Dataset, targets: xr.DataArray) -> str:
    """How many updates backups need against mini-batch SGD with as many samples, by its line; how the line falls."""
    frame = chart_rows.some(rows(data, targets), "rate_of_convergence")
    frame = chart_rows.keep(frame, frame["standard"])
    ratios, parts = [], []
    for name in dict.fromkeys(frame["workload"]):
        part = chart_rows.keep(frame, frame["workload"] == name)
        line = chart_rows.keep(part, part["series"] == "mini_batch")
        others = chart_rows.keep(part, part["series"] != "mini_batch")
        if len(line):
            parts.append(_fall(line, words(str(name))))
            ratios += _against(others, line)
    places = f"{sentences.counted(len(ratios), 'point')} on {sentences.counted(len(parts), 'workload')}"
    if ratios:
        times = f"{sentences.spread(ratios)} times the updates of mini-batch SGD to the target"
        parts.insert(0, f"With as many samples per update, training with backups takes {times} ({places}).")
    return (
        " ".join(parts)
        or f"None of {sentences.counted(len(frame), 'method')} can be set beside mini-batch SGD."
    )


def _against(frame: pd.DataFrame, line: pd.DataFrame) -> list[float]:
    """Updates of each point over those of a line at as many samples; points beside its range are left out."""
    if line.empty or frame.empty:
        return []
    x, y = (np.log(chart_rows.column(line, name)) for name in ("samples_per_update", "mean"))
    at, found = (np.log(chart_rows.column(frame, name)) for name in ("samples_per_update", "mean"))
    inside = (at >= x.min() - NEAR) & (at <= x.max() + NEAR)
    return np.exp(found - np.interp(at, x, y))[inside].tolist()


def _fall(line: pd.DataFrame, where: str) -> str:
    """From what to what the updates of a line go."""
    first, last = line.iloc[0], line.iloc[-1]
    sizes = sentences.spread(line["samples_per_update"])
    ends = f"{sentences.three(first['mean'])} to {sentences.three(last['mean'])}"
    return f"Mini-batch SGD with {sizes} samples per update takes {ends} updates to the target ({where})."


def table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """The points of the figure."""
    found = renamed(rows(data, targets).drop(columns="series"), mean="updates")
    return chart_rows.short(found, most=len(found))


FIGURE = Figure(
    title="Updates to the target against the size of an update",
    needs=("curves", "targets"),
    reads={"curves": ("test_metric", "update", "samples_applied"), **TARGETS},
    how_to_read=(
        "If backups change the rate only through the number of gradients that an update averages, their points "
        "lie on the line of mini-batch SGD with as many samples."
    ),
    draw=panels,
    table=table,
    finding=finding,
)
