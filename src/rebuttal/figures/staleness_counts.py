"""How stale applied gradients are."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, method_key, panel
from rebuttal.figures.sentences import Compared, Row, on
from rebuttal.figures.single_seeds import seed_rows
from rebuttal.figures.theme import family

SHOWN = 0.99  # share of the gradients that the distribution draws; its tail can be as long as the run


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, staleness, share of the applied gradients with that staleness."""
    first = chart_rows.pick(chart_rows.where_run(data, "staleness_mean"), "workload")
    labels = [label for label in first.method.values if family(str(label)) != "delayed"]
    count = first.staleness_count.sel({"method": labels})
    share = (count / count.sum("staleness")).rename("share").to_series().reset_index()
    return chart_rows.keep(share, chart_rows.column(share, "share") > 0)


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """How often a gradient of each staleness was applied; methods without staleness are one phrase, no line."""
    frame = chart_rows.some(rows(data), "staleness_distribution")
    stale = list(dict.fromkeys(chart_rows.column(frame, "method")[chart_rows.column(frame, "staleness") > 0]))
    fresh = without_staleness(list(dict.fromkeys(map(str, frame["method"]))), stale)
    part = _body(chart_rows.keep(frame, frame["method"].isin(stale)) if stale else frame)
    key = method_key(list(dict.fromkeys(part["method"])), definitions)
    m = marks(
        part,
        axis(alt.X, "staleness", "staleness (updates between read and write)", zero=True),
        axis(alt.Y, "share", "share of applied gradients", zero=True),
        key, tip=("method", "staleness", "share"),
    )  # fmt: skip
    notes = [f"all seeds together, {SHOWN:.0%} of the gradients", chart_rows.clock(data)]
    notes += [f"always 0: {', '.join(fresh)}"] if stale and fresh else []
    say = f"Distribution of staleness for {len(key)} methods."
    return [
        panel(
            [m.line(tip=True, interpolate="step")],
            "staleness of applied gradients",
            "; ".join(notes),
            say,
            key,
        )
    ]


def without_staleness(labels: Sequence[str], stale: Sequence[str]) -> list[str]:
    """The methods without staleness, in words; the variant too where another variant of the method has some."""
    mixed = {family(label) for label in stale}
    fresh = [label for label in labels if label not in stale]
    return list(dict.fromkeys(in_text(one if family(one) in mixed else family(one)) for one in fresh))


def _body(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the far tail: up to the staleness that SHOWN of each method's gradients do not exceed."""
    ends = []
    for _, part in frame.groupby("method", sort=False):
        reached = np.cumsum(chart_rows.column(part, "share")) >= SHOWN - 1e-9
        ends.append(chart_rows.column(part, "staleness")[reached.argmax()])
    return chart_rows.keep(frame, chart_rows.column(frame, "staleness") <= max(ends))


def finding(data: xr.Dataset, compared: Compared | None = None) -> str:
    """How old the gradients of the stalest method are, beside another's; how many methods use fresh ones alone."""
    first = chart_rows.pick(chart_rows.where_run(data, "staleness_mean"), "workload")
    labels = list(dict.fromkeys(map(str, rows(data)["method"])))
    mean = seed_rows(first.staleness_mean.sel({"method": labels}), ("method",))
    fresh = sentences.how_many(mean["mean"] == 0)
    stale = chart_rows.keep(mean, mean["mean"] > 0)
    counted = f"{fresh} of {sentences.counted(len(mean), 'method')} apply fresh gradients alone"
    if stale.empty:
        return f"{counted}."
    stalest, _ = sentences.two(stale, None, highest=True)
    pair = sorted(filter(None, sentences.two(mean, compared)), key=lambda row: row["mean"])
    other, one = pair if compared and len(pair) == 2 and pair[1]["mean"] else (None, stalest)
    its = first.sel({"method": one["method"]})
    oldest, end = float(its.staleness_max.max()), float(its.staleness_q95.mean("seed"))
    beside = f", the most of {sentences.counted(len(mean), 'method')}"
    if other is not None:
        beside = f", {_old(other) if other['mean'] else 'and 0'} with {other['name']}"
    where = on(its.workload.item(), its.machine.item())
    return (
        f"With {one['name']} an applied gradient is {_old(one)} old on average{beside} ({where}). Of its gradients "
        f"95 % are at most {sentences.three(end)} and the oldest is {sentences.three(oldest)}; {counted}."
    )


def _old(row: Row) -> str:
    """'14.9 updates [14.8, 15]'."""
    return f"{sentences.three(row['mean'])} updates{sentences.between(row['low'], row['high'])}"


def table(data: xr.Dataset) -> pd.DataFrame:
    """Mean, 95 % quantile and largest staleness of every method, over seeds."""
    first = chart_rows.pick(chart_rows.where_run(data, "staleness_mean"), "workload")
    names = ["staleness_mean", "staleness_q95", "staleness_max"]
    means = first[names].mean("seed")
    means["dropped_share"] = first.gradients_dropped.sum("seed") / first.gradients_computed.sum("seed")
    frame = means.drop_vars([name for name in means.coords if name != "method"]).to_dataframe()
    return chart_rows.short(frame.dropna(subset=["staleness_mean"]).reset_index())


FIGURE = Figure(
    title="How stale the applied gradients are",
    reads={
        "summaries": (
            "staleness_count",
            "staleness_mean",
            "staleness_q95",
            "staleness_max",
            "gradients_dropped",
        )
    },
    how_to_read=(
        "Staleness is the number of updates made between the reading of the weights and the use of the "
        "gradient. Methods that apply only fresh gradients are named in the line under the title. The far tail "
        "is cut; the table has the largest."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
)
