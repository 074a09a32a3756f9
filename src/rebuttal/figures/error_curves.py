"""How the error falls against seconds, updates and epochs."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import Metric, metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, method_key, panel, there
from rebuttal.figures.sentences import Compared, on
from rebuttal.figures.single_seeds import of_seeds, renamed, seed_rows, with_seeds
from rebuttal.figures.theme import family, words

AXES = {"seconds": "seconds (s), log scale", "update": "updates, log scale", "epoch": "epochs"}
NAMES = {"seconds": "seconds", "update": "updates", "epoch": "epochs"}
FLOOR = 1e-4  # an error of zero has no logarithm; it is drawn here


def main_methods(data: xr.Dataset) -> list[str]:
    """One variant of each family: the one with the best validation result at the end (the test set is not asked).

    Delayed gradients are left out, unless there is nothing else: they have a figure of their own.
    """
    last = datasets.error(data.validation_metric.isel(point=-1), data)
    error = last.mean([dim for dim in last.dims if dim != "method"]).to_series().dropna().to_dict()
    chosen: dict[str, str] = {}
    for label in map(str, error):
        best = chosen.get(family(label))
        if best is None or error[label] < error[best]:
            chosen[family(label)] = label
    return [label for name, label in chosen.items() if name != "delayed"] or list(map(str, error))


def panels(data: xr.Dataset, definitions: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """Test error for each workload: against seconds on each machine, and against updates and epochs."""
    chosen = chart_rows.pick(data.sel({"method": main_methods(data)}), "rate", "tuned")
    every = method_key([str(label) for label in chosen.method.values], definitions)
    for name in chosen.workload.values:
        at = chosen.sel(workload=name)
        drawn = {str(machine): curve_rows(at.sel(machine=machine)) for machine in at.machine.values}
        first = next(iter(drawn))
        shown = [(machine, "seconds") for machine in drawn] + [(first, "update"), (first, "epoch")]
        for machine, x in shown:
            metric = metric_of(data.attrs, str(name))
            place = f"{words(str(name))}: {metric.error} against {NAMES[x]}"
            title = f"{place} on {words(machine)}" if x == "seconds" else place
            key = there(every, chart_rows.some(drawn[machine], "convergence")["method"])
            yield _one(drawn[machine], x, title, chart_rows.clock(data), key, metric)


def _one(
    frame: pd.DataFrame, x: str, title: str, clock: str, key: tuple[Entry, ...], metric: Metric
) -> Panel:
    """One workload on one machine against one axis."""
    log = x != "epoch"
    shown = pd.DataFrame(frame[["method", x, "mean", "low", "high", *of_seeds(frame, "mean", x)]])
    m = marks(
        chart_rows.keep(shown, chart_rows.column(shown, x) > (0 if log else -1)),
        axis(alt.X, x, AXES[x], log=log),
        axis(alt.Y, "mean", f"test {metric.error}, log scale", log=True, share=metric.is_share),
        key, tip=("method", x, alt.Tooltip("mean:Q", title=f"test {metric.error}"), "low:Q", "high:Q"),
    )  # fmt: skip
    about = f"{chart_rows.seeds(frame)}; mean and 95 % interval; {clock}"
    return panel([m.band(), m.line(tip=True)], title, about, _say(frame, title), key)


def curve_rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows of one workload and machine: method, point, mean, low, high of the test error, n; seconds, update, epoch."""
    frame = seed_rows(datasets.error(data.test_metric, data).clip(min=FLOOR), ("method", "point"))
    for name in AXES:
        frame[name] = chart_rows.flat_values(data[name].mean("seed"), frame, ("method", "point"))
    frame = with_seeds(frame, "seconds", data.seconds, ("method", "point"))
    frame["low"] = frame["low"].clip(
        lower=FLOOR
    )  # the interval of a mean may reach below what a logarithm can show
    return frame


def _say(frame: pd.DataFrame, title: str) -> str:
    last = frame.groupby("method", sort=False)["mean"].last()
    best = words(str(last.idxmin()))
    return f"{title}. Lines for {len(last)} methods; at the end the lowest error is that of {best}."


def _ends(data: xr.Dataset) -> tuple[xr.Dataset, pd.DataFrame]:
    """What is drawn at the tuned rate; rows: workload, machine, method, mean, low, high of the error at its end, n."""
    tuned = chart_rows.pick(data.sel({"method": main_methods(data)}), "rate", "tuned")
    error = datasets.error(tuned.test_metric.isel(point=-1), tuned)
    return tuned, seed_rows(error, ("workload", "machine", "method"))


def finding(data: xr.Dataset, compared: Compared | None = None) -> str:
    """Whose error is lower at the end and by how much, in the first place; in how many places it is so."""
    places = list(chart_rows.groups(_ends(data)[1], "workload", "machine"))
    workload, machine, part = places[0]
    metric = metric_of(data.attrs, workload)
    first, second = sentences.two(part, compared)
    said = sentences.lower(
        first, second, f"the test {metric.error} at the end", sentences.unit_of(metric), on(workload, machine)
    )
    return said + sentences.elsewhere([part for *_, part in places], first, second, "lower")


def table(data: xr.Dataset) -> pd.DataFrame:
    """The end of every curve at the tuned rate: test error with interval, learning rate, diverged runs."""
    tuned, frame = _ends(data)
    order = ("workload", "machine", "method")
    frame["learning_rate"] = chart_rows.flat_values(tuned.learning_rate, frame, order)
    frame["diverged"] = chart_rows.flat_values(tuned.diverged_at.notnull().sum("seed"), frame, order)
    frame["seconds"] = chart_rows.flat_values(tuned.seconds.isel(point=-1).mean("seed"), frame, order)
    return chart_rows.short(renamed(frame, mean="test_error"))


FIGURE = Figure(
    title="Test error against seconds, updates and epochs",
    reads={
        "curves": (
            "test_metric",
            "validation_metric",
            "seconds",
            "update",
            "epoch",
            "learning_rate",
            "diverged_at",
        )
    },
    how_to_read=(
        "Lower and further left is better. Each line is the mean over seeds at the method's own tuned learning "
        "rate, its band the interval of that mean. The seconds are the same runs on each machine's clock: a "
        "method may need more updates and yet be faster, or the other way round. Of a method with several "
        "variants, the one with the best validation accuracy is drawn; the test set is not asked."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
    suits="test_metric",
)
