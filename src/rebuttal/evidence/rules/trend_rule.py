"""The slope of a quantity along the variants of a method."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from rebuttal.evidence import datasets, judging, quantities
from rebuttal.evidence.judging import Asked, Effects, PlaceOutcome
from rebuttal.evidence.naming import number, words
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found, Text
from rebuttal.evidence.rules.run_rule import WHAT, RunRule


class Trend(RunRule):
    """The slope of `what` along the variants whose labels begin with `of`: rising or falling by more than margin."""

    kind: Literal["trend"]
    of: Text
    direction: Literal["rising", "falling"]
    margin: Annotated[float, Field(ge=0, allow_inf_nan=False, description="a number >= 0")] = 0.0

    @property
    def asked(self) -> Asked:
        """On which side of the margin support lies."""
        if self.direction == "rising":
            return Asked("higher", self.margin, self.margin)
        return Asked("lower", -self.margin, -self.margin)

    def judge(self, data: Results) -> Found:
        """The slope of every place, seed by seed; seeds with a gap or a miss have none."""
        values = quantities.quantity(data, self.what, self.rate, self.target).value
        along = datasets.by_parameter(values, self.of)
        each = datasets.slopes(along.where(np.isfinite(along)))
        found: list[PlaceOutcome] = []
        for place in self.places(each.to_dataset(name="value"), data):
            missing = int(np.isinf(along.sel(place).transpose("seed", "parameter").values).any(axis=1).sum())
            row = each.sel(place).values
            effects = Effects(row[~np.isnan(row)], ratio=False, lost=missing)
            if effects.n + effects.lost:
                found.append(judging.place(place, effects, self.asked))
        unit = "" if self.what in quantities.RATIOS else quantities.UNITS[self.what]
        labels = [str(label) for label in data.curves.method.values if str(label).startswith(self.of)]
        unit = f"{unit} per unit of {self.of.rstrip('=')}".strip()
        files = quantities.files(data, self.what, labels)
        mean = along.where(np.isfinite(along)).mean([dim for dim in along.dims if dim != "parameter"])
        levels = {
            f"{at:g}": float(level) for at, level in zip(mean.parameter.values, mean.values, strict=True)
        }
        return Found(
            self.distinct(found), self.asked, unit, self.conditions(data), files, levels, self.epochs(data)
        )

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
