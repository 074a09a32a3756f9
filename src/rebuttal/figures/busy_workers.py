"""How busy workers are: the share of the run in which they compute."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.dots import dots
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Panel, axis, method_key, there
from rebuttal.figures.single_seeds import renamed, seed_rows
from rebuttal.figures.theme import words


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: machine, method, mean, low, high of the utilisation, n, and the share of gradients dropped."""
    first = chart_rows.pick(data, "workload")
    frame = seed_rows(first.utilisation, ("machine", "method"))
    share = first.gradients_dropped.sum("seed") / first.gradients_computed.sum("seed")
    frame["dropped_share"] = chart_rows.flat_values(share, frame, ("machine", "method"))
    return frame


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """The share of time in which workers compute, per method and machine."""
    frame = chart_rows.some(rows(data), "utilisation")
    x = axis(alt.X, "mean", "utilisation (share of time)", zero=True)
    every = method_key(list(dict.fromkeys(frame["method"])), definitions, "point")
    for machine, part in frame.groupby("machine", sort=False):
        key = there(every, part["method"])
        about = f"{chart_rows.seeds(part)}; mean over workers, 95 % interval; {chart_rows.clock(data)}"
        say = f"Share of time in which workers compute on {machine}, for {len(key)} methods."
        yield dots(part, words(str(machine)), x, about, say, key)


def table(data: xr.Dataset) -> pd.DataFrame:
    """The dots of the figure, with the share of gradients dropped."""
    return chart_rows.short(renamed(rows(data), mean="utilisation"))


FIGURE = Figure(
    title="How busy the workers are",
    reads={"summaries": ("utilisation", "gradients_dropped", "gradients_computed")},
    how_to_read=(
        "The share of the run in which workers compute gradients, dropped ones included: a busy worker is not "
        "yet a useful one. The data table has the share that was dropped."
    ),
    draw=panels,
    table=table,
    suits="staleness_count",
)
