"""Staleness: what it does to the error, and how it is distributed."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.base.errors import InputError
from rebuttal.core.metrics import metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Panel, axis, colour, panel, plain_key
from rebuttal.figures.sentences import Row
from rebuttal.figures.single_seeds import renamed, seed_rows
from rebuttal.figures.theme import family, option, words

RATES = {
    "tuned": "the learning rate is tuned anew for each staleness, with the same budget",
    "shared": "one learning rate, untuned, for every staleness",
}

AT = {"tuned": "with the rate tuned for each", "shared": "at one learning rate for all"}


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
        m = marks(
            part.drop(columns="delayed").dropna(subset=["mean"]),
            axis(alt.X, "k", "staleness k (updates)", zero=True),
            axis(alt.Y, "mean", f"test {metric.error_at_end}", zero=True, share=metric.is_share),
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


def finding(data: xr.Dataset) -> str:
    """How much the error rises from the least to the most staleness, at one rate and at a rate tuned for each."""
    frame = rows(data)
    places = list(chart_rows.groups(frame, "workload", "delayed"))
    name, delayed, part = max(places, key=lambda place: place[2]["k"].nunique())
    lines = {rate: chart_rows.keep(part, part["rate"] == rate) for rate in reversed(RATES)}
    ends = {rate: _ends(line) for rate, line in lines.items() if len(line)}
    metric = metric_of(data.attrs, name)
    unit, (fewest, most) = sentences.unit_of(metric), next(iter(ends.values()))
    if fewest["k"] == most["k"]:
        at = [f"{sentences.value(last, unit)} {AT[rate]}" for rate, (_, last) in ends.items()]
        late = sentences.counted(int(fewest["k"]), "update")
        error = f"the test {metric.error} at the end is {' and '.join(at)}"
        return f"With {late} of staleness {error} ({delayed}, {words(name)})."
    gaps = {rate: sentences.apart(last, least) for rate, (least, last) in ends.items()}
    rises = [f"{sentences.gap(one, unit)} {AT[rate]}" for rate, one in gaps.items()]
    lost = sum(int(last["diverged"]) for _, last in ends.values())
    diverged = f" {sentences.counted(lost, 'run')} with the most staleness diverged." if lost else ""
    return (
        f"From {fewest['k']:g} to {most['k']:g} updates of staleness the test {metric.error} at the end changes by "
        f"{' and by '.join(rises)} ({delayed}, {words(name)}).{diverged}"
    )


def _ends(part: pd.DataFrame) -> tuple[Row, Row]:
    """The rows of the least and of the most staleness."""
    return sentences.extreme(part, "k"), sentences.extreme(part, "k", most=True)


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
    finding=finding,
)
