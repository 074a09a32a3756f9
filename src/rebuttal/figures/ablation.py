"""PPRS and its parts: what pipelining, smoothing and acceleration do to the time of an update and to the error."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, panel, shape
from rebuttal.figures.single_seeds import of_seeds, renamed, seed_rows, with_seeds
from rebuttal.figures.theme import SOFT, SOLID, Style, words

OPTIONS = ("K", "gamma", "accelerated", "pipelined")  # a label that has all of them is one of the parts


def _entry(name: str, definition: str, tint: str, mark: str = "circle") -> Entry:
    return Entry(name, name, definition, Style(tint, SOLID, mark), "point")


#: (smoothing, acceleration) -> what it is.
PARTS = {
    (False, False): _entry("neither", "gradient descent", "#7b8087"),
    (True, False): _entry("smoothing", "gradient descent on the smoothed loss", "#1f77b4"),
    (False, True): _entry("acceleration", "the accelerated gradient", "#d1541b"),
    (True, True): _entry("both", "smoothing and acceleration: PPRS if it is pipelined too", "#00937a"),
}
PIPELINED = (
    _entry("pipelined", "passes follow each other through the stages", SOFT),
    _entry(
        "one at a time", "a pass begins when the one before has ended; values are the same", SOFT, "diamond"
    ),
)


def panels(
    curves: xr.Dataset, summaries: xr.Dataset, definitions: Mapping[str, str] | None = None
) -> Iterator[Panel]:
    """Test error at the end against seconds per update: a panel for each workload, a mark for each combination."""
    frame = chart_rows.some(rows(curves, summaries), "ablation")
    key = (*PARTS.values(), *PIPELINED)
    for workload, part in frame.groupby("workload", sort=False):
        metric = metric_of(curves.attrs, str(workload))
        m = marks(
            part.drop(columns=["workload", "machine"]),
            axis(alt.X, "seconds_per_update", "seconds per update (s), log scale", log=True),
            axis(alt.Y, "mean", f"test {metric.error}", share=metric.is_share),
            key[:4], "part", ("part", "passes", "seconds_per_update", "mean", "low", "high", "n"),
        )  # fmt: skip
        point = m.point(shaped=False, size=90, opacity=0.9).encode(shape(PIPELINED, "passes"))
        machine = words(str(part["machine"].iloc[0]))
        title = f"{words(str(workload))}: test {metric.error} against the time of an update"
        about = f"{machine}; {chart_rows.seeds(part)}; mean and 95 % interval; {chart_rows.clock(curves)}"
        say = (
            f"{title}, for pipelining, smoothing and acceleration with and without, {len(part)} combinations."
        )
        yield panel([m.interval(strokeWidth=1.5), point], title, about, say, key)


def rows(curves: xr.Dataset, summaries: xr.Dataset) -> pd.DataFrame:
    """Rows: method, workload, part, passes, mean, low, high of the test error, n, seconds_per_update: on one machine.

    The first machine on which all of them were run.
    """
    labels = [label for label in map(str, curves.method.values) if all(f" {x}=" in label for x in OPTIONS)]
    chosen = curves.sel({"method": labels, "rate": "tuned"})
    dims = ("method", "workload", "machine")
    frame = seed_rows(datasets.error(datasets.final(chosen), curves), dims)
    frame = chart_rows.keep(frame, frame["machine"] == frame["machine"].iloc[0])
    seconds = summaries.seconds_per_update.sel({"method": labels})
    frame["seconds_per_update"] = chart_rows.flat_values(seconds.mean("seed"), frame, dims)
    frame = with_seeds(frame, "seconds_per_update", seconds, dims)
    has = [dict(pair.split("=") for pair in str(label).split()[1:]) for label in frame["method"]]
    frame["part"] = [PARTS[float(one["gamma"]) > 0, one["accelerated"] == "true"].label for one in has]
    frame["passes"] = [PIPELINED[one["pipelined"] != "true"].label for one in has]
    return frame


def table(curves: xr.Dataset, summaries: xr.Dataset) -> pd.DataFrame:
    """Every combination on every workload."""
    frame = renamed(rows(curves, summaries), mean="test_error")
    first = ["workload", "machine", "part", "passes", "seconds_per_update", "test_error", "low", "high", "n"]
    first += of_seeds(frame)
    return chart_rows.short(pd.DataFrame(frame[first]))


def finding(curves: xr.Dataset, summaries: xr.Dataset) -> str:
    """What pipelining gains with and without smoothing, and the error of each part, by workload."""
    said, gains = [], []
    for workload, part in rows(curves, summaries).groupby("workload", sort=False):
        at = {(row["part"], row["passes"]): row for row in sentences.records(pd.DataFrame(part))}
        alone, both = (
            [at[name, one.label]["seconds_per_update"] for one in PIPELINED] for name in ("neither", "both")
        )
        gains.append([alone[1] / alone[0], both[1] / both[0]])
        unit = sentences.unit_of(metric_of(curves.attrs, str(workload)))
        each = [
            f"{sentences.value(row, unit)} with {name}"
            for (name, passes), row in at.items()
            if passes == "pipelined"
        ]
        said.append(f"{words(str(workload))}: {', '.join(each)}")
    without, smoothed = (sentences.spread([pair[place] for pair in gains]) for place in (0, 1))
    return (
        f"Pipelining makes an update {without} times as fast without smoothing and {smoothed} times with it, on "
        f"{sentences.counted(len(said), 'workload')}. Test errors at the end, pipelined: {'; '.join(said)}."
    )


FIGURE = Figure(
    title="Pipelining, smoothing and acceleration, each with and without",
    reads={"curves": ("test_metric", "learning_rate", "diverged_at"), "summaries": ("seconds_per_update",)},
    how_to_read=(
        "Left is quicker, down is more accurate. A circle and a diamond of one colour have the same values and "
        "differ by pipelining alone: their distance is what it gains. From colour to colour the other two parts "
        "come and go."
    ),
    draw=panels,
    table=table,
    finding=finding,
    across=3,
)
