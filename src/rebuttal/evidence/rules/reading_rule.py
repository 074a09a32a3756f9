"""The rule that reads a variable of an analysis: its numbers, and on which side of its bounds they lie."""

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from rebuttal.base.errors import refuse
from rebuttal.core import results
from rebuttal.core.schemas import ANALYSES
from rebuttal.evidence import analyses_in_words, judging, student
from rebuttal.evidence.judging import FEWEST_SEEDS, PlaceOutcome, Status
from rebuttal.evidence.naming import number
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found, Rule, Text
from rebuttal.evidence.student import NOTHING, Interval

STATISTICS = {"highest": np.max, "lowest": np.min, "median": np.median, "mean": np.mean}
Bound = Annotated[
    float | None, Field(allow_inf_nan=False, description="a number, or null for no bound on that side")
]


class Reading(Rule):
    """A variable of an analysis, read where its coordinates have the labels of `where`, lies within two bounds.

    data: a name of `rebuttal.core.schemas.ANALYSES`. where: dim -> a label or several. each: a dim whose labels are
    judged one by one. statistic: what of the numbers left is judged; "all" is support if every number lies within the
    bounds, and contradiction if none does. Along a dim `seed` there is an interval, and fewer than five seeds decide
    nothing.
    """

    kind: Literal["reading"]
    data: Text
    variable: Text
    within: Annotated[
        list[Bound], Field(min_length=2, max_length=2, description="two bounds, low and high; null for none")
    ]
    where: Annotated[
        dict[str, str | int | float | list[str] | list[int] | list[float]],
        Field(description="labels by dim, as in {form: delayed}"),
    ] = Field(default_factory=dict)
    each: Text | None = None
    statistic: Literal["all", "highest", "lowest", "median", "mean"] = "all"
    of_study = False

    def judge(self, data: Results) -> Found:
        """The outcome for each label of `each`, or of all together.

        Raises:
            InputError: an analysis, a variable, a dim or a label that is not there.
        """
        held = results.load_analysis(self.data, data.folder.parent / "analyses")
        if self.variable not in held.data_vars:
            raise refuse("rule.variable", self.variable, [str(name) for name in held.data_vars])
        values = _chosen(self, held[self.variable])
        places = tuple(_part(where, each, self) for where, each in _each(self, values))
        unit = str(held[self.variable].attrs.get("units", ""))
        file = f"results/analyses/{ANALYSES[self.data].pattern}"
        conditions = f"{held.attrs.get('clock', 'no')} clock"
        return Found(places, _overall(places), "" if unit == "1" else unit, conditions, (file,))

    def in_words(self) -> str:
        """What is read, where, and its bounds."""
        low, high = self.within
        ends = [f"at least {number(low)}"] * (low is not None) + [f"at most {number(high)}"] * (
            high is not None
        )
        bounds = " and ".join(ends) or "any number"
        statistic = {"all": "every place", "highest": "at its highest", "lowest": "at its lowest"}.get(
            self.statistic, f"the {self.statistic}"
        )
        each = f", for each {analyses_in_words.plain(self.each)}" if self.each else ""
        what = f"{analyses_in_words.variable(self.data, self.variable)}{analyses_in_words.where(self.where)}"
        return f"{statistic}: {what}, from the {analyses_in_words.analysis(self.data)}, is {bounds}{each}"

    def measured(self) -> str:
        """The variable, and where it is read."""
        what = analyses_in_words.variable(self.data, self.variable)
        return f"{what}{analyses_in_words.where(self.where, short=True)}"


def _overall(places: tuple[PlaceOutcome, ...]) -> Interval:
    """The middle of the places' numbers, and the range of these or of their intervals."""
    effects = np.array([place.effect for place in places if np.isfinite(place.effect)])
    if not len(effects):
        return NOTHING
    ends = [place for place in places if np.isfinite(place.low)]
    several = len(effects) > 1
    low = min((place.low for place in ends), default=effects.min() if several else np.nan)
    high = max((place.high for place in ends), default=effects.max() if several else np.nan)
    return Interval(float(np.median(effects)), float(low), float(high))


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
