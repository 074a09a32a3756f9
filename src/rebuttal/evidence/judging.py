"""From one number per run to a status: which side of a margin an interval lies on, censored runs included."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from rebuttal.evidence import student
from rebuttal.evidence.student import Interval

Status = Literal["supported", "contradicted", "mixed", "undecided", "answered", "open"]
FEWEST_SEEDS = 5


class Tails(NamedTuple):
    """One-sided p-values: how likely data like these, or clearer ones, are if the status named is wrong."""

    supported: float
    contradicted: float


NO_EVIDENCE = Tails(1.0, 1.0)


@dataclass(frozen=True)
class PlaceOutcome:
    """The outcome in one place (a workload on a machine, or a straggler model). p: None where no chance enters."""

    where: str
    status: Status
    effect: float
    low: float
    high: float
    n: int
    note: str = ""
    p: Tails | None = None


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

    def interval(self) -> Interval:
        """Mean effect with its interval, open on the sides on which misses leave it open."""
        found = student.interval(self.values)
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


def side(interval: Interval, better: str, margin: float, ratio: bool) -> Status:
    """supported or contradicted if the whole interval lies on one side of the margin, else undecided.

    better "higher" (above the margin is support), "lower" (below is), "equal" (between the margin and its mirror
    image: 1 / margin for ratios, -margin for differences).
    """
    if better == "equal":
        low, high = edges(margin, ratio)
        inside = low <= interval.low and interval.high <= high
        outside = interval.low > high or interval.high < low
    else:
        above, below = interval.low > margin, interval.high < margin
        inside, outside = (above, below) if better == "higher" else (below, above)
    return "supported" if inside else "contradicted" if outside else "undecided"


def edges(margin: float, ratio: bool) -> tuple[float, float]:
    """The margin and its mirror image, the lower one first."""
    low, high = sorted((1 / margin, margin) if ratio else (-margin, margin))
    return low, high


def tails(effects: Effects, better: str, margin: float) -> Tails:
    """The p-values behind `side`: a status is given where its own is at most half of what the interval leaves out.

    Equality is two one-sided tests, both of which must reject; one of them is enough against it.
    """
    if effects.n < FEWEST_SEEDS:
        return NO_EVIDENCE
    if better == "equal":
        return between(*map(effects.tails, edges(margin, effects.ratio)))
    above, below = effects.tails(margin)
    return Tails(above, below) if better == "higher" else Tails(below, above)


def between(at_low: tuple[float, float], at_high: tuple[float, float]) -> Tails:
    """The p-values of lying between two edges, from those of lying above and below each."""
    (above_low, below_low), (above_high, below_high) = at_low, at_high
    return Tails(max(above_low, below_high), min(below_low, above_high))


def part(where: str, effects: Effects, better: str, margin: float, note: str = "") -> PlaceOutcome:
    """The status of one place; fewer than five pairs decide nothing."""
    interval = effects.interval()
    status = side(interval, better, margin, effects.ratio) if effects.n >= FEWEST_SEEDS else "undecided"
    notes = "; ".join(text for text in (note, effects.note()) if text)
    return PlaceOutcome(where, status, *interval, effects.n, notes, tails(effects, better, margin))


def combine(statuses: Iterable[Status]) -> Status:
    """One status of several: theirs if they agree, mixed if some support and some contradict, else undecided.

    What was answered in words bends no verdict; where there is nothing, the question is open.
    """
    found = set(statuses)
    if not found:
        return "open"
    if found != {"answered"}:
        found.discard("answered")
    if len(found) == 1:
        return found.pop()
    if "mixed" in found or {"supported", "contradicted"} <= found:
        return "mixed"
    return "undecided"


def pooled(effects: list[Effects]) -> Effects:
    """The mean effect of each seed over the places where every seed counts, or of all pairs if their numbers differ."""
    if not effects:
        return Effects(np.array([]), ratio=False)
    same = len({one.n for one in effects}) == 1
    values = (
        np.mean([one.values for one in effects], axis=0)
        if same
        else np.concatenate([one.values for one in effects])
    )
    counts = (sum(getattr(one, name) for one in effects) for name in ("at_least", "at_most", "lost"))
    return Effects(values, effects[0].ratio, *counts)
