"""From one number per run to a status: which side of a margin an interval lies on, censored runs included."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rebuttal.stats import arrays
from rebuttal.stats.arrays import Interval

Status = Literal["supported", "contradicted", "mixed", "undecided", "answered", "open"]
FEWEST_SEEDS = 5


@dataclass(frozen=True)
class Part:
    """The outcome in one place (a workload on a machine, or a straggler model)."""

    where: str
    status: Status
    effect: float
    low: float
    high: float
    n: int
    note: str = ""


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
        found = arrays.bootstrap(self.values, arrays.RESAMPLES)
        estimate, low, high = np.exp(found) if self.ratio else np.array(found)
        floor = 0.0 if self.ratio else -np.inf
        return Interval(
            float(estimate), floor if self.at_most else float(low), np.inf if self.at_least else float(high)
        )

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
        edges = sorted((1 / margin, margin) if ratio else (-margin, margin))
        inside = edges[0] <= interval.low and interval.high <= edges[1]
        outside = interval.low > edges[1] or interval.high < edges[0]
    else:
        above, below = interval.low > margin, interval.high < margin
        inside, outside = (above, below) if better == "higher" else (below, above)
    return "supported" if inside else "contradicted" if outside else "undecided"


def part(where: str, effects: Effects, better: str, margin: float, note: str = "") -> Part:
    """The status of one place; fewer than five pairs decide nothing."""
    interval = effects.interval()
    status = side(interval, better, margin, effects.ratio) if effects.n >= FEWEST_SEEDS else "undecided"
    notes = "; ".join(text for text in (note, effects.note()) if text)
    return Part(where, status, *interval, effects.n, notes)


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
