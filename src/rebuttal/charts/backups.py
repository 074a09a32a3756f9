"""What the number of backup workers does: to seconds per update, to updates, to both together, to the rate."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.charts import frames
from rebuttal.charts.convergence import main_methods
from rebuttal.charts.dots import dots
from rebuttal.charts.panel import (
    Entry,
    Panel,
    axis,
    colour,
    dash,
    method_key,
    panel,
    plain_key,
    rows_of,
    shape,
    tips,
)
from rebuttal.charts.single_seeds import renamed, seed_rows, wide
from rebuttal.charts.targets import TARGET, at_targets
from rebuttal.charts.theme import family, option, words
from rebuttal.metrics import metric_of
from rebuttal.stats import datasets

MEASURES = {
    "seconds_per_update": "seconds per update (s)",
    "updates": "updates to the target",
    "seconds": "seconds to the target (s)",
}
ANSWERS = (
    "synchronous",
    "backup_workers",
    "k_sync",
    "softsync",
    "softsync_aware",
    "asynchronous",
    "asynchronous_clipped",
)
SERIES = {
    "mini_batch": "one node, one batch: what averaging more gradients does to the number of updates",
    "backup_workers": "the first N of N + b gradients; b = 0 waits for all",
    "k_sync": "the first N of N + b gradients; the others are abandoned and start afresh",
}


def backups_of(label: str) -> float | None:
    """The number of backup workers of a variant: b, 0 for synchronous, None for any other method."""
    return (
        0.0 if label == "synchronous" else option(label, "b") if family(label) == "backup_workers" else None
    )


def reached(data: xr.Dataset, targets: xr.DataArray) -> xr.Dataset:
    """seconds, updates and seconds_per_update to every target (dim multiple), at the tuned rate; NaN where missed."""
    times = datasets.time_to_target(frames.pick(data, "rate", "tuned"), targets)
    found = times[["seconds", "updates"]].where(np.isfinite(times.seconds)).rename(target="multiple")
    return found.assign(seconds_per_update=found.seconds / found.updates.where(found.updates > 0))


def _standard(frame: pd.DataFrame, targets: xr.DataArray) -> pd.DataFrame:
    """Which rows are at the target that verdicts use: column `standard`."""
    verdicts = targets.target.sel(target=TARGET, method="nearest").item()
    return at_targets(frame, np.isclose(frames.column(frame, "multiple"), verdicts))


def effect_rows(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Rows: workload, machine, method, b, measure, multiple, mean, low, high, n, standard; all targets of the sweep."""
    labels = [label for label in map(str, data.method.values) if backups_of(label) is not None]
    times = reached(data.sel({"method": labels}), targets)
    parts = [
        seed_rows(times[name], ("workload", "machine", "method", "multiple")).assign(measure=name)
        for name in MEASURES
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame["b"] = [backups_of(label) for label in frame["method"]]
    return _standard(frame.sort_values("b", kind="stable", ignore_index=True), targets)


def effect_panels(data: xr.Dataset, targets: xr.DataArray, definitions: object = None) -> list[Panel]:
    """Seconds per update, updates and seconds to the target against b: a row of three for each workload and machine."""
    frame = frames.some(effect_rows(data, targets), "backups_effect")
    lines = {str(m): f"simulated on {words(str(m))}" for m in dict.fromkeys(frame["machine"])}
    key = plain_key(lines)
    return [
        _effect_panel(part, f"{words(name)}, {words(machine)}", measure, frames.clock(data), key)
        for name, machine, place in frames.groups(frame, "workload", "machine")
        for measure, _, part in frames.groups(place, "measure", "machine")
    ]


def _effect_panel(frame: pd.DataFrame, place: str, measure: str, clock: str, key: tuple[Entry, ...]) -> Panel:
    """One measure in one place, on an axis of its own: machines differ by far more than numbers of backups do."""
    base = rows_of(frame.drop(columns=["workload", "measure"]))
    x = axis(alt.X, "b", "backup workers b", zero=True)
    y = axis(alt.Y, "mean", MEASURES[measure])
    tip = tips("machine", "b", "mean:Q", "low:Q", "high:Q", "n")
    rule = base.mark_rule().encode(x, alt.Y("low:Q"), alt.Y2("high"), colour(key, "machine"))
    line = base.mark_line().encode(x, y, colour(key, "machine"), dash(key, "machine"))
    point = base.mark_point(filled=True, opacity=1, size=50).encode(
        x, y, colour(key, "machine"), shape(key, "machine"), tooltip=tip
    )
    reached_by = f"{frames.seeds(frames.keep(frame, frame['standard']))} that reached the target"
    about = f"{reached_by}; mean and 95 % interval; {clock}"
    title = f"{place}: {MEASURES[measure].removesuffix(' (s)')}"
    say = f"{title}, against the number of backup workers."
    return panel([rule, line, point], title, about, say, key, 200)


def effect_table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """The points of the figure."""
    index = ["workload", "machine", "b", "n", "multiple", "standard"]
    found = wide(effect_rows(data, targets), index, "measure")
    return frames.short(found, most=len(found))


def rate_rows(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Rows: workload, series, method, samples_per_update, mean, low, high (updates to the target), n, and the target.

    On the first machine; the columns multiple and standard as in `effect_rows`.
    """
    labels = [
        label for label in map(str, data.method.values) if family(label) in SERIES or label == "synchronous"
    ]
    chosen = frames.where_run(data.sel({"method": labels}), "learning_rate")
    frame = seed_rows(reached(chosen, targets).updates, ("workload", "method", "multiple"))
    last = chosen.isel(point=-1)
    size = (last.samples_applied / last["update"]).mean("seed")
    frame["samples_per_update"] = frames.flat_values(size, frame, ("workload", "method"))
    frame["series"] = [
        "backup_workers" if label == "synchronous" else family(label) for label in frame["method"]
    ]
    found = frame.sort_values(["series", "samples_per_update"], kind="stable", ignore_index=True)
    return _standard(found, targets)


def rate_panels(data: xr.Dataset, targets: xr.DataArray, definitions: object = None) -> list[Panel]:
    """Updates to the target against how many samples an update averages: backups cost what a smaller batch costs."""
    frame = frames.some(rate_rows(data, targets), "rate_of_convergence")
    key, found = method_key([name for name in SERIES if name in set(frame["series"])], SERIES), []
    for name in dict.fromkeys(frame["workload"]):
        part = frames.keep(frame, frames.column(frame, "workload") == name)
        base = rows_of(part.drop(columns="workload"))
        x = axis(alt.X, "samples_per_update", "samples per update, log scale", log=True)
        y = axis(alt.Y, "mean", "updates to the target, log scale", log=True)
        tip = tips(
            "method", "samples_per_update", alt.Tooltip("mean:Q", title="updates"), "low:Q", "high:Q", "n"
        )
        rule = base.mark_rule().encode(x, alt.Y("low:Q"), alt.Y2("high"), colour(key, "series"))
        line = base.mark_line().encode(x, y, colour(key, "series"), dash(key, "series"))
        point = base.mark_point(filled=True, opacity=1, size=54).encode(
            x, y, colour(key, "series"), shape(key, "series"), tooltip=tip
        )
        reached_by = f"{frames.seeds(frames.keep(part, part['standard']))} that reached the target"
        about = f"{reached_by}; mean and 95 % interval; counted in updates, not on a clock"
        say = f"Updates to the target on {words(name)} against the samples that one update averages."
        found.append(panel([rule, line, point], words(name), about, say, key))
    return found


def rate_table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """The points of the figure."""
    found = renamed(rate_rows(data, targets).drop(columns="series"), mean="updates")
    return frames.short(found, most=len(found))


def answer_rows(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Rows: workload, method, measure (error, seconds), mean, low, high, n. First machine, tuned rate.

    The columns multiple and standard of seconds as in `effect_rows`; an error has no target and stands at all.
    """
    labels = [label for label in main_methods(data) if family(label) in ANSWERS]
    chosen = frames.pick(data.sel({"method": labels}), "machine")
    error = seed_rows(_final_error(frames.pick(chosen, "rate", "tuned")), ("workload", "method"))
    seconds = seed_rows(reached(chosen, targets).seconds, ("workload", "method", "multiple"))
    both = [
        error.assign(measure="error", standard=True),
        _standard(seconds, targets).assign(measure="seconds"),
    ]
    return pd.concat(both, ignore_index=True)


def _final_error(data: xr.Dataset) -> xr.DataArray:
    return datasets.error(datasets.final(data), data)


def answer_panels(
    data: xr.Dataset, targets: xr.DataArray, definitions: Mapping[str, str] | None = None
) -> list[Panel]:
    """Ways to live with stragglers side by side: the error at the end, and the seconds to the target."""
    frame = frames.some(answer_rows(data, targets), "softsync_clipping")
    key, found = method_key(list(dict.fromkeys(frame["method"])), definitions, "point"), []
    for name, measure, part in frames.groups(frame, "workload", "measure"):
        at_end = metric_of(data.attrs, name).error_axis.replace("error", "error at the end")
        titles = {"error": f"test {at_end}", "seconds": "seconds to the target (s), log scale"}
        title = f"{words(name)}: {titles[measure].split(' (')[0]}"
        here = frames.keep(part, part["standard"])
        lost = [words(label) for label in dict.fromkeys(frame["method"]) if label not in set(here["method"])]
        missed = f"; missed the target: {', '.join(lost)}" if lost else ""
        about = f"{frames.seeds(here)}; mean and 95 % interval{missed}; {frames.clock(data)}"
        x = axis(alt.X, "mean", titles[measure].split(", "), log=measure == "seconds")
        drawn = part if measure == "seconds" else part.drop(columns=["multiple", "standard"])
        found.append(dots(drawn, title, x, about, f"{title}, {len(key)} methods.", key))
    return found


def answer_table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """The dots of the figure: the errors beside the seconds to each target."""
    frame = answer_rows(data, targets)
    timed = frames.keep(frame, frame["measure"] == "seconds")
    goals = pd.DataFrame(timed[["multiple", "standard"]]).drop_duplicates()
    errors = frames.keep(frame, frame["measure"] == "error").drop(columns=["multiple", "standard"])
    both = pd.concat([errors.merge(goals, how="cross"), timed], ignore_index=True)
    found = wide(both, ["workload", "method", "multiple", "standard"], "measure")
    return frames.short(found, most=len(found))
