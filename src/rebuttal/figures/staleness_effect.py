"""Staleness: what it does to the error, and how it is distributed."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.base.errors import InputError
from rebuttal.core.metrics import metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows
from rebuttal.figures.panel import Panel, axis, colour, dash, method_key, panel, plain_key, shape, tips
from rebuttal.figures.single_seeds import renamed, seed_rows
from rebuttal.figures.theme import family, in_text, option, words

SHOWN = 0.99  # share of the gradients that the distribution draws; its tail can be as long as the run
RATES = {
    "tuned": "the learning rate is tuned anew for each staleness, with the same budget",
    "shared": "one learning rate, untuned, for every staleness",
}


def error_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: workload, rate, method, delayed, staleness k, mean, low, high of the final test error, n, diverged.

    delayed: the method whose variants the delays are, in words.
    """
    chart_rows.need(data, "staleness_error", ["test_metric", "diverged_at"])
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


def error_panels(data: xr.Dataset, definitions: object = None) -> list[Panel]:
    """Test error at the end against the staleness of every gradient, at the tuned and at the shared rate."""
    frame = chart_rows.some(error_rows(data), "staleness_error")
    key, found = plain_key(RATES), []
    for name, delayed, part in chart_rows.groups(frame, "workload", "delayed"):
        base = alt.Chart(chart_rows.small(part.drop(columns="delayed").dropna(subset=["mean"])))
        x = axis(alt.X, "k", "staleness k (updates)", zero=True)
        metric = metric_of(data.attrs, name)
        at_end = metric.error_axis.replace("error", "error at the end")
        y = axis(alt.Y, "mean", f"test {at_end}", zero=True)
        tip = tips(
            "rate", "k", alt.Tooltip("mean", title=f"test {metric.error}"), "low", "high", "n", "diverged"
        )
        band = base.mark_area(opacity=0.14).encode(x, alt.Y("low:Q"), alt.Y2("high"), colour(key, "rate"))
        line = base.mark_line().encode(x, y, colour(key, "rate"), dash(key, "rate"))
        point = base.mark_point(filled=True, opacity=1, size=48).encode(
            x, y, colour(key, "rate"), shape(key, "rate"), tooltip=tip
        )
        lost = base.transform_filter("datum.diverged > 0").mark_text(dy=-12, fontSize=11).encode(
            x, y, text=alt.Text("label:N"), color=colour(key, "rate")).transform_calculate(
            label="datum.diverged + ' diverged'")  # fmt: skip
        counted = "a diverged run counts as untrained"
        about = f"{chart_rows.seeds(part)}; mean and 95 % interval; {counted}; {chart_rows.clock(data)}"
        ends = f"from {part['k'].min():g} to {part['k'].max():g} updates"
        say = f"Test error at the end of {delayed} against staleness {ends}, at a tuned and at a shared learning rate."
        found.append(panel([band, line, point, lost], f"{delayed}, {words(name)}", about, say, key))
    return found


def error_table(data: xr.Dataset) -> pd.DataFrame:
    """The points of the figure."""
    return chart_rows.short(renamed(error_rows(data), mean="test_error"))


def count_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: method, staleness, share of the applied gradients with that staleness."""
    chart_rows.need(data, "staleness_distribution", ["staleness_count", "staleness_mean"])
    first = chart_rows.pick(chart_rows.where_run(data, "staleness_mean"), "workload")
    labels = [label for label in first.method.values if family(str(label)) != "delayed"]
    count = first.staleness_count.sel({"method": labels})
    share = (count / count.sum("staleness")).rename("share").to_series().reset_index()
    return chart_rows.keep(share, chart_rows.column(share, "share") > 0)


def count_panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> list[Panel]:
    """How often a gradient of each staleness was applied; methods without staleness are one phrase, no line."""
    frame = chart_rows.some(count_rows(data), "staleness_distribution")
    stale = list(dict.fromkeys(chart_rows.column(frame, "method")[chart_rows.column(frame, "staleness") > 0]))
    fresh = without_staleness(list(dict.fromkeys(map(str, frame["method"]))), stale)
    part = _body(chart_rows.keep(frame, frame["method"].isin(stale)) if stale else frame)
    key = method_key(list(dict.fromkeys(part["method"])), definitions)
    base = alt.Chart(chart_rows.small(part))
    x = axis(alt.X, "staleness", "staleness (updates between read and write)", zero=True)
    y = axis(alt.Y, "share", "share of applied gradients", zero=True)
    line = base.mark_line(interpolate="step").encode(
        x, y, colour(key), dash(key), tooltip=tips("method", "staleness", "share")
    )
    notes = [f"all seeds together, {SHOWN:.0%} of the gradients", chart_rows.clock(data)]
    notes += [f"always 0: {', '.join(fresh)}"] if stale and fresh else []
    say = f"Distribution of staleness for {len(key)} methods."
    return [panel([line], "staleness of applied gradients", "; ".join(notes), say, key)]


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


def count_table(data: xr.Dataset) -> pd.DataFrame:
    """Mean, 95 % quantile and largest staleness of every method, over seeds."""
    first = chart_rows.pick(chart_rows.where_run(data, "staleness_mean"), "workload")
    names = ["staleness_mean", "staleness_q95", "staleness_max"]
    means = first[names].mean("seed")
    means["dropped_share"] = first.gradients_dropped.sum("seed") / first.gradients_computed.sum("seed")
    frame = means.drop_vars([name for name in means.coords if name != "method"]).to_dataframe()
    return chart_rows.short(frame.dropna(subset=["staleness_mean"]).reset_index())
