"""What a comparison of accuracies or losses would say had each side been tuned with fewer learning rates.

Both sides try the same n of the grid's rates, each keeps the one with the least validation loss, and what the rule asks
of the test set is asked of the validation data of those runs. A verdict at n is that of at least CERTAIN of all choices
of n rates. So the chance in it is that of tuning alone, and the verdict on the reported seeds is another matter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeGuard

import numpy as np
import xarray as xr

from rebuttal.evidence import datasets, quantities
from rebuttal.evidence.judging import Word
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.compare_rule import Compare

CERTAIN = 0.975


@dataclass(frozen=True)
class Budgets:
    """One comparison in one place: the shares of choices of n = 1, 2, ... rates that support or contradict it."""

    where: str
    of: str
    against: str
    supporting: tuple[float, ...]
    contradicting: tuple[float, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """The verdict for each n."""
        pairs = zip(self.supporting, self.contradicting, strict=True)
        return tuple(
            "supported" if yes >= CERTAIN else "contradicted" if no >= CERTAIN else "cannot tell"
            for yes, no in pairs
        )


def applies(rule: object) -> TypeGuard[Compare]:
    """Whether a rule compares what the tuning runs have: accuracies or losses at the end, at tuned rates."""
    return isinstance(rule, Compare) and rule.what.startswith("final_") and rule.rate == "tuned"


def at_budgets(rule: Compare, data: Results) -> list[Budgets]:
    """The comparison of a rule at every tuning budget, in every place where both sides were tuned.

    Of several variants on a side, the one that the verdict takes stands for it.
    """
    sides = [quantities.expand(data.curves, "rule", names) for names in (rule.of, rule.against)]
    chosen = [quantities.best_of(data, labels, rule.what, rule.rate, rule.target) for labels in sides]
    found = []
    for workload in quantities.workloads_of(data, rule.what, rule.workloads):
        for machine in rule.machines or data.curves.machine.values.tolist():
            place = {"workload": workload, "machine": machine}
            of, against = (str(labels.sel(place).item()) for labels in chosen)
            yes, no = _shares(
                rule, *(_side(data.tuning.sel(place), label, rule) for label in (of, against))
            ).T
            if np.isfinite(yes).any():
                found.append(
                    Budgets(", ".join(place.values()), of, against, tuple(yes.tolist()), tuple(no.tolist()))
                )
    return found


def _side(tuning: xr.Dataset, label: str, rule: Compare) -> tuple[np.ndarray, np.ndarray]:
    """The validation loss of each rate (infinite where a run diverged), and what the rule compares."""
    loss, metric = datasets.over_tuning_seeds(tuning.sel({"method": label}))
    values = {"final_test_loss": loss, "final_test_metric": metric,
              "final_test_error": datasets.error(metric, tuning)}[rule.what]  # fmt: skip
    return loss.fillna(np.inf).values, values.values


def _shares(rule: Compare, *sides: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """For each n, the share of choices on the supporting side of the margin, and on the other: [n, 2].

    Choices of which every rate diverged on a side say nothing; NaN if all do.
    """
    rates = range(len(sides[0][0]))
    found = []
    for n in range(1, len(rates) + 1):
        gaps = np.array([_gap(list(chosen), sides) for chosen in combinations(rates, n)])
        gaps = gaps[np.isfinite(gaps)]
        found.append([side(gaps).mean() if len(gaps) else np.nan for side in _sides(rule)])
    return np.array(found)


def _gap(chosen: list[int], sides: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Of the two sides' best rates among the chosen; NaN where a side has none."""
    best = [chosen[int(loss[chosen].argmin())] for loss, _ in sides]
    if not all(np.isfinite(loss[rate]) for rate, (loss, _) in zip(best, sides, strict=True)):
        return np.nan
    one, other = (values[rate] for rate, (_, values) in zip(best, sides, strict=True))
    return float(one - other)


def _sides(rule: Compare) -> list[Callable[[np.ndarray], np.ndarray]]:
    """Whether gaps are on the supporting side of the rule's margin, and whether they are on the other."""
    asked = rule.asked
    sides: dict[str, tuple[Callable, Callable]] = {
        "equal": (lambda gap: abs(gap) < asked.high, lambda gap: abs(gap) > asked.high),
        "higher": (lambda gap: gap > asked.high, lambda gap: gap < asked.low),
        "lower": (lambda gap: gap < asked.low, lambda gap: gap > asked.high),
    }
    return list(sides[rule.better])
