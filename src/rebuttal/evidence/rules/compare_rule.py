"""One method against another, paired by seed."""

from typing import Annotated, Literal

import xarray as xr
from pydantic import AfterValidator, BeforeValidator, Field

from rebuttal.evidence import judging, quantities, target_sweep
from rebuttal.evidence.judging import Asked, Effects, PlaceOutcome
from rebuttal.evidence.naming import number
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found, Names, Number
from rebuttal.evidence.rules.run_rule import WHAT, RunRule, some

SAME_TIME, SAME_ACCURACY = 1.15, 0.01  # what counts as no difference, unless a rule says otherwise
ACCURACIES = ("final_test_metric", "final_test_error")


def _listed(given: object) -> object:
    return given if isinstance(given, list) else [given]


def _rising(given: list[float]) -> list[float]:
    if given != sorted(given):
        raise ValueError("the wrong way round")
    return given


class Compare(RunRule):
    """`of` against `against`, paired by seed, on every workload and machine.

    Each side names labels, or methods for all of their variants; of several the best is taken, chosen on validation
    data. Times and seconds per update are
    compared as ratios (of / against), everything else as differences (of - against). better: which side of `margin`
    supports the statement; "equal" is support within the margin on both sides. Of two margins, the lower one ends
    what lies clearly below, and the higher one what lies clearly above. same: up to which ratio, or difference, either
    way there is no difference.
    """

    kind: Literal["compare"]
    of: Names
    against: Names
    better: Literal["higher", "lower", "equal"]
    margin: Annotated[
        list[Number],
        Field(min_length=1, max_length=2, description="a number, or two, the lower first"),
        BeforeValidator(_listed),
        AfterValidator(_rising),
    ]
    same: Number | None = None

    @property
    def ratio(self) -> bool:
        """Whether it compares by a ratio."""
        return self.what in quantities.RATIOS

    @property
    def asked(self) -> Asked:
        """What is asked of the effect: its edges, and where a difference counts as none."""
        if self.better == "equal":
            return Asked("equal", *judging.edges(self.margin[0], self.ratio))
        usual = SAME_TIME if self.ratio else SAME_ACCURACY if self.what in ACCURACIES else None
        same = usual if self.same is None else self.same
        around = None if same is None else judging.edges(same, self.ratio)
        return Asked(self.better, self.margin[0], self.margin[-1], around)

    def judge(self, data: Results) -> Found:
        """The effect of every place."""
        sides = [
            quantities.expand(data.curves, f"rule.{key}", names)
            for key, names in (("of", self.of), ("against", self.against))
        ]
        given = (self.what, self.rate, self.target)
        read = quantities.times_over_sweep if self.what.endswith("_to_target") else quantities.quantity
        values = read(data, *given)
        chosen = [quantities.best_of(data, labels, *given) for labels in sides]
        found: list[PlaceOutcome] = []
        for place in self.places(values, data):
            first, second = (str(label.sel(place).item()) for label in chosen)
            effects, over = _effects(values.sel(place), first, second, self.ratio)
            note = f"{first} against {second}" if [first, second] != [*self.of, *self.against] else ""
            note = "; ".join(text for text in (note, over) if text)
            if effects.n + effects.lost:
                found.append(judging.place(place, effects, self.asked, note))
        unit = "times" if self.ratio else quantities.UNITS[self.what]
        files = quantities.files(data, self.what, [*sides[0], *sides[1]])
        return Found(
            self.distinct(found), self.asked, unit, self.conditions(data), files, epochs=self.epochs(data)
        )

    def in_words(self) -> str:
        """What is compared, and which side supports it."""
        pair = f"{some(self.of)} {'divided by' if self.ratio else 'minus'} {some(self.against)}"
        asked = self.asked
        side = {"higher": f"above {number(asked.high)}", "lower": f"below {number(asked.low)}",
                "equal": f"between {number(asked.low)} and {number(asked.high)}"}[self.better]  # fmt: skip
        none = f"; no difference: {number(asked.same[0])} to {number(asked.same[1])}" if asked.same else ""
        return f"{WHAT[self.what]}, {pair}: {side}{none}{self.where()}"

    def measured(self) -> str:
        """What is compared."""
        sign = "over" if self.ratio else "minus"
        return f"{WHAT[self.what]}: {some(self.of)} {sign} {some(self.against)}"


def _effects(values: xr.Dataset, of: str, against: str, ratio: bool) -> tuple[Effects, str]:
    sides = [values.value.sel({"method": label}) for label in (of, against)]
    if "target" in values.dims:
        first, second = (side.transpose("target", "seed").values for side in sides)
        first_end, second_end = (values.end.sel({"method": label}).values for label in (of, against))
        return target_sweep.ratios(first, second, first_end, second_end, values.goal.values)
    pair = [side.values for side in sides]
    return (judging.ratios(*pair) if ratio else judging.differences(*pair)), ""
