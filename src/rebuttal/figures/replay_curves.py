"""What a replay gave: the error of one method's runs at each learning rate, against seconds, updates and epochs."""

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import Metric, metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows
from rebuttal.figures.error_curves import AXES, FLOOR, NAMES
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, panel, plain_key
from rebuttal.figures.theme import words

ORDER = ("learning_rate", "point")


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: learning_rate, point, mean, low, high of the test error over seeds, n; seconds, update, epoch."""
    frame = chart_rows.rows(datasets.error(data.test_metric, data).clip(min=FLOOR), ORDER)
    shape = data.test_metric.isel(seed=0, drop=True)
    for name in [name for name in AXES if name in data.variables]:
        every = data[name].mean("seed") if "seed" in data[name].dims else data[name]
        frame[name] = chart_rows.flat_values(every.broadcast_like(shape), frame, ORDER)
    frame[["low", "high"]] = frame[["low", "high"]].clip(lower=FLOOR)
    return frame


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """One panel per axis, a line per learning rate; its band is there from two seeds on."""
    frame = chart_rows.some(rows(data), "replay")
    seeds = chart_rows.seeds(frame)
    frame["learning_rate"] = [f"{rate:g}" for rate in frame["learning_rate"]]
    lines = {rate: f"learning rate {rate}" for rate in dict.fromkeys(frame["learning_rate"])}
    about = f"{seeds}; mean and 95 % interval; {chart_rows.clock(data)}"
    what = ", ".join(words(str(data.attrs[name])) for name in ("method", "workload") if name in data.attrs)
    metric = metric_of(data.attrs, str(data.attrs.get("workload", "")))
    return [_one(frame, name, what, about, plain_key(lines), metric) for name in AXES if name in frame]


def _one(frame: pd.DataFrame, x: str, what: str, about: str, key: tuple[Entry, ...], metric: Metric) -> Panel:
    """One axis."""
    log = x != "epoch"
    shown = pd.DataFrame(frame[["learning_rate", x, "mean", "low", "high"]])
    m = marks(
        chart_rows.keep(shown, chart_rows.column(shown, x) > (0 if log else -1)),
        axis(alt.X, x, AXES[x], log=log),
        axis(alt.Y, "mean", f"test {metric.error}, log scale", log=True, share=metric.is_share),
        key, "learning_rate", ("learning_rate", f"{x}:Q", alt.Tooltip("mean:Q", title=f"test {metric.error}")),
    )  # fmt: skip
    title = f"{what}: {metric.error} against {NAMES[x]}"
    return panel([m.band(), m.line(tip=True)], title, about, f"{title}, {len(key)} learning rates.", key)


def table(data: xr.Dataset) -> pd.DataFrame:
    """The end of every curve."""
    frame = rows(data)
    points = chart_rows.column(frame, "point")
    last = chart_rows.keep(frame, points == points.max()).drop(columns="point")
    return chart_rows.short(last.rename(columns={"mean": "test_error"}))


FIGURE = Figure(
    title="Error of a replay at each learning rate",
    reads={"replay": ("test_metric", "seconds")},
    how_to_read=(
        "Lower and further left is better. Each line is the mean over the seeds that were replayed, its band "
        "the interval of that mean."
    ),
    draw=panels,
    table=table,
)
