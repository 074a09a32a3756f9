"""How far the virtual clock's predictions of real runs are off, method by method."""

from collections.abc import Iterator, Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows
from rebuttal.figures.clock_runs import (
    AGAINST,
    PLACE,
    by_place,
    key_of,
    processes,
    repetitions,
    support,
)
from rebuttal.figures.dots import dots
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Panel, axis


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """How far the prediction of every method is off, a panel for each number of nodes and kind of run."""
    frame = chart_rows.some(rows(data), "calibration_error")
    x = axis(alt.X, "mean", ["predicted over measured seconds", "per update, minus 1 (%)"], zero=True)
    for place, part in by_place(frame):
        key = key_of(data, part, definitions)
        about = f"{repetitions(part)}; mean and 95 % interval; {AGAINST}"
        say = f"Error of the predicted seconds per update of {len(part)} methods, {place}."
        yield dots(part, place, x, about, say, key, line=0)


def table(data: xr.Dataset) -> pd.DataFrame:
    """The methods with the largest errors."""
    frame = rows(data)
    largest_first = np.argsort(-np.abs(chart_rows.column(frame, "mean")), kind="stable")
    return chart_rows.short(frame.iloc[largest_first].rename(columns={"mean": "error (%)"}))


def finding(data: xr.Dataset) -> str:
    """The middle and the largest absolute error, without stragglers and with."""
    frame = rows(data)
    parts = []
    for nodes, stragglers, part in chart_rows.groups(frame, "nodes", "stragglers"):
        off = part["mean"].abs()
        worst = part.loc[off.idxmax()]
        kind = "without stragglers" if stragglers == "none" else "with injected stragglers"
        parts.append(
            f"On {processes(int(nodes))}, {kind}, the median of the absolute errors is {off.median():.0f} %; the "
            f"largest is {off.max():.0f} % ({in_text(str(worst['method']))}, {worst['workload']} messages)."
        )
    return " ".join([*parts, support(data)])


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, PLACE, mean, low, high of the relative error in per cent, n repetitions."""
    off = 100 * (data.predicted_s / data.measured_s - 1)
    return chart_rows.rows(off.rename(repetition="seed"), ("method", *PLACE))


FIGURE = Figure(
    title="Error of the predicted seconds per update",
    reads={"calibration": ("predicted_s", "measured_s")},
    how_to_read=(
        "A dot at zero is a prediction that came true; left of it the virtual clock is too quick, right of it "
        "too slow. Each repetition measures the costs of this host anew, predicts every run from them and then "
        "makes it. A wide interval says that the host was not the same from one repetition to the next."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="predicted_s",
    across=2,
)
