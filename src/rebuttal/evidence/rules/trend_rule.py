"""The slope of a quantity along the variants of a method."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from rebuttal.evidence import datasets, judging, quantities
from rebuttal.evidence.judging import Effects, PlaceOutcome
from rebuttal.evidence.naming import number, words
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found, Text
from rebuttal.evidence.rules.run_rule import WHAT, RunRule, where_of


class Trend(RunRule):
    """The slope of `what` along the variants whose labels begin with `of`: rising or falling by more than margin."""

    kind: Literal["trend"]
    of: Text
    direction: Literal["rising", "falling"]
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False, description="a number >= 0")] = 0.0

    def judge(self, data: Results) -> Found:
        """The slope of every place, seed by seed; seeds with a gap or a miss have none."""
        values = quantities.quantity(data, self.what, self.rate, self.target).value
        along = datasets.by_parameter(values, self.of)
        each = datasets.slopes(along.where(np.isfinite(along)))
        better, sign = ("higher", 1) if self.direction == "rising" else ("lower", -1)
        found: list[tuple[PlaceOutcome, Effects]] = []
        for place in self.places(each.to_dataset(name="value"), data):
            missing = int(np.isinf(along.sel(place).transpose("seed", "parameter").values).any(axis=1).sum())
            row = each.sel(place).values
            effects = Effects(row[~np.isnan(row)], ratio=False, lost=missing)
            if effects.n + effects.lost:
                outcome = judging.part(where_of(place), effects, better, sign * self.margin)
                found.append((outcome, effects))
        unit = "" if self.what in quantities.RATIOS else quantities.UNITS[self.what]
        labels = [str(label) for label in data.curves.method.values if str(label).startswith(self.of)]
        pooled = judging.pooled([effects for _, effects in found]).interval()
        unit = f"{unit} per unit of {self.of.rstrip('=')}".strip()
        files = quantities.files(data, self.what, labels)
        return Found(tuple(outcome for outcome, _ in found), pooled, unit, self.conditions(data), files)

    def in_words(self) -> str:
        """Along what, and which sign supports it."""
        sign, margin = (
            ("above", self.margin) if self.direction == "rising" else ("below", -self.margin or 0.0)
        )
        slope = f"slope of the {WHAT[self.what]} along {words(self.of.rstrip('='))}"
        return f"{slope}: {sign} {number(margin)}{self.where()}"

    def measured(self) -> str:
        """Whose slope."""
        return f"slope of the {WHAT[self.what]}"
