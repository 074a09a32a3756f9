"""Throughput against the batch, as it was measured on the device whose costs are used."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import number
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import line_at, marks
from rebuttal.figures.panel import Panel, axis, panel, plain_key
from rebuttal.figures.sentences import in_words, largest, smallest

PARTS = {
    "samples_per_s": ("Samples per second", "samples per second, log scale"),
    "relative": ("Share of the best throughput", "throughput over the largest measured"),
}


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Samples per second, and the share of the best, against the samples of a gradient; a line per workload."""
    frame = chart_rows.some(rows(data), "throughput")
    key = plain_key(
        {str(name): "a gradient of so many samples at once, one thread" for name in data.workload.values}
    )
    about = f"{data.attrs['device']}; {chart_rows.clock(data)}"
    for name, (title, label) in PARTS.items():
        log = name == "samples_per_s"
        marked = alt.Axis(values=[10**power for power in range(9)]) if log else alt.Axis()
        m = marks(
            frame,
            axis(alt.X, "samples", "samples of one gradient, log scale", log=True,
                 axis=alt.Axis(values=[4**power for power in range(7)])),
            axis(alt.Y, name, label, log=log, zero=True, axis=marked),
            key, "workload", ("workload", "samples", "samples_per_s", "relative", "gradient_s"),
        )  # fmt: skip
        half = [] if log else [line_at(y=0.5)]
        layers = [*half, m.line(tip=True, strokeWidth=1.8), m.point(size=44, opacity=1)]
        yield panel(layers, title, about, f"{title} against the samples of a gradient, by workload.", key)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: workload, samples, gradient_s, samples_per_s, relative, where measured."""
    frame = data[["gradient_s", "samples_per_s", "relative"]].to_dataframe().reset_index()
    return chart_rows.keep(frame, frame["gradient_s"].notna())


def table(data: xr.Dataset) -> pd.DataFrame:
    """Of each workload: throughput of the smallest and of the largest batch, what one gains, and the fitted line."""
    first, last = data.isel(samples=0), data.isel(samples=-1)
    frame = data[["fixed_s", "sample_s", "half_batch"]].to_dataframe().reset_index()
    for which, at in (("smallest", first), ("largest", last)):
        frame[f"samples_per_s_{which}_batch"] = at.samples_per_s.values
    frame["gain"] = (last.samples_per_s / first.samples_per_s).values
    return chart_rows.short(frame)


def finding(data: xr.Dataset) -> str:
    """How far throughput grows with the batch, and where half of the speed is reached."""
    first, last = data.isel(samples=0), data.isel(samples=-1)
    gain = last.samples_per_s / first.samples_per_s
    low, high = smallest(gain), largest(gain)
    half = data.half_batch
    grown = " to ".join(
        f"{number(gain_of.item())} times ({in_words(gain_of.workload)})" for gain_of in (low, high)
    )
    batches = f"{number(float(half.min()))} to {number(float(half.max()))} samples"
    return (
        f"From {int(first.samples)} to {int(last.samples)} samples at once, throughput grows {grown}. Half of the "
        f"speed of an endless batch takes {batches}, by a straight line through the times."
    )


FIGURE = Figure(
    title="Throughput against the batch, on the measured device",
    reads={"throughput": ("gradient_s", "samples_per_s", "relative", "half_batch")},
    how_to_read=(
        "Were time proportional to the batch, every line would be level. They rise as far as larger tensors use "
        "the device better; in the second panel the dashed line marks half of the best. Each point is the sum "
        "of the medians of the layers' passes."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="half_batch",
)
