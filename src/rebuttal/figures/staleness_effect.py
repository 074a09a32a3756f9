"""Staleness: what it does to the error, and how it is distributed."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.base.errors import InputError
from rebuttal.core.metrics import metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, colour, panel, plain_key
from rebuttal.figures.single_seeds import renamed, seed_rows
from rebuttal.figures.theme import family, option, words

RATES = {
    "tuned": "the learning rate is tuned anew for each staleness, with the same budget",
    "shared": "one learning rate, untuned, for every staleness",
}


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: workload, rate, method, delayed, staleness k, mean, low, high of the final test error, n, diverged.

    delayed: the method whose variants the delays are, in words.
    """
    labels = [str(label) for label in data.method.values if option(str(label), "k") is not None]
    if not labels:
        raise InputError(
            "figure staleness_error: no method with an option k; allowed: results of delayed gradients"
        )
    some = chart_rows.where_run(data.sel({"method": labels}), "learning_rate")
    order = ("workload", "rate", "method")
    frame = seed_rows(datasets.error(datasets.final(some), some), order)
    frame["k"] = [option(label, "k") for label in frame["method"]]
    frame["delayed"] = [words(family(label)) for label in frame["method"]]
    frame["diverged"] = chart_rows.flat_values(some.diverged_at.notnull().sum("seed"), frame, order)
    return frame.sort_values(["workload", "delayed", "rate", "k"], ignore_index=True)


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Test error at the end against the staleness of every gradient, at the tuned and at the shared rate."""
    frame = chart_rows.some(rows(data), "staleness_error")
    key = plain_key(RATES)
    for name, delayed, part in chart_rows.groups(frame, "workload", "delayed"):
        metric = metric_of(data.attrs, name)
        at_end = metric.error_axis.replace("error", "error at the end")
        m = marks(
            part.drop(columns="delayed").dropna(subset=["mean"]),
            axis(alt.X, "k", "staleness k (updates)", zero=True),
            axis(alt.Y, "mean", f"test {at_end}", zero=True),
            key, "rate",
            ("rate", "k", alt.Tooltip("mean", title=f"test {metric.error}"), "low", "high", "n", "diverged"),
        )  # fmt: skip
        lost = m.where("datum.diverged > 0").rows.mark_text(dy=-12, fontSize=11).encode(
            m.x, m.y, text=alt.Text("label:N"), color=colour(key, "rate")
        ).transform_calculate(label="datum.diverged + ' diverged'")  # fmt: skip
        counted = "a diverged run counts as untrained"
        about = f"{chart_rows.seeds(part)}; mean and 95 % interval; {counted}; {chart_rows.clock(data)}"
        ends = f"from {part['k'].min():g} to {part['k'].max():g} updates"
        say = f"Test error at the end of {delayed} against staleness {ends}, at a tuned and at a shared learning rate."
        yield panel(
            [m.band(), m.line(), m.point(opacity=1, size=48), lost],
            f"{delayed}, {words(name)}",
            about,
            say,
            key,
        )


def table(data: xr.Dataset) -> pd.DataFrame:
    """The points of the figure."""
    return chart_rows.short(renamed(rows(data), mean="test_error"))


FIGURE = Figure(
    title="Test error against staleness",
    reads={"curves": ("test_metric", "diverged_at", "learning_rate")},
    how_to_read=(
        "Every gradient is applied exactly k updates after its weights were read. One line has its learning "
        "rate tuned for each k, the other keeps one rate: the gap between them is what tuning can repair."
    ),
    draw=panels,
    table=table,
)
