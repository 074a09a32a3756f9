"""From one number per run to a word: which side of a margin an interval lies on, censored runs included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from rebuttal.evidence import student
from rebuttal.evidence.student import Interval

Word = Literal["supported", "contradicted", "depends", "no difference", "cannot tell", "answered", "open"]
Better = Literal["higher", "lower", "equal", "within"]
FEWEST_SEEDS = 5
CHANCE, EQUIVALENCE = (
    "95 % interval",
    "90 % interval",
)  # what is printed beside a word, by the test that gave it


class Tails(NamedTuple):
    """One-sided p-values: how likely data like these, or clearer ones, are if the word named is wrong."""

    supported: float
    contradicted: float
    same: float = 1.0


NO_EVIDENCE = Tails(1.0, 1.0)


@dataclass(frozen=True)
class Asked:
    """What a rule asks of an effect.

    better "higher": support above `high`, contradiction below `low`; "lower": the reverse; "equal" and "within":
    support between the two, contradiction outside. same: between which bounds a difference is none; None: nowhere.
    """

    better: Better
    low: float
    high: float
    same: tuple[float, float] | None = None

    @property
    def margin(self) -> list[float]:
        """The edges that decide, each once."""
        return [edge for edge in dict.fromkeys((self.low, self.high)) if np.isfinite(edge)]

    def word(self, low: float, high: float) -> Word:
        """supported or contradicted if a whole interval lies on one side, else cannot tell."""
        above, below = low > self.high, high < self.low
        if self.better in ("equal", "within"):
            inside, outside = self.low <= low and high <= self.high, above or below
        else:
            inside, outside = (above, below) if self.better == "higher" else (below, above)
        return "supported" if inside else "contradicted" if outside else "cannot tell"


@dataclass(frozen=True)
class PlaceOutcome:
    """The outcome in one place (a workload on a machine, or a label of an analysis).

    p: None where no chance enters. labels: the place by dim. effects: those of each seed, where there are seeds.
    """

    where: str
    word: Word
    effect: float
    low: float
    high: float
    n: int
    note: str = ""
    p: Tails | None = None
    kind: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)
    effects: "Effects | None" = field(default=None, compare=False)  # an array, of which the rest is made


@dataclass(frozen=True)
class Effects:
    """One effect per pair of runs, as logarithms of ratios or as differences.

    at_least, at_most: how many of them are only a lower or an upper bound, because a run ended before its target.
    lost: pairs in which both ended, which say nothing.
    """

    values: np.ndarray
    ratio: bool
    at_least: int = 0
    at_most: int = 0
    lost: int = 0

    @property
    def n(self) -> int:
        """Pairs that say something."""
        return len(self.values)

    def interval(self, confidence: float = student.CONFIDENCE) -> Interval:
        """Mean effect with its interval, open on the sides on which misses leave it open."""
        found = student.interval(self.values, confidence)
        estimate, low, high = np.exp(found) if self.ratio else np.array(found)
        floor = 0.0 if self.ratio else -np.inf
        return Interval(
            float(estimate), floor if self.at_most else float(low), np.inf if self.at_least else float(high)
        )

    def tails(self, edge: float) -> tuple[float, float]:
        """One-sided p-values that the effect is above an edge, and below; misses leave the open side without one."""
        if self.ratio:
            edge = np.log(edge) if edge > 0 else -np.inf
        above, below = student.tails(self.values, edge)
        return 1.0 if self.at_most else above, 1.0 if self.at_least else below

    def note(self) -> str:
        """How many pairs were censored, in words; empty if none."""
        words = [(self.at_least, "the first missed the target"), (self.at_most, "the second missed the target"),
                 (self.lost, "both missed it or needed no training")]  # fmt: skip
        return "; ".join(f"{what} in {count} pairs" for count, what in words if count)


class Sampled(Protocol):
    """What has an interval and tests: the effects of one place, or the effect over places."""

    @property
    def n(self) -> int:
        """The fewest seeds behind it."""
        ...

    def interval(self, confidence: float = ...) -> Interval:
        """The effect with its interval."""
        ...

    def tails(self, edge: float) -> tuple[float, float]:
        """One-sided p-values that the effect is above an edge, and below."""
        ...


def differences(of: np.ndarray, against: np.ndarray) -> Effects:
    """of - against for the seeds that both were run with."""
    return Effects((of - against)[~np.isnan(of - against)], ratio=False)


def ratios(
    of: np.ndarray,
    against: np.ndarray,
    of_end: np.ndarray | None = None,
    against_end: np.ndarray | None = None,
) -> Effects:
    """log(of / against) for the seeds that both were run with, misses included.

    A run that missed the target is given the time at which it ended, less than it would have needed: the ratio is
    then a bound. Pairs in which both missed, or one was at the target before training, say nothing and are counted.
    """
    there = ~(np.isnan(of) | np.isnan(against))
    first, second = np.isinf(of), np.isinf(against)
    lost = there & ((first & second) | (of <= 0) | (against <= 0))
    kept = there & ~lost
    above = np.where(first, of_end, of) if of_end is not None else of
    below = np.where(second, against_end, against) if against_end is not None else against
    logs = np.log(above[kept]) - np.log(below[kept])
    counts = (int((which & kept).sum()) for which in (first, second))
    return Effects(logs, True, *counts, lost=int(lost.sum()))


def edges(margin: float, ratio: bool) -> tuple[float, float]:
    """The margin and its mirror image (1 / margin for ratios, -margin for differences), the lower one first."""
    low, high = sorted((1 / margin, margin) if ratio else (-margin, margin))
    return low, high


def tails(effects: Sampled, asked: Asked) -> Tails:
    """The p-values behind a word; equality is two one-sided tests, both of which must reject."""
    if effects.n < FEWEST_SEEDS:
        return NO_EVIDENCE
    (above_low, below_low), (above_high, below_high) = map(effects.tails, (asked.low, asked.high))
    inside, outside = max(above_low, below_high), min(below_low, above_high)
    same = max(effects.tails(asked.same[0])[0], effects.tails(asked.same[1])[1]) if asked.same else 1.0
    if asked.better in ("equal", "within"):
        return Tails(inside, outside, same)
    return (
        Tails(above_high, below_low, same) if asked.better == "higher" else Tails(below_low, above_high, same)
    )


def judged(effects: Sampled, asked: Asked) -> tuple[Word, Interval, str]:
    """A word, the interval that decided it, and of which kind that is; fewer than five pairs decide nothing.

    A difference is looked for at 95 %. Where none is clear, equivalence is: two one-sided tests at 5 %, that is, the
    90 % interval within the margin.
    """
    found, narrow = effects.interval(), effects.interval(0.9)
    if effects.n < FEWEST_SEEDS:
        return "cannot tell", Interval(found.estimate, np.nan, np.nan), ""
    word = asked.word(found.low, found.high)
    if word == "cannot tell" and asked.better == "equal":
        word, found, kind = asked.word(narrow.low, narrow.high), narrow, EQUIVALENCE
        return (word, found, kind) if word == "supported" else ("cannot tell", effects.interval(), CHANCE)
    if word == "cannot tell" and asked.same and asked.same[0] <= narrow.low and narrow.high <= asked.same[1]:
        return "no difference", narrow, EQUIVALENCE
    return word, found, CHANCE


def place(labels: Mapping[str, Any], effects: Effects, asked: Asked, note: str = "") -> PlaceOutcome:
    """The outcome of one place from the effects of its seeds."""
    word, interval, kind = judged(effects, asked)
    few = "fewer than five seeds" if effects.n < FEWEST_SEEDS else ""
    notes = "; ".join(text for text in (note, effects.note(), few) if text)
    where = ", ".join(map(str, labels.values()))
    return PlaceOutcome(
        where, word, *interval, effects.n, notes, tails(effects, asked), kind, dict(labels), effects
    )
