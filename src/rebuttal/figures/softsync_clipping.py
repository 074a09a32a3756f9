"""Ways to live with stragglers side by side: the error at the end, and the seconds to the target."""

from collections.abc import Iterator, Mapping

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import metric_of
from rebuttal.evidence import datasets
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.dots import dots
from rebuttal.figures.error_curves import main_methods
from rebuttal.figures.figure_record import TIMES, Figure
from rebuttal.figures.panel import Panel, axis, method_key, there
from rebuttal.figures.sentences import Compared, on
from rebuttal.figures.single_seeds import of_seeds, seed_rows, wide
from rebuttal.figures.targets import TARGET, at_verdicts, reached
from rebuttal.figures.theme import family, words

ANSWERS = (
    "synchronous",
    "backup_workers",
    "k_sync",
    "softsync",
    "softsync_aware",
    "asynchronous",
    "asynchronous_clipped",
)


def rows(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Rows: workload, method, measure (error, seconds), mean, low, high, n. First machine, tuned rate.

    The columns multiple and standard of seconds as in `backups_effect.rows`; an error has no target and stands at all.
    """
    labels = [label for label in main_methods(data) if family(label) in ANSWERS]
    chosen = chart_rows.pick(data.sel({"method": labels}), "machine")
    error = seed_rows(_final_error(chart_rows.pick(chosen, "rate", "tuned")), ("workload", "method"))
    seconds = seed_rows(reached(chosen, targets).seconds, ("workload", "method", "multiple"))
    both = [
        error.assign(measure="error", standard=True),
        at_verdicts(seconds, targets).assign(measure="seconds"),
    ]
    return pd.concat(both, ignore_index=True)


def _final_error(data: xr.Dataset) -> xr.DataArray:
    return datasets.error(datasets.final(data), data)


def panels(
    data: xr.Dataset, targets: xr.DataArray, definitions: Mapping[str, str] | None = None
) -> Iterator[Panel]:
    """Ways to live with stragglers side by side: the error at the end, and the seconds to the target."""
    frame = chart_rows.some(rows(data, targets), "softsync_clipping")
    key = method_key(list(dict.fromkeys(frame["method"])), definitions, "point")
    for name, measure, part in chart_rows.groups(frame, "workload", "measure"):
        metric, at_end = metric_of(data.attrs, name), measure == "error"
        titles = {
            "error": f"test {metric.error_at_end}",
            "seconds": "seconds to the target (s), log scale",
        }
        title = f"{words(name)}: {titles[measure].split(' (')[0]}"
        here = chart_rows.keep(part, part["standard"])
        tried = there(key, tried_on(frame, name))
        lost = [entry.name for entry in tried if entry.label not in set(here["method"])]
        missed = f"; missed the target: {', '.join(lost)}" if lost else ""
        about = f"{chart_rows.seeds(here)}; mean and 95 % interval{missed}; {chart_rows.clock(data)}"
        x = axis(alt.X, "mean", titles[measure].split(", "), log=not at_end, share=at_end and metric.is_share)
        drawn = part.drop(columns=["multiple", "standard"]) if at_end else part
        yield dots(drawn, title, x, about, f"{title}, {len(tried)} methods.", tried)


def tried_on(frame: pd.DataFrame, workload: str) -> list[str]:
    """The methods that were run on a workload: those with an error at the end, target reached or not."""
    mine = (frame["workload"] == workload) & (frame["measure"] == "error")
    return [str(label) for label in frame["method"][mine]]


def finding(data: xr.Dataset, targets: xr.DataArray, compared: Compared | None = None) -> str:
    """Who is at the target first and how much sooner; whose error is lowest at the end, and how much lower."""
    frame = chart_rows.some(rows(data, targets), "softsync_clipping")
    frame = chart_rows.keep(frame, frame["standard"])
    errors = chart_rows.keep(frame, frame["measure"] == "error")
    name = str(errors["workload"].iloc[0])
    error, seconds = (
        chart_rows.keep(part, part["workload"] == name)
        for part in (errors, chart_rows.keep(frame, frame["measure"] == "seconds"))
    )
    kept = seconds[["method", "mean", "low", "high", "n", *of_seeds(seconds, "mean")]]
    timed = error[["method", "n"]].merge(kept, "left", "method", suffixes=("_of", ""))
    timed["missed"] = timed["n_of"] - timed["n"].fillna(0)
    compared = compared or ((), ("synchronous",))
    metric, where = metric_of(data.attrs, name), on(name, chart_rows.pick(data, "machine").machine.item())
    level = float(targets.sel(workload=name).sel(target=TARGET, method="nearest"))
    said = sentences.sooner(*sentences.two(timed, compared), sentences.goal(level, metric), where)
    lowest = sentences.lower(
        *sentences.two(error, compared),
        f"the test {metric.error} at the end",
        sentences.unit_of(metric),
        where,
    )
    return f"{said} {lowest}"


def table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """The dots of the figure: the errors beside the seconds to each target."""
    frame = rows(data, targets)
    timed = chart_rows.keep(frame, frame["measure"] == "seconds")
    goals = pd.DataFrame(timed[["multiple", "standard"]]).drop_duplicates()
    errors = chart_rows.keep(frame, frame["measure"] == "error").drop(columns=["multiple", "standard"])
    both = pd.concat([errors.merge(goals, how="cross"), timed], ignore_index=True)
    found = wide(both, ["workload", "method", "multiple", "standard"], "measure")
    return chart_rows.short(found, most=len(found))


FIGURE = Figure(
    title="Other ways to handle stragglers",
    needs=("curves", "targets"),
    reads=TIMES,
    how_to_read=(
        "Further left is better in both panels of a workload: the error at the end of training, and the seconds "
        "to the target. A method without a dot in the second did not reach the target."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
)
