"""The rule that reads a variable of an analysis: its numbers, and on which side of its bounds they lie."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import xarray as xr
from pydantic import Field

from rebuttal.base.errors import refuse
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence import analyses_in_words, judging
from rebuttal.evidence.judging import Asked, Effects, PlaceOutcome, Word
from rebuttal.evidence.naming import number
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found, Rising, Rule, Text

STATISTICS: dict[str, Callable[[np.ndarray, "Reading"], Any]] = {
    "highest": lambda numbers, _: np.max(numbers),
    "lowest": lambda numbers, _: np.min(numbers),
    "median": lambda numbers, _: np.median(numbers),
    "mean": lambda numbers, _: np.mean(numbers),
    "share": lambda numbers, rule: np.mean([rule.word(number) == "supported" for number in numbers]),
}
Where = dict[str, str | int | float | list[str] | list[int] | list[float]]
Bound = Annotated[
    float | None, Field(allow_inf_nan=False, description="a number, or null for no bound on that side")
]


class Reading(Rule):
    """A variable of an analysis, read where its coordinates have the labels of `where`, lies within two bounds.

    data: a name in `rebuttal.core.analysis_schemas`. where: dim -> a label or several. each: a dim whose labels are
    judged one by one. statistic: what of the numbers left is judged; "all" is support if every number lies within the
    bounds, contradiction if none does, and depends else; "share" is how many of them do. error: that of a modelled
    number, as a share of it. Without bounds it reports a number, neither yes nor no. Along a dim `seed` there is an
    interval, and fewer than five seeds decide nothing.
    """

    kind: Literal["reading"]
    data: Text
    variable: Text
    within: Annotated[
        list[Bound] | None,
        Field(
            min_length=2, max_length=2, description="two bounds, the lower first; null for none on one side"
        ),
        Rising,
    ] = None
    where: Annotated[Where, Field(description="labels by dim, as in {form: delayed}")] = Field(
        default_factory=dict
    )
    each: Text | None = None
    error: Annotated[float, Field(ge=0, lt=1, description="a number from 0 to below 1")] = 0.0
    statistic: Literal["all", "highest", "lowest", "median", "mean", "share"] = "all"
    of_study = False

    @property
    def asked(self) -> Asked:
        """The bounds; without any, everything lies within."""
        low, high = self.within or (None, None)
        ends = -np.inf if low is None else low, np.inf if high is None else high
        lowest, highest = (float(np.exp(end)) if self.logarithm else end for end in ends)
        return Asked("within", lowest, highest)

    @property
    def logarithm(self) -> bool:
        """Whether the variable is the logarithm of a ratio, which is what readers have."""
        return self.variable.startswith("log_")

    @property
    def decides(self) -> bool:
        """Whether it can say yes or no."""
        return self.within is not None and self.statistic != "share"

    def word(self, value: float) -> Word:
        """On which side of the bounds a number lies, with its error."""
        low, high = sorted((value * (1 - self.error), value * (1 + self.error)))
        return self.asked.word(low, high) if self.within is not None else "answered"

    @property
    def unit(self) -> str:
        """That of the number, as result files have it."""
        if self.statistic == "share" or self.logarithm:
            return "times" if self.logarithm else "share"
        return analyses_in_words.unit(self.data, self.variable)

    def judge(self, data: Results) -> Found:
        """The outcome for each label of `each`, or of all together.

        Raises:
            InputError: an analysis, a variable, a dim or a label that is not there.
        """
        values, conditions, files = read(self, data)
        places = tuple(_place(label, each, self) for label, each in labelled(self.each, values))
        return Found(places, self.asked if self.decides else None, self.unit, conditions, files)

    def in_words(self) -> str:
        """What is read, where, and its bounds."""
        ends = zip(("at least", "at most"), self.within or (), strict=False)
        said = " and ".join(f"{side} {self._said(end)}" for side, end in ends if end is not None)
        bounds = said or "any number"
        statistic = {"all": "every place", "highest": "at its highest", "lowest": "at its lowest"}.get(
            self.statistic, f"the {self.statistic}"
        )
        each = f", for each {analyses_in_words.plain(self.each)}" if self.each else ""
        what = f"{analyses_in_words.variable(self.data, self.variable)}{analyses_in_words.where(self.where)}"
        return f"{statistic}: {what}, from the {analyses_in_words.analysis(self.data)}, is {bounds}{each}"

    def _said(self, bound: float) -> str:
        share = analyses_in_words.unit(self.data, self.variable) == "share"
        return f"{number(100 * bound)} %" if share else number(bound)

    def measured(self) -> str:
        """The variable, and where it is read."""
        what = analyses_in_words.variable(self.data, self.variable)
        return f"{what}{analyses_in_words.where(self.where, short=True)}"


class OfAnalysis(Protocol):
    """A rule that reads a variable of an analysis."""

    data: str
    variable: str
    where: Where


def read(rule: OfAnalysis, data: Results) -> tuple[xr.DataArray, str, tuple[str]]:
    """The values that a rule reads, under which conditions they hold, and their file.

    Raises InputError for an analysis, a variable, a dim or a label that is not there.
    """
    held = results.load_analysis(rule.data, data.folder.parent / "analyses")
    if rule.variable not in held.data_vars:
        raise refuse("rule.variable", rule.variable, [str(name) for name in held.data_vars])
    file = f"results/analyses/{ANALYSES[rule.data].pattern}"
    return chosen(rule.where, held[rule.variable]), f"{held.attrs.get('clock', 'no')} clock", (file,)


def chosen(where: Where, values: xr.DataArray) -> xr.DataArray:
    """The values at the labels of `where`. Raises InputError for a dim or a label that is not there."""
    for dim, wanted in where.items():
        if dim not in values.dims:
            raise refuse("rule.where", dim, [str(name) for name in values.dims])
        known = values[dim].values.tolist()
        labels = wanted if isinstance(wanted, list) else [wanted]
        for label in labels:
            if label not in known:
                raise refuse(f"rule.where.{dim}", label, known)
        values = values.sel({dim: labels})
    return values


def labelled(each: str | None, values: xr.DataArray) -> Iterator[tuple[Any, xr.DataArray]]:
    """The values of each label of a dim, or all together under None. Raises InputError for a dim that is not there."""
    if each is None:
        yield None, values
        return
    if each not in values.dims:
        raise refuse("rule.each", each, [str(name) for name in values.dims])
    for label in values[each].values.tolist():
        yield label, values.sel({each: label})


def _place(label: Any, values: xr.DataArray, rule: Reading) -> PlaceOutcome:
    """The statistic with its interval over seeds; or, of numbers without chance, alone or with their range."""
    labels = {} if label is None else {str(rule.each): label}
    where = "everywhere" if label is None else str(label)
    if "seed" in values.dims:
        return replace(judging.place(labels, _over_seeds(values, rule), rule.asked), where=where)
    numbers = values.values[np.isfinite(values.values)]
    if not len(numbers):
        return PlaceOutcome(where, "cannot tell", np.nan, np.nan, np.nan, 0, "no number", labels=labels)
    if rule.statistic == "all":
        return _all(where, labels, numbers, rule)
    effect = float(STATISTICS[rule.statistic](numbers, rule))
    note = f"{rule.statistic} of {len(numbers)}" if len(numbers) > 1 else ""
    word: Word = "answered" if rule.statistic == "share" else rule.word(effect)
    ends = (effect * (1 - rule.error), effect * (1 + rule.error)) if rule.error else (np.nan, np.nan)
    kind = "model error" if rule.error else ""
    return PlaceOutcome(where, word, effect, *ends, len(numbers), note, kind=kind, labels=labels)


def _all(where: str, labels: dict[str, Any], numbers: np.ndarray, rule: Reading) -> PlaceOutcome:
    """The middle of all numbers with their range, and one word for all of them."""
    found: set[Word] = {rule.word(number) for number in numbers}
    ends = (float(numbers.min()), float(numbers.max())) if len(numbers) > 1 else (np.nan, np.nan)
    note = f"{sum(rule.word(number) == 'supported' for number in numbers)} of {len(numbers)} within"
    kind = "range" if len(numbers) > 1 else ""
    word: Word = next(iter(found)) if len(found) == 1 else "depends"
    return PlaceOutcome(
        where, word, float(np.median(numbers)), *ends, len(numbers), note, kind=kind, labels=labels
    )


def _over_seeds(values: xr.DataArray, rule: Reading) -> Effects:
    """For each seed the statistic of its numbers (their mean, if it is "all"); seeds with a gap are left out."""
    statistic = STATISTICS.get(rule.statistic, STATISTICS["mean"])
    rows = values.transpose("seed", ...).values.reshape(values.sizes["seed"], -1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    return Effects(np.array([statistic(row, rule) for row in rows]), ratio=rule.logarithm)
