"""When every method reaches one target on the machine's clock, sorted within groups, beside the baseline."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import metric_of
from rebuttal.evidence.naming import in_text
from rebuttal.figures import chart_rows, many_methods, sentences, time_to_target
from rebuttal.figures.figure_record import TIMES, Figure
from rebuttal.figures.many_dots import dots
from rebuttal.figures.method_groups import group
from rebuttal.figures.panel import Panel
from rebuttal.figures.sentences import Compared
from rebuttal.figures.single_seeds import of_seeds
from rebuttal.figures.targets import TARGET

AXIS = ["seconds to the target (s)", "log scale"]
LINE = "the median of its seconds, as a line in every group"


def rows(data: xr.Dataset, targets: xr.DataArray, every: bool = False) -> pd.DataFrame:
    """Rows: method, group, mean (median seconds), low, high (fastest, slowest), n, missed, reached, target; sorted.

    `mean` of a variant whose runs missed the target by more than half is where they ended: a lower bound; `reached`
    is False there, and those come last. On the first workload and machine. every: at every target of the sweep, with
    the columns multiple and standard, in the place of the one that verdicts use.
    """
    here = many_methods.one_place(data)
    chosen = data.sel({name: [here[name].item()] for name in ("workload", "machine") if name in data.dims})
    goals = targets.sel(workload=[here.workload.item()])
    frame = time_to_target.rows(chosen, goals, many_methods.names(here))
    if not every:
        frame = chart_rows.keep(frame, np.isclose(chart_rows.column(frame, "multiple"), TARGET))
    frame["reached"] = np.isfinite(chart_rows.column(frame, "seconds"))
    frame["mean"] = np.where(frame["reached"], frame["seconds"], frame["at_least"])
    singles = {name: name.replace("seconds", "mean") for name in of_seeds(frame)}
    frame = frame.rename(columns={"fastest": "low", "slowest": "high"} | singles)
    frame["standard"] = np.isclose(chart_rows.column(frame, "multiple"), TARGET)
    kept = ["method", "mean", "low", "high", "n", "missed", "reached", "target"]
    kept += [*of_seeds(frame), *["multiple", "standard"] * every]
    order = np.lexsort(
        [
            chart_rows.column(frame, "mean"),
            ~chart_rows.column(frame, "reached"),
            ~chart_rows.column(frame, "standard"),
        ]
    )
    return many_methods.with_groups(pd.DataFrame(frame[kept]).iloc[order])


def panels(
    data: xr.Dataset, targets: xr.DataArray, definitions: Mapping[str, str] | None = None
) -> Iterator[Panel]:
    """A panel for each group, all with the same axis; where most runs missed, the word stands beside the end."""
    frame = chart_rows.some(rows(data, targets, every=True), "method_times")
    at = chart_rows.keep(frame, frame["reached"])
    known = many_methods.baseline_entries(list(dict.fromkeys(at["method"])), LINE)
    lines = [(one, _places(at, one.label)) for one in known]
    domain = many_methods.extent(frame)
    hollow = "hollow: most runs missed it, drawn where they ended"
    seeds = chart_rows.seeds(chart_rows.keep(frame, frame["standard"]))
    about = f"{seeds}; median and range; {hollow}; {chart_rows.clock(data)}"
    here = many_methods.where(many_methods.one_place(data))
    for key, part in many_methods.by_group(frame):
        verdict = chart_rows.keep(part, part["standard"])
        arrived = int(chart_rows.column(verdict, "reached").sum())
        counted = f"{arrived} of {len(verdict)} variants reached it"
        say = f"Seconds to the target on {here}, methods {group(key).name}: {counted}."
        yield dots(_where_reached(part), key, (AXIS, domain), about, say, lines, _missed(part))


def _places(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """Where a method's line stands, at every target: columns at, multiple, standard."""
    mine = chart_rows.keep(frame, frame["method"] == label).rename(columns={"mean": "at"})
    return pd.DataFrame(mine[["at", "multiple", "standard"]])


def _missed(part: pd.DataFrame) -> pd.DataFrame:
    """The rows of methods that missed, with where they ended; of a single seed, where that one missed."""
    found = chart_rows.keep(part, ~part["reached"]).assign(note="missed")
    for name in of_seeds(found):
        found[name] = found["mean"].where(found[name].isna())
    return found


def _where_reached(part: pd.DataFrame) -> pd.DataFrame:
    """Without dot and interval for a variant that missed: its row has the hollow mark alone."""
    found = part.copy()
    found.loc[~chart_rows.column(part, "reached"), ["mean", "low", "high"]] = np.nan
    return found


def finding(data: xr.Dataset, targets: xr.DataArray, compared: Compared | None = None) -> str:
    """Who is at the target sooner and how many times; the quickest of all; what the target is, how many reach it."""
    frame = rows(data, targets)
    here = many_methods.one_place(data)
    goal = sentences.goal(float(frame["target"].iloc[0]), metric_of(data.attrs, here.workload.item()))
    arrived = sentences.how_many(frame["reached"])
    timed = frame.assign(mean=frame["mean"].where(frame["reached"]))
    first, second = sentences.two(timed, compared)
    text = sentences.sooner(first, second, goal, many_methods.where(here))
    if arrived:
        quick = sentences.extreme(timed)
        if quick["method"] != first["method"]:
            after = sentences.three(quick["mean"])
            text += f" The quickest of all takes {after} s, with {in_text(str(quick['method']))}."
    return (
        f"{text} The target is at {TARGET:g} times the validation error of the tuned baseline; {arrived} of "
        f"{len(frame)} variants reach it on most seeds."
    )


def table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Every variant, sorted within groups; seconds are missing where most runs missed the target."""
    frame = rows(data, targets, every=True)
    frame = frame.sort_values("standard", ascending=False, kind="stable", ignore_index=True)
    found = pd.DataFrame(
        {
            "group": [group(key).name for key in frame["group"]],
            "method": frame["method"],
            "seconds": frame["mean"].where(frame["reached"]),
            "fastest": frame["low"],
            "slowest": frame["high"],
            "ended_after": frame["mean"].where(~frame["reached"]),
            "missed": frame["missed"],
            "n": frame["n"],
            "multiple": frame["multiple"],
            "standard": frame["standard"],
        }
    )
    columns = of_seeds(frame)
    single = pd.DataFrame(frame[columns]).set_axis(
        [name.replace("mean", "seconds") for name in columns], axis=1
    )
    return chart_rows.short(pd.concat([found, single], axis=1), most=len(found))


FIGURE = Figure(
    title="Seconds until every method reaches one target",
    needs=("curves", "targets"),
    reads=TIMES,
    how_to_read=(
        "Further left is quicker, on the clock of one modelled machine; all groups share the axis. A hollow "
        "mark is a method that most of the seeds did not bring to the target: it stands where the run ended, "
        "which is no time to the target."
    ),
    draw=panels,
    table=table,
    finding=finding,
    of_paper=True,
    stacked=True,
)
