"""The rule that reads a variable of an analysis: its numbers, and on which side of its bounds they lie."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core import results
from rebuttal.core.schemas import ANALYSES
from rebuttal.evidence import judging, student
from rebuttal.evidence.judging import FEWEST_SEEDS, PlaceOutcome, Status
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.verdict_rules import Reading

STATISTICS = {"highest": np.max, "lowest": np.min, "median": np.median, "mean": np.mean}
Found = tuple[list[PlaceOutcome], str, tuple[str, ...], str]


def parts(rule: Reading, data: Results) -> Found:
    """The outcome for each label of `each` (or of all together), the unit, the file, and the conditions.

    Raises:
        InputError: an analysis, a variable, a dim or a label that is not there.
    """
    held = results.load_analysis(rule.data, data.folder.parent / "analyses")
    if rule.variable not in held.data_vars:
        raise refuse("rule.variable", rule.variable, [str(name) for name in held.data_vars])
    values = _chosen(rule, held[rule.variable])
    found = [_part(where, each, rule) for where, each in _each(rule, values)]
    unit = str(held[rule.variable].attrs.get("units", ""))
    file = f"results/analyses/{ANALYSES[rule.data].pattern}"
    return found, "" if unit == "1" else unit, (file,), f"{held.attrs.get('clock', 'no')} clock"


def _chosen(rule: Reading, values: xr.DataArray) -> xr.DataArray:
    """The values at the labels of `where`."""
    for dim, wanted in rule.where.items():
        if dim not in values.dims:
            raise refuse("rule.where", dim, [str(name) for name in values.dims])
        known = values[dim].values.tolist()
        labels = wanted if isinstance(wanted, list) else [wanted]
        for label in labels:
            if label not in known:
                raise refuse(f"rule.where.{dim}", label, known)
        values = values.sel({dim: labels})
    return values


def _each(rule: Reading, values: xr.DataArray) -> Iterator[tuple[str, xr.DataArray]]:
    if rule.each is None:
        yield "everywhere", values
        return
    if rule.each not in values.dims:
        raise refuse("rule.each", rule.each, [str(name) for name in values.dims])
    for label in values[rule.each].values.tolist():
        yield str(label), values.sel({rule.each: label})


def _part(where: str, values: xr.DataArray, rule: Reading) -> PlaceOutcome:
    """The statistic with its interval over seeds; or, of numbers without chance, with their range."""
    if "seed" in values.dims:
        return _over_seeds(where, values, rule)
    numbers = values.values[np.isfinite(values.values)]
    if not len(numbers):
        return PlaceOutcome(where, "undecided", np.nan, np.nan, np.nan, 0, "no number")
    if rule.statistic == "all":
        inside = [_side(number, number, rule) == "supported" for number in numbers]
        status: Status = "supported" if all(inside) else "mixed" if any(inside) else "contradicted"
        ends = (float(numbers.min()), float(numbers.max()))
        return PlaceOutcome(
            where, status, float(np.median(numbers)), *ends, len(numbers), "range of all values"
        )
    effect = float(STATISTICS[rule.statistic](numbers))
    note = f"{rule.statistic} of {len(numbers)}" if len(numbers) > 1 else ""
    return PlaceOutcome(where, _side(effect, effect, rule), effect, np.nan, np.nan, len(numbers), note)


def _over_seeds(where: str, values: xr.DataArray, rule: Reading) -> PlaceOutcome:
    """The mean over seeds of the statistic of each seed's numbers (their mean, if it is "all")."""
    statistic = STATISTICS.get(rule.statistic, np.mean)
    rows = values.transpose("seed", ...).values.reshape(values.sizes["seed"], -1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < FEWEST_SEEDS:
        nothing = np.nan, np.nan, np.nan
        return PlaceOutcome(
            where, "undecided", *nothing, len(rows), "fewer than five seeds", judging.NO_EVIDENCE
        )
    each = np.array([statistic(row) for row in rows])
    found = student.interval(each)
    tails = judging.between(*(student.tails(each, bound) for bound in _bounds(rule)))
    return PlaceOutcome(where, _side(found.low, found.high, rule), *found, len(rows), p=tails)


def _side(lowest: float, highest: float, rule: Reading) -> Status:
    low, high = _bounds(rule)
    if low <= lowest and highest <= high:
        return "supported"
    return "contradicted" if highest < low or lowest > high else "undecided"


def _bounds(rule: Reading) -> tuple[float, float]:
    low, high = rule.within
    return -np.inf if low is None else low, np.inf if high is None else high
