"""What tuning more gains: the expected error of the best of n learning rates, for every n up to the whole grid."""

from collections.abc import Iterator, Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import metric_of
from rebuttal.evidence import expected_best
from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, many_methods, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import Panel, axis, method_key, panel
from rebuttal.figures.theme import family

SMALLEST = 1e-9  # errors below it are taken for it, where they divide


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, group, trials n, error: of each family the variant with the least error after all trials.

    On the first workload, of each method on the first machine where it was tuned.
    """
    errors = expected_best.best_of_n(chart_rows.where_run(data.isel(workload=[0]), "best_learning_rate"))
    errors = errors.squeeze("workload", drop=True).reset_coords(drop=True)
    last = dict(zip(many_methods.names(data), errors.isel(trials=-1).values.tolist(), strict=True))
    best: dict[str, str] = {}
    for label in sorted((one for one in last if np.isfinite(last[one])), key=last.__getitem__):
        best.setdefault(family(label), label)
    shown = [label for label in last if label in best.values()]
    frame = errors.sel({"method": shown}).rename("error").to_series().dropna().reset_index()
    return many_methods.with_groups(frame)


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """A panel for each group of methods, on axes of one extent."""
    frame = chart_rows.some(rows(data), "tuning_budget")
    metric = metric_of(data.attrs, str(data.workload.values[0]))
    drawn = chart_rows.column(frame, "error")
    ends = (float(drawn.min()), float(drawn.max()))
    key = method_key(list(dict.fromkeys(frame["method"])), definitions)
    for name, part in many_methods.by_group(frame):
        m = marks(
            part.drop(columns="group"),
            axis(alt.X, "trials", "learning rates tried n"),
            axis(alt.Y, "error", f"expected validation {metric.error}", domain=ends, share=metric.is_share),
            key, tip=("method", "trials", "error"),
        )  # fmt: skip
        about = (
            f"{sentences.counted(data.sizes['seed'], 'seed')} used for tuning only; {chart_rows.clock(data)}"
        )
        say = f"Expected validation error of the best of n learning rates, methods {group(name).name}."
        yield panel([m.line(tip=True, point={"size": 24})], group(name).name, about, say, key)


def table(data: xr.Dataset) -> pd.DataFrame:
    """The expected error of each method, a column for each n."""
    wide = rows(data).pivot_table(index="method", columns="trials", values="error", sort=False)
    wide.columns = [f"best of {n}" for n in wide.columns]
    return chart_rows.short(wide.reset_index())


def finding(data: xr.Dataset) -> str:
    """Which method depends most on its tuning, and which least."""
    frame = rows(data)
    gain = {}
    for label, part in frame.groupby("method", sort=False):
        first, *_, last = chart_rows.column(part, "error").tolist()
        gain[str(label)] = first / max(last, SMALLEST)
    most, least = max(gain, key=gain.__getitem__), min(gain, key=gain.__getitem__)
    return (
        f"One rate drawn at random instead of the best of all comes to {gain[most]:.2g} times the error with "
        f"{in_text(most)}, the most of all, and to {gain[least]:.2g} times with {in_text(least)}, the least."
    )


FIGURE = Figure(
    title="What tuning more would gain",
    reads={"tuning": ("validation_loss", "validation_metric", "diverged")},
    how_to_read=(
        "Had only n of the grid's learning rates been tried, drawn at random, and the best of them kept, this "
        "validation error would be expected. A line that is level on the right has been tuned enough; one that "
        "still falls has not. The best rate is the one with the lowest validation loss, so a line rises where "
        "loss and error disagree. Every method had as many trials. Of each method the best variant is drawn. "
        "The checklist at the end has the verdicts for several n."
    ),
    draw=panels,
    table=table,
    finding=finding,
)
