"""Words and numbers of the sentences that figures make from their data: no number in them is typed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from rebuttal.core.metrics import Metric
from rebuttal.evidence import arrays
from rebuttal.evidence.naming import counted, enumerated, in_text, words  # noqa: F401 - counted: where figures look for it
from rebuttal.evidence.student import NOTHING, Interval
from rebuttal.figures.single_seeds import OF_SEED
from rebuttal.figures.theme import BASELINE, family, stands_out


def percent(share: xr.DataArray) -> str:
    """'12.3 %' of a share."""
    return f"{100 * float(share):.3g} %"


def largest(values: xr.DataArray) -> xr.DataArray:
    """The largest value, with its labels."""
    return values.isel(values.argmax(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims


def smallest(values: xr.DataArray) -> xr.DataArray:
    """The smallest value, with its labels."""
    return values.isel(values.argmin(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims


def in_words(label: Any) -> str:
    """A label, or an array that holds one, as a reader says it."""
    return in_text(str(label.item() if hasattr(label, "item") else label))


def place(value: xr.DataArray) -> str:
    """'AlexNet on a DGX-1' of a value with these labels."""
    return f"{in_words(value.model)} on {in_words(value.machine)}"


def grid_place(value: xr.DataArray) -> str:
    """The same with the numbers of nodes and of samples on each."""
    return f"{place(value)}, {int(value.nodes)} nodes, {int(value.batch)} samples on each"


LEAST = 1e-12  # what rounding leaves of nothing
IS = ("is ", "takes ")  # before 'as fast' and 'as long'
#: A row of a figure's frame: method, mean, and what else it has.
Row = Mapping[str, Any]
#: Labels or methods that a paper compares: those that it is about, and what they are held against.
Compared = tuple[Sequence[str], Sequence[str]]


class UnitSaid(NamedTuple):
    """How values are said: what they are multiplied by, the unit of a value, that of a difference of two."""

    factor: float
    value: str
    gap: str


SHARE = UnitSaid(100.0, "%", "points")
NATS = UnitSaid(1.0, "nat", "nat")


def unit_of(metric: Metric) -> UnitSaid:
    """That of the error of a metric: per cent and points, or the metric's own where less of it is better."""
    return UnitSaid(1.0, metric.name, metric.name) if metric.lower_is_better else SHARE


def three(value: float) -> str:
    """Three significant digits, without an exponent: '25.7', '1,360', '0.00041'."""
    rounded = float(f"{value:.3g}")
    if abs(rounded) < LEAST or np.isinf(rounded):
        return "0" if abs(rounded) < LEAST else "∞"
    text = f"{rounded:,.0f}" if abs(rounded) >= 1000 else np.format_float_positional(rounded, trim="-")
    return text.replace("-", "−")


def between(low: float, high: float, factor: float = 1.0) -> str:
    """' [1.2, 3.4]' after a number; nothing where there is no interval, as of a single seed."""
    return "" if np.isnan([low, high]).any() else f" [{three(factor * low)}, {three(factor * high)}]"


def spread(values: Any) -> str:
    """'1.2 to 3.4', or the one number where both ends read alike."""
    low, high = three(float(np.min(values))), three(float(np.max(values)))
    return low if low == high else f"{low} to {high}"


def how_many(rows: Any) -> int:
    """The number of rows of which something is true."""
    return int(np.count_nonzero(np.asarray(rows)))


def goal(level: float, metric: Metric) -> str:
    """'a test accuracy of 90.6 %': a target as a reader says it."""
    share = f"{three(100 * level)} %" if not metric.lower_is_better else three(level)
    return f"a test {metric.name} of {share}"


def value(row: Row, unit: UnitSaid) -> str:
    """A row's mean with its unit and its interval: '2.39 % [2.09, 2.71]'."""
    return f"{three(unit.factor * row['mean'])} {unit.value}{between(row['low'], row['high'], unit.factor)}"


def apart(one: Any, other: Any, how: Callable[..., Interval] = arrays.paired_difference) -> Interval:
    """The paired difference (or ratio: `arrays.paired_ratio`) of two rows, over the seeds that both have."""
    names = _singles(one)
    pairs = np.array([[one[name], other[name]] for name in names], dtype=float).reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    return how(pairs[:, 0], pairs[:, 1]) if len(pairs) else NOTHING


def two(frame: pd.DataFrame, compared: Compared | None, highest: bool = False) -> tuple[Row, Row | None]:
    """The rows of two methods to set beside each other, each the best of its variants; one row where there is no other.

    Those that `compared` names; where they are not there, the best method and the best baseline whose values differ.
    frame: method, mean (NaN: missed the target), single seeds; at least one row. The rows have a `name`, too.
    """
    ranked = frame.sort_values("mean", ascending=not highest, kind="stable")
    ranked["family"] = [family(str(label)) for label in ranked["method"]]
    alone = ~ranked["family"].duplicated(keep=False)
    ranked["name"] = [
        name_of(str(label), alone=one) for label, one in zip(ranked["method"], alone, strict=True)
    ]
    rows = records(ranked)
    for_it, against = (_wanted(rows, labels) for labels in (compared or ((), ())))
    if for_it and against and for_it[0]["method"] != against[0]["method"]:
        return for_it[0], against[0]
    base = [row for row in rows if row["family"] == BASELINE]
    parallel = [row for row in rows if not stands_out(str(row["method"]), (BASELINE,))]
    others = [row for row in parallel if not (base and _alike(row, base[0]))]
    first = (for_it or others or base or rows)[0]
    left = [row for row in against or base or others if row["family"] != first["family"]]
    return first, left[0] if left else None


def _wanted(rows: Sequence[Row], labels: Sequence[str]) -> list[Row]:
    """The rows of labels or methods; other variants of these methods where the labels themselves are not there."""
    exact = [row for row in rows if {row["method"], row["family"]} & set(labels)]
    return exact or [row for row in rows if row["family"] in set(map(family, labels))]


def name_of(label: str, alone: bool) -> str:
    """A method within a sentence; one with many options has none there where it is the only variant of its family."""
    return words(family(label)) if alone and len(label.split()) > 3 else in_text(label)


def records(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def extreme(frame: pd.DataFrame, column: str = "mean", most: bool = False) -> Row:
    """The row with the least of a column, or with the most."""
    return (max if most else min)(records(frame.dropna(subset=[column])), key=lambda row: row[column])


def _singles(row: Row) -> list[str]:
    """The columns of the single seeds of a row's mean."""
    return [name for name in row if name.startswith(f"mean{OF_SEED}")]


def _alike(one: Row, other: Row) -> bool:
    """Whether two rows have the same values on every seed, as methods have that differ by the clock alone."""
    names = _singles(one)
    return bool(names) and all(one[name] == other[name] for name in names)


def lower(first: Row, second: Row | None, what: str, unit: UnitSaid, where: str) -> str:
    """Which of two rows of `two` is lower, and by how much: a sentence. what: 'the test error at the end'."""
    name, said = first["name"], f"With {first['name']} {what} is {value(first, unit)}"
    if second is None:
        return f"{said} ({where})."
    if _alike(first, second):
        return f"With {name} and with {second['name']} {what} is the same, {value(first, unit)} ({where})."
    gap = apart(second, first)
    size = gap.estimate if np.isfinite(gap.estimate) else second["mean"] - first["mean"]
    by = f"{amount(abs(size), unit)}{sized(gap, unit.factor)}"
    if gap.low <= 0 <= gap.high:
        by = f"{by} {'lower' if size >= 0 else 'higher'} with the first"
        return f"No difference is seen between {name} and {second['name']} in {what}: {by} ({where})."
    side = f"{'below' if size >= 0 else 'above'} that with {second['name']}{of_one(gap)}"
    return f"{said}, {by} {side} ({where})."


def of_one(found: Interval) -> str:
    """' on a single seed' of a comparison that has no interval."""
    return " on a single seed" if np.isnan(found.low) else ""


def sized(found: Interval, factor: float = 1.0) -> str:
    """The interval of a difference that is said without its sign."""
    ends = (found.low, found.high) if found.estimate >= 0 else (-found.high, -found.low)
    return between(*ends, factor)


def gap(found: Interval, unit: UnitSaid) -> str:
    """'+5.1 points [4, 6.2]': a difference with its sign and its interval."""
    sign = "+" if found.estimate > 0 else ""
    return f"{sign}{amount(found.estimate, unit)}{between(found.low, found.high, unit.factor)}"


def amount(gap: float, unit: UnitSaid) -> str:
    """'1 point', '2.4 points': a difference with its unit."""
    text = three(unit.factor * gap)
    return f"{text} {unit.gap.removesuffix('s') if text == '1' else unit.gap}"


def sooner(first: Row, second: Row | None, target: str, where: str) -> str:
    """Which of two rows of `two` takes less time, and how many times less. target: 'a test accuracy of 90 %'.

    A row's mean is in seconds, NaN where most seeds missed the target. It says in `missed` how many did: a ratio of
    such rows has no interval.
    """
    name, time = first["name"], first["mean"]
    if second is None:
        after = "not reached" if np.isnan(time) else f"reached after {three(time)} s"
        return f"With {name} {target} is {after} ({where})."
    other, its = second["name"], second["mean"]
    if np.isnan(time) and np.isnan(its):
        return f"Neither {name} nor {other} reaches {target} on most seeds ({where})."
    if np.isnan(time) or np.isnan(its):
        late, quick = (first, second) if np.isnan(time) else (second, first)
        after = f"with {quick['name']} it is after {three(quick['mean'])} s"
        return f"With {late['name']} {target} is not reached on most seeds; {after} ({where})."
    ratio = _ratio(first, second)
    by = times(ratio if np.isfinite(ratio.estimate) else Interval(its / time, np.nan, np.nan))
    if ratio.low <= 1 <= ratio.high:
        by = f"{by} with the first"
        return f"No difference is seen between {name} and {other} in the time to {target}: {by} ({where})."
    lost = " by the median, as some runs missed it" if np.isnan(ratio.estimate) else ""
    than = f"{by} as with {other}{lost or of_one(ratio)}"
    return f"With {name} {target} is reached after {three(time)} s, {than} ({where})."


def times(ratio: Interval, verbs: tuple[str, str] = ("", "")) -> str:
    """'1.5 times [1.2, 1.9] as fast', '2 times as long': of a ratio of seconds, above 1 where the first is faster.

    verbs: what stands before each of the two.
    """
    fast = ratio.estimate >= 1
    low, high = (ratio.low, ratio.high) if fast else (1 / ratio.high, 1 / ratio.low)
    size = f"{three(ratio.estimate if fast else 1 / ratio.estimate)} times{between(low, high)}"
    return f"{verbs[not fast]}{'' if size == '1 times' else f'{size} '}as {'fast' if fast else 'long'}"


def lead(ratio: Interval) -> str:
    """How a sentence begins about a ratio: with a word of warning where its interval holds 1."""
    return "No difference is seen: with" if ratio.low <= 1 <= ratio.high else "With"


def _ratio(first: Row, second: Row) -> Interval:
    """How many times as fast the first is, paired; nothing where one missed the target on some seed."""
    lost = first.get("missed", 0) or second.get("missed", 0)
    return NOTHING if lost else apart(second, first, arrays.paired_ratio)


def elsewhere(
    places: Iterable[pd.DataFrame], first: Row, second: Row | None, word: str, ratio: bool = False
) -> str:
    """' Of 4 places, the first is lower in 3 and it is open in 1.': beyond the interval; '' where there is one place.

    places: the rows of each. ratio: of seconds, compared by their ratio; who missed the target is later.
    """
    found = []
    for part in places if second is not None else ():
        rows = {row["method"]: row for row in records(part)}
        if second is not None and {first["method"], second["method"]} <= set(rows):
            found.append(_less(rows[first["method"]], rows[second["method"]], ratio))
    if len(found) < 2:
        return ""
    sides = {f"the first is {word}": 1, f"the second is {word}": -1, "it is open": 0}
    counts = {said: found.count(side) for said, side in sides.items() if side in found}
    every = "both" if len(found) == 2 else f"all {len(found)}"
    if len(counts) == 1:
        return f" In {every} places {next(iter(counts))}{f' which is {word}' if 0 in found else ''}."
    said = [f"{text} in {number}" for text, number in counts.items()]
    return f" Of {len(found)} places, {enumerated(said)}."


def _less(one: Row, other: Row, ratio: bool) -> int:
    """1 if the first is less beyond the interval, -1 if it is more, 0 if neither can be told."""
    lost = [bool(np.isnan(row["mean"])) for row in (one, other)]
    if any(lost):
        return lost[1] - lost[0]
    gap = _ratio(one, other) if ratio else apart(other, one)
    return int(gap.low > ratio) - int(gap.high < ratio)


def on(workload: object, machine: object) -> str:
    """'handwritten digits, small MLP on 10 Gb/s Ethernet'."""
    return f"{words(str(workload))} on {words(str(machine))}"
