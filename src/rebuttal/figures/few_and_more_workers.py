"""Few and more workers: what asynchronous training and synchronous training with a backup reach on each number."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence import student
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, method_key, panel

SERIES = {
    "backup_workers": "one backup worker, all others waited for; tuned for each number of workers",
    "asynchronous": "nobody waits; tuned for each number of workers",
    "untuned_asynchronous": "nobody waits; one learning rate for all numbers of workers",
}
MEASURES = {
    "final_error": ("Error at the end", "test error", False),
    "seconds": ("Seconds to the target", "seconds to the target (s), log scale", True),
    "staleness_mean": ("Staleness", "mean staleness (updates)", False),
}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Error, seconds and staleness against the number of workers."""
    frame = chart_rows.some(rows(data), "worker_counts")
    for measure, (title, label, log) in MEASURES.items():
        part = chart_rows.keep(frame, frame["measure"] == measure)
        key = method_key(list(dict.fromkeys(part["series"])), SERIES)
        m = marks(
            part.drop(columns="measure"),
            axis(alt.X, "workers", "workers, log scale", log=True, axis=alt.Axis(values=data.workers.values.tolist())),
            axis(alt.Y, "mean", label, log=log, zero=not log, share=measure == "final_error"),
            key, "series", ("series", "workers", "mean", "low", "high", "n", "missed"),
        )  # fmt: skip
        layers = [m.interval(), m.line(), m.point(opacity=1, size=50)]
        ended = "; a run that missed the target counts with its end" if measure == "seconds" else ""
        about = f"{chart_rows.seeds(part)}; mean and 95 % interval{ended}; {chart_rows.clock(data)}"
        yield panel(layers, title, about, f"{title} against the number of workers.", key)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: measure, series, workers, mean, low, high, n, missed (runs that missed the target)."""
    parts = []
    for measure in MEASURES:
        values = data[measure]
        rated = "rate" in values.dims
        tuned = values.sel(rate="tuned", drop=True) if rated else values
        frame = chart_rows.rows(tuned, ("method", "workers")).assign(
            measure=measure, series=lambda f: f["method"]
        )
        missed = data.missed.sel(rate="tuned", drop=True).sum("seed")
        frame["missed"] = chart_rows.flat_values(missed, frame, ("method", "workers"))
        parts.append(frame.drop(columns="method"))
        if rated:
            parts.append(_untuned(data, measure))
    return pd.concat(parts, ignore_index=True)


def _untuned(data: xr.Dataset, measure: str) -> pd.DataFrame:
    """Asynchronous training at the shared rate."""
    some = data.sel({"method": "asynchronous", "rate": "shared"}, drop=True)
    frame = chart_rows.rows(some[measure], ("workers",)).assign(
        measure=measure, series="untuned_asynchronous"
    )
    return frame.assign(missed=chart_rows.flat_values(some.missed.sum("seed"), frame, ("workers",)))


def table(data: xr.Dataset) -> pd.DataFrame:
    """The points of the figure."""
    order = ["measure", "series", "workers", "mean", "low", "high", "n", "missed"]
    return chart_rows.short(pd.DataFrame(rows(data)[order]))


def finding(data: xr.Dataset) -> str:
    """What the backup gains in accuracy, against a tuned and an untuned rate, with the fewest and the most workers."""
    ends = [int(data.workers.values[place]) for place in (0, -1)]
    said = []
    for count in ends:
        gains = [_gain(data, count, against) for against in ("tuned", "shared")]
        said.append(
            f"with {count} workers {gains[0]} on a tuned asynchronous rate, {gains[1]} on an untuned one"
        )
    return f"What synchronous training with a backup gains in test accuracy: {'; '.join(said)}."


def _gain(data: xr.Dataset, count: int, against: str) -> str:
    found = student.interval(data.accuracy_gain.sel(workers=count, against=against).values)
    return f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


FIGURE = Figure(
    title="Few and more workers",
    reads={"worker_counts": ("final_error", "seconds", "missed", "staleness_mean", "accuracy_gain")},
    how_to_read=(
        "Further right there are more workers, on as many samples in all: staleness grows on one line, the "
        "batch on the other. Lower is better. Two lines are tuned for each number of workers; the third keeps "
        "one learning rate for all, as the paper did for its asynchronous runs."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="log_time_ratio",
    across=3,
)
