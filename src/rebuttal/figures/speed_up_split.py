"""Every speed-up over a baseline, split into its two factors: fewer updates, and less time for each."""

from collections.abc import Mapping, Sequence
from functools import partial

import altair as alt
import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.metrics import metric_of
from rebuttal.evidence import datasets
from rebuttal.evidence.naming import in_text
from rebuttal.evidence.student import Interval
from rebuttal.figures import chart_rows, many_methods, sentences
from rebuttal.figures.error_curves import main_methods
from rebuttal.figures.figure_record import TIMES, Figure
from rebuttal.figures.marks import line_at, marks, named
from rebuttal.figures.panel import Panel, axis, panel, plain_key
from rebuttal.figures.sentences import Compared, on
from rebuttal.figures.single_seeds import wide, with_seeds
from rebuttal.figures.targets import at_targets
from rebuttal.figures.theme import words

PARTS = {
    "total": "seconds to the target: baseline over method",
    "updates": "updates to the target: baseline over method (statistical efficiency)",
    "seconds_per_update": "seconds per update: baseline over method (hardware efficiency)",
}
BASELINE = "asynchronous"


def rows(
    data: xr.Dataset, targets: xr.DataArray, baseline: str = BASELINE, machines: int | None = None
) -> pd.DataFrame:
    """Rows: workload, machine, method, part, target, multiple, mean, low, high, n, missed, baseline_missed, standard.

    standard: at the strictest target that at least half of the pairs of runs reached, for each workload, machine and
    method. target: the level of the metric; multiple: the target's name in the sweep. machines: only the first so many.
    """
    data = data.isel(machine=slice(machines))
    known = [str(label) for label in data.method.values]
    if baseline not in known:
        raise refuse("baseline", baseline, known)
    others = [label for label in main_methods(data) if label != baseline]
    found = datasets.speed_up(data, others, baseline, targets)
    joined = found.reset_coords(drop=True).to_dataframe().reset_index()
    joined = joined.rename(columns={"estimate": "mean", "target": "multiple"}).dropna(subset=["mean", "low"])
    place = ["workload", "machine", "method"]
    joined = with_seeds(
        joined.reset_index(drop=True), "mean", _seed_ratios(data, others, baseline, targets),
        [*place, "multiple", "part"],
    )  # fmt: skip
    level = targets.rename(target="multiple")
    joined["target"] = chart_rows.flat_values(level, joined, ("workload", "multiple"))
    return at_targets(joined, joined["multiple"] == joined.groupby(place)["multiple"].transform("min"))


def _seed_ratios(
    data: xr.Dataset, labels: Sequence[str], baseline: str, targets: xr.DataArray
) -> xr.DataArray:
    """The speed-up and its factors of each single seed, NaN where one of the pair missed: ..., multiple, part, seed."""
    chosen = data.sel({"method": [*labels, baseline], "rate": "tuned"})
    times = datasets.time_to_target(chosen, targets, axes=("seconds", "updates"))[["seconds", "updates"]]
    times = times.where(np.isfinite(times.seconds) & (times.updates > 0)).rename(target="multiple")
    total, updates = (
        times[name].sel(method=baseline, drop=True) / times[name].sel({"method": list(labels)})
        for name in ("seconds", "updates")
    )
    return xr.concat(
        [total, updates, total / updates],
        xr.DataArray(list(PARTS), dims="part", name="part"),
        coords="minimal",
    )


def panels(
    data: xr.Dataset,
    targets: xr.DataArray,
    definitions: Mapping[str, str] | None = None,
    baseline: str = BASELINE,
    machines: int | None = None,
) -> list[Panel]:
    """Three dots per method: the total speed-up over the baseline and its two factors, on a logarithmic axis."""
    frame = chart_rows.some(rows(data, targets, baseline, machines=machines), "speed_up_split")
    places = chart_rows.groups(frame, "workload", "machine")
    return [
        _panel(part, f"{words(w)} on {words(m)}", chart_rows.clock(data), baseline) for w, m, part in places
    ]


def _panel(frame: pd.DataFrame, title: str, clock: str, baseline: str) -> Panel:
    key = plain_key(PARTS, "point")
    names = {label: words(label) for label in dict.fromkeys(frame["method"])}
    m = marks(
        frame.drop(columns=["workload", "machine"]),
        axis(alt.X, "mean", [f"speed-up over {words(baseline)}", "log scale"], log=True),
        alt.Y("method:N", title=None, axis=alt.Axis(
            labelExpr=named(many_methods.short_names(list(names))), labelLimit=175, labelOverlap=False,
            labelLineHeight=13)),
        key, "part",
        ("method", "part", "mean:Q", "low:Q", "high:Q", "n", "missed", "baseline_missed", "target"),
        [alt.YOffset("part:N", sort=list(PARTS))],
    )  # fmt: skip
    layers = [line_at(x=1.0, pattern=(3, 3)), m.span(), m.point(opacity=1, size=52)]
    there = chart_rows.seeds(chart_rows.keep(frame, frame["standard"]))
    about = f"{there}, paired; 95 % interval; at the strictest target that both reached; {clock}"
    say = f"Speed-up over {words(baseline)} on {title}, split into two factors, for {len(names)} methods."
    return panel(layers, title, about, say, key, height=52 * len(names))


def table(
    data: xr.Dataset, targets: xr.DataArray, baseline: str = BASELINE, machines: int | None = None
) -> pd.DataFrame:
    """The total speed-up of every method with its factors side by side."""
    frame = rows(data, targets, baseline, machines=machines)
    index = ["workload", "machine", "method", "target", "multiple", "standard"]
    found = wide(frame, index, "part")
    return chart_rows.short(found, most=len(found))


def finding(
    data: xr.Dataset, targets: xr.DataArray, compared: Compared | None = None, baseline: str = BASELINE,
    machines: int | None = None,
) -> str:  # fmt: skip
    """The largest speed-up in the first place with its two factors; how many are beyond their intervals."""
    frame = chart_rows.some(rows(data, targets, baseline, machines=machines), "speed_up_split")
    frame = chart_rows.keep(frame, frame["standard"])
    total = chart_rows.keep(frame, frame["part"] == "total")
    workload, machine, part = next(chart_rows.groups(total, "workload", "machine"))
    first, _ = sentences.two(part, compared and (compared[0], ()), highest=True)
    mine = chart_rows.keep(frame, (frame["workload"] == workload) & (frame["machine"] == machine))
    factors = {
        row["part"]: row["mean"] for row in sentences.records(mine) if row["method"] == first["method"]
    }
    updates = factors["updates"]
    speed = Interval(first["mean"], first["low"], first["high"])
    goal = sentences.goal(first["target"], metric_of(data.attrs, workload))
    size = sentences.three(max(updates, 1 / updates))
    fewer = "as many" if size == "1" else f"{size} times {'fewer' if updates >= 1 else 'as many'}"
    each = sentences.times(Interval(factors["seconds_per_update"], np.nan, np.nan))
    ahead, behind = sentences.how_many(total["low"] > 1), sentences.how_many(total["high"] < 1)
    every = sentences.counted(len(total), "speed-up")
    return (
        f"{sentences.lead(speed)} {first['name']} training to {goal} {sentences.times(speed, sentences.IS)} as with "
        f"{in_text(baseline)}: {fewer} updates, each {each} ({on(workload, machine)}). Of {every} in all places, "
        f"{ahead} are above 1 and {behind} below it, beyond the interval."
    )


def split(
    title: str, how_to_read: str, baseline: str, machines: int | None = None, *, stacked: bool = True
) -> Figure:
    """The figure of all speed-ups over a baseline, on the first so many machines (default: on all)."""
    return Figure(
        title=title,
        needs=("curves", "targets"),
        reads=TIMES,
        how_to_read=how_to_read,
        draw=partial(panels, baseline=baseline, machines=machines),
        table=partial(table, baseline=baseline, machines=machines),
        finding=partial(finding, baseline=baseline, machines=machines),
        of_paper=True,
        baseline=baseline,
        stacked=stacked,
    )


FIGURE = split(
    "Every speed-up, split into its two factors",
    "Right of the dashed line is faster than the asynchronous baseline. The total is the product of two factors: how "
    "many fewer updates are needed, and how much less time one update takes. On a logarithmic axis, the total lies at "
    "the sum of the two distances from the line.",
    BASELINE,
    stacked=False,
)
