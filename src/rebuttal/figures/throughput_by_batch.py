"""Throughput against the batch, as it was measured on the device whose costs are used."""

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.panel import Panel, axis, colour, dash, panel, plain_key, shape, tips
from rebuttal.figures.theme import SOFT

PARTS = {
    "samples_per_s": ("Samples per second", "samples per second, log scale"),
    "relative": ("Share of the best throughput", "throughput over the largest measured"),
}


def panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Samples per second, and the share of the best, against the samples of a gradient; a line per workload."""
    frame = chart_rows.some(rows(data), "throughput")
    key = plain_key(
        {str(name): "a gradient of so many samples at once, one thread" for name in data.workload.values}
    )
    about = f"{data.attrs['device']}; {chart_rows.clock(data)}"
    found = []
    for name, (title, label) in PARTS.items():
        base = alt.Chart(chart_rows.small(frame))
        x = axis(alt.X, "samples", "samples of one gradient, log scale", log=True,
                 axis=alt.Axis(values=[4**power for power in range(7)]))  # fmt: skip
        log = name == "samples_per_s"
        marks = alt.Axis(values=[10**power for power in range(9)]) if log else alt.Axis()
        y = axis(alt.Y, name, label, log=log, zero=True, axis=marks)
        tip = tips("workload", "samples", "samples_per_s", "relative", "gradient_s")
        line = base.mark_line(strokeWidth=1.8).encode(
            x, y, colour(key, "workload"), dash(key, "workload"), tooltip=tip
        )
        point = base.mark_point(filled=True, size=44, opacity=1).encode(
            x, y, colour(key, "workload"), shape(key, "workload"), tooltip=tip
        )
        layers = [line, point] if name == "samples_per_s" else [_half(), line, point]
        found.append(
            panel(layers, title, about, f"{title} against the samples of a gradient, by workload.", key)
        )
    return found


def _half() -> alt.Chart:
    return alt.Chart(pd.DataFrame({"y": [0.5]})).mark_rule(color=SOFT, strokeDash=[2, 2]).encode(y="y:Q")


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: workload, samples, gradient_s, samples_per_s, relative, where measured."""
    chart_rows.need(data, "throughput", ["gradient_s", "samples_per_s", "relative"])
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
