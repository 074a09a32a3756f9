"""Where a variable of an analysis crosses a level, along an ordered dim: a boundary, and no verdict."""

from typing import Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from rebuttal.base.errors import refuse
from rebuttal.evidence import analyses_in_words, student
from rebuttal.evidence.judging import CHANCE, PlaceOutcome
from rebuttal.evidence.naming import number
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.reading_rule import Where, labelled, read
from rebuttal.evidence.rules.rule import Found, Number, Rule, Text


class Boundary(Rule):
    """Where `variable` first crosses `level` along the dim `along`, for each label of `each`.

    By a straight line over the logarithm of `along`. Along a dim `seed` there is an interval; of other dims the middle
    value counts.
    """

    kind: Literal["boundary"]
    data: Text
    variable: Text
    level: Number
    along: Text
    where: Annotated[Where, Field(description="labels by dim, as in {form: delayed}")] = Field(
        default_factory=dict
    )
    each: Text | None = None
    of_study = False

    @property
    def decides(self) -> bool:
        """It says where, neither yes nor no."""
        return False

    def judge(self, data: Results) -> Found:
        """The crossing for each label of `each`. Raises InputError for what is not in the analysis."""
        values, conditions, files = read(self, data)
        if self.along not in values.dims:
            raise refuse("rule.along", self.along, [str(name) for name in values.dims])
        places = tuple(_place(label, some, self) for label, some in labelled(self.each, values))
        return Found(places, None, "", conditions, files)

    def in_words(self) -> str:
        """What crosses which level, along what."""
        each = f", for each {analyses_in_words.plain(self.each)}" if self.each else ""
        return f"where the {self._what()} crosses {number(self.level)}{each}"

    def measured(self) -> str:
        """The place of the crossing."""
        return (
            f"{analyses_in_words.plain(self.along)} at which the {self._what()} crosses {number(self.level)}"
        )

    def _what(self) -> str:
        what = analyses_in_words.variable(self.data, self.variable)
        return f"{what}{analyses_in_words.where(self.where, short=True)}"


def _place(label: object, values: xr.DataArray, rule: Boundary) -> PlaceOutcome:
    labels = {} if label is None else {str(rule.each): label}
    where = "everywhere" if label is None else str(label)
    others = [dim for dim in values.dims if dim not in (rule.along, "seed")]
    middle = values.median(others).sortby(rule.along)
    along = middle[rule.along].values.astype(float)
    rows = middle.transpose(..., rule.along).values.reshape(-1, len(along))
    found = np.array([_crossing(row, along, rule.level) for row in rows])
    found = found[np.isfinite(found)]
    note = "" if len(found) == len(rows) else f"not crossed in {len(rows) - len(found)} of {len(rows)}"
    effect, low, high = np.exp(student.interval(np.log(found)))
    kind = CHANCE if "seed" in values.dims else ""
    word = "answered" if len(found) else "cannot tell"
    return PlaceOutcome(
        where, word, float(effect), float(low), float(high), len(found), note, kind=kind, labels=labels
    )


def _crossing(values: np.ndarray, along: np.ndarray, level: float) -> float:
    """Where values first change sides of a level, NaN left out; NaN if they never do."""
    there = np.isfinite(values) & (along > 0)
    gaps, logs = values[there] - level, np.log(along[there])
    changes = np.flatnonzero(gaps[:-1] * gaps[1:] <= 0)
    if not len(changes):
        return np.nan
    at = changes[0]
    span = gaps[at] - gaps[at + 1]
    return float(np.exp(logs[at] + (gaps[at] / span if span else 0.0) * (logs[at + 1] - logs[at])))
