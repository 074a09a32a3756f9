"""One method against another, paired by seed."""

from typing import Literal

import xarray as xr

from rebuttal.evidence import judging, quantities, target_sweep
from rebuttal.evidence.judging import Effects, PlaceOutcome
from rebuttal.evidence.naming import number
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found, Names, Number
from rebuttal.evidence.rules.run_rule import WHAT, RunRule, some, where_of


class Compare(RunRule):
    """`of` against `against`, paired by seed, on every workload and machine.

    Each side names labels, or methods for all of their variants; of several the best is taken, chosen on validation
    data. Times and seconds per update are
    compared as ratios (of / against), everything else as differences (of - against). better: which side of `margin`
    supports the statement; "equal" is support within the margin on both sides.
    """

    kind: Literal["compare"]
    of: Names
    against: Names
    better: Literal["higher", "lower", "equal"]
    margin: Number

    @property
    def ratio(self) -> bool:
        """Whether it compares by a ratio."""
        return self.what in quantities.RATIOS

    def judge(self, data: Results) -> Found:
        """The effect of every place, and over all of them seed by seed."""
        sides = [
            quantities.expand(data.curves, f"rule.{key}", names)
            for key, names in (("of", self.of), ("against", self.against))
        ]
        given = (self.what, self.rate, self.target)
        read = quantities.times_over_sweep if self.what.endswith("_to_target") else quantities.quantity
        values = read(data, *given)
        chosen = [quantities.best_of(data, labels, *given) for labels in sides]
        found: list[tuple[PlaceOutcome, Effects]] = []
        for place in self.places(values, data):
            first, second = (str(label.sel(place).item()) for label in chosen)
            effects, over = _effects(values.sel(place), first, second, self.ratio)
            note = f"{first} against {second}" if [first, second] != [*self.of, *self.against] else ""
            note = "; ".join(text for text in (note, over) if text)
            if effects.n + effects.lost:
                outcome = judging.part(where_of(place), effects, self.better, self.margin, note)
                found.append((outcome, effects))
        unit = "times" if self.ratio else quantities.UNITS[self.what]
        pooled = judging.pooled([effects for _, effects in found]).interval()
        files = quantities.files(data, self.what, [*sides[0], *sides[1]])
        return Found(tuple(outcome for outcome, _ in found), pooled, unit, self.conditions(data), files)

    def in_words(self) -> str:
        """What is compared, and which side supports it."""
        pair = f"{some(self.of)} {'divided by' if self.ratio else 'minus'} {some(self.against)}"
        opposite = 1 / self.margin if self.ratio and self.margin else -self.margin
        low, high = sorted((self.margin, opposite))
        side = {"higher": f"above {number(self.margin)}", "lower": f"below {number(self.margin)}",
                "equal": f"between {number(low)} and {number(high)}"}[self.better]  # fmt: skip
        return f"{WHAT[self.what]}, {pair}: {side}{self.where()}"

    def measured(self) -> str:
        """What is compared."""
        sign = "over" if self.ratio else "minus"
        return f"{WHAT[self.what]}: {some(self.of)} {sign} {some(self.against)}"


def _effects(values: xr.Dataset, of: str, against: str, ratio: bool) -> tuple[Effects, str]:
    sides = [values.value.sel({"method": label}) for label in (of, against)]
    if "target" in values.dims:
        times = [side.transpose("target", "seed").values for side in sides]
        ends = [values.end.sel({"method": label}).values for label in (of, against)]
        return target_sweep.ratios(*times, *ends, values.goal.values)
    pair = [side.values for side in sides]
    return (judging.ratios(*pair) if ratio else judging.differences(*pair)), ""
