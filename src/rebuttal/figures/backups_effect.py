"""What the number of backup workers does: to seconds per update, to updates, and to both together."""

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence import arrays
from rebuttal.evidence.student import Interval
from rebuttal.figures import chart_rows, sentences
from rebuttal.figures.figure_record import TIMES, Figure
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import Entry, Panel, axis, panel, plain_key
from rebuttal.figures.sentences import on
from rebuttal.figures.single_seeds import seed_rows, wide
from rebuttal.figures.targets import at_verdicts, reached
from rebuttal.figures.theme import family, option, words

MEASURES = {
    "seconds_per_update": "seconds per update (s)",
    "updates": "updates to the target",
    "seconds": "seconds to the target (s)",
}


def backups_of(label: str) -> float | None:
    """The number of backup workers of a variant: b, 0 for synchronous, None for any other method."""
    return (
        0.0 if label == "synchronous" else option(label, "b") if family(label) == "backup_workers" else None
    )


def rows(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """Rows: workload, machine, method, b, measure, multiple, mean, low, high, n, standard; all targets of the sweep."""
    labels = [label for label in map(str, data.method.values) if backups_of(label) is not None]
    times = reached(data.sel({"method": labels}), targets)
    parts = [
        seed_rows(times[name], ("workload", "machine", "method", "multiple")).assign(measure=name)
        for name in MEASURES
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame["b"] = [backups_of(label) for label in frame["method"]]
    return at_verdicts(frame.sort_values("b", kind="stable", ignore_index=True), targets)


def panels(data: xr.Dataset, targets: xr.DataArray, definitions: object = None) -> list[Panel]:
    """Seconds per update, updates and seconds to the target against b: a row of three for each workload and machine."""
    frame = chart_rows.some(rows(data, targets), "backups_effect")
    lines = {str(m): f"simulated on {words(str(m))}" for m in dict.fromkeys(frame["machine"])}
    key = plain_key(lines)
    return [
        _panel(part, f"{words(name)} on {words(machine)}", measure, chart_rows.clock(data), key)
        for name, machine, place in chart_rows.groups(frame, "workload", "machine")
        for measure, _, part in chart_rows.groups(place, "measure", "machine")
    ]


def _panel(frame: pd.DataFrame, place: str, measure: str, clock: str, key: tuple[Entry, ...]) -> Panel:
    """One measure in one place, on an axis of its own: machines differ by far more than numbers of backups do."""
    m = marks(
        frame.drop(columns=["workload", "measure"]),
        axis(alt.X, "b", "backup workers b", zero=True),
        axis(alt.Y, "mean", MEASURES[measure]),
        key, "machine", ("machine", "b", "mean:Q", "low:Q", "high:Q", "n"),
    )  # fmt: skip
    reached_by = f"{chart_rows.seeds(chart_rows.keep(frame, frame['standard']))} that reached the target"
    about = f"{reached_by}; mean and 95 % interval; {clock}"
    title = f"{place}: {MEASURES[measure].removesuffix(' (s)')}"
    say = f"{title}, against the number of backup workers."
    return panel([m.interval(), m.line(), m.point(opacity=1, size=50)], title, about, say, key, 200)


def finding(data: xr.Dataset, targets: xr.DataArray) -> str:
    """The number of backups with the least seconds to the target in the first place, and what it gains over none."""
    frame = chart_rows.some(rows(data, targets), "backups_effect")
    frame = chart_rows.keep(frame, frame["standard"])
    places = [
        (on(name, machine), *_best(part))
        for name, machine, part in chart_rows.groups(frame, "workload", "machine")
    ]
    known = [(where, int(b), gains) for where, b, gains in places if gains]
    if not known:
        return "No place has runs without backups and with some that reached the target."
    where, b, gains = known[0]
    total, updates = gains["seconds"], sentences.three(1 / gains["updates"].estimate)
    per_update = sentences.times(gains["seconds_per_update"], sentences.IS)
    others = ""
    if known[1:]:
        numbers = sentences.spread([number for _, number, _ in known[1:]])
        speeds = sentences.spread([one["seconds"].estimate for *_, one in known[1:]])
        count = sentences.counted(len(known) - 1, "other place")
        others = f" In {count} the best number is {numbers}, with {speeds} times the speed of none."
    return (
        f"{sentences.lead(total)} {sentences.counted(b, 'backup')} training to the target "
        f"{sentences.times(total, sentences.IS)} as with none ({where}). An update {per_update}, and {updates} "
        f"times as many are needed.{others}"
    )


def _best(part: pd.DataFrame) -> tuple[float, dict[str, Interval]]:
    """The number of backups with the least seconds, and the ratio of each measure without backups to that with them."""
    rows = {(row["measure"], row["b"]): row for row in sentences.records(part)}
    tried = [b for measure, b in rows if measure == "seconds" and b > 0]
    if ("seconds", 0.0) not in rows or not tried:
        return 0.0, {}
    best = min(tried, key=lambda b: rows["seconds", b]["mean"])
    return best, {
        name: sentences.apart(rows[name, 0.0], rows[name, best], arrays.paired_ratio) for name in MEASURES
    }


def table(data: xr.Dataset, targets: xr.DataArray) -> pd.DataFrame:
    """The points of the figure."""
    index = ["workload", "machine", "b", "n", "multiple", "standard"]
    found = wide(rows(data, targets), index, "measure")
    return chart_rows.short(found, most=len(found))


FIGURE = Figure(
    title="What the number of backups does",
    needs=("curves", "targets"),
    reads=TIMES,
    how_to_read=(
        "From left to right: the time of one update, the number of updates to the target, and their product, "
        "the seconds to the target; a row for each workload and machine, every axis its own and not from zero. "
        "Zero backups is the synchronous method. The updates differ between machines only through which "
        "gradients are dropped."
    ),
    draw=panels,
    table=table,
    finding=finding,
    across=3,
)
