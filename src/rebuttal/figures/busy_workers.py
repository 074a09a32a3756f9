"""How busy workers are: the share of the run in which they compute."""

from collections.abc import Iterator, Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.dots import dots
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.panel import Panel, axis, method_key, there
from rebuttal.figures.sentences import SHARE, Compared, on
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
        say = f"Share of time in which workers compute on {words(str(machine))}, for {len(key)} methods."
        yield dots(part, words(str(machine)), x, about, say, key)


def finding(data: xr.Dataset, compared: Compared | None = None) -> str:
    """Whose workers compute more of the time and by how much, in the first place; the least and the most of all."""
    frame = chart_rows.some(rows(data), "utilisation")
    part = chart_rows.keep(frame, frame["machine"] == frame["machine"].iloc[0])
    where = on(chart_rows.pick(data, "workload").workload.item(), part["machine"].iloc[0])
    ends = [sentences.extreme(part, most=most) for most in (False, True)]
    low, high = (f"{sentences.three(100 * row['mean'])} % with {in_text(str(row['method']))}" for row in ends)
    first, second = sentences.two(part, compared, highest=True)
    if compared is None or second is None:
        return f"The time in which workers compute is from {low} to {high} ({where})."
    gap = sentences.apart(first, second)
    size = gap.estimate if np.isfinite(gap.estimate) else first["mean"] - second["mean"]
    by = f"{sentences.amount(abs(size), SHARE)}{sentences.sized(gap, SHARE.factor)} {'more' if size >= 0 else 'less'}"
    lost = first["dropped_share"]
    dropped = f" The first drops {sentences.three(100 * lost)} % of its gradients." if lost > 0 else ""
    return (
        f"With {first['name']} workers compute {sentences.value(first, SHARE)} of the time, {by} than with "
        f"{second['name']} ({where}).{dropped} The least of all is {low}, the most {high}."
    )


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
    finding=finding,
    of_paper=True,
    suits="staleness_count",
)
