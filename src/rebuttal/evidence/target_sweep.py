"""The ratio of two methods' times to a target, over the sweep of targets and not at one level of a noisy curve."""

import numpy as np

from rebuttal.evidence import judging
from rebuttal.evidence.judging import Effects

# Times are [target, seed]; the first target is the rule's own. Ends are [seed].


def ratios(
    of: np.ndarray, against: np.ndarray, of_end: np.ndarray, against_end: np.ndarray, goals: np.ndarray
) -> tuple[Effects, str]:
    """The mean log ratio of each pair over the targets that every run of both sides reached, and how many those are.

    goals: the level of every target; equal ones count once. Where not every run reached any, the ratio at the rule's
    own target, in which a miss is a bound.
    """
    there = ~(np.isnan(of[0]) | np.isnan(against[0]))
    alone = judging.ratios(of[0], against[0], of_end, against_end)
    if not there.any():
        return alone, ""
    levels = np.unique(goals, return_index=True)[1]
    one, other = of[levels][:, there], against[levels][:, there]
    reached = (np.isfinite(one) & (one > 0) & np.isfinite(other) & (other > 0)).all(axis=1)
    if not reached.any():
        return alone, "at one target"
    logs = (np.log(one[reached]) - np.log(other[reached])).mean(axis=0)
    return Effects(logs, ratio=True), f"over {reached.sum()} of {len(levels)} targets"
