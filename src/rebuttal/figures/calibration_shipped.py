"""What PyTorch ships, beside what computes the same here."""

import itertools
from collections.abc import Iterator, Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.clock_runs import PLACE, by_place, key_of, processes, repetitions
from rebuttal.figures.dots import dots
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Panel, axis


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """Measured seconds per update of PyTorch's own and of what computes the same here."""
    frame = chart_rows.some(rows(data), "calibration_shipped")
    x = axis(alt.X, "mean", "measured ms per update", zero=True)
    for place, part in by_place(frame):
        about = f"{repetitions(part)}; mean and 95 % interval; measured clock"
        say = f"Measured milliseconds per update of PyTorch's own and of ours, {place}."
        yield dots(part, place, x, about, say, key_of(data, part, definitions))


def table(data: xr.Dataset) -> pd.DataFrame:
    """The same numbers."""
    return chart_rows.short(rows(data).rename(columns={"mean": "ms per update"}))


def finding(data: xr.Dataset) -> str:
    """Ours over PyTorch's data-parallel form, wherever both were timed."""
    ours, theirs = (
        data.measured_s.sel({"method": name}).median("repetition") for name in ("all_reduce", "ddp")
    )
    ratio = (ours / theirs).sel(stragglers="none")
    places = itertools.product(data.nodes.values, data.workload.values)
    found = {place: float(ratio.sel(nodes=place[0], workload=place[1])) for place in places}
    parts = [
        f"{times:.2f} on {processes(int(nodes))} with {workload} messages"
        for (nodes, workload), times in found.items()
        if np.isfinite(times)
    ]
    return f"Seconds of our all-reduce over those of DistributedDataParallel: {'; '.join(parts)}."


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, PLACE, mean, low, high of the measured ms per update, n: PyTorch's own and their counterparts."""
    pairs = [(str(m), str(c)) for m, c in zip(data.method.values, data.counterpart.values, strict=True) if c]
    wanted = dict.fromkeys(["all_reduce", *(ours for _, ours in pairs), *(theirs for theirs, _ in pairs)])
    shown = [name for name in wanted if name in data.method.values]
    measured = 1e3 * data.measured_s.sel({"method": shown, "stragglers": ["none"]})
    return chart_rows.rows(measured.rename(repetition="seed"), ("method", *PLACE))


FIGURE = Figure(
    title="What PyTorch ships, beside ours",
    reads={"calibration": ("measured_s",)},
    how_to_read=(
        "Further left is quicker. Both train the same model on batches of the same size, on as many processes "
        "with one thread each. Ours notes everything that it does, for a replay to the bit; PyTorch's does not."
    ),
    draw=panels,
    table=table,
    finding=finding,
    across=2,
)
