"""What a comparison of accuracies or losses would say had each side been tuned with fewer learning rates.

Both sides draw n of the grid's rates, each keeps the one with the least validation loss, and what the rule asks of the
test set is asked of the validation data of those runs. A verdict at n is that of at least CERTAIN of all draws. So the
chance in it is that of tuning alone, and the verdict on the reported seeds is another matter.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from rebuttal.stats import datasets, quantities, tuning_budget
from rebuttal.stats.judging import Status
from rebuttal.stats.quantities import Results
from rebuttal.verdict_rules import Compare

CERTAIN = 0.975


@dataclass(frozen=True)
class Budgets:
    """One comparison in one place: the shares of draws of n = 1, 2, ... rates that support or contradict it."""

    where: str
    of: str
    against: str
    supporting: tuple[float, ...]
    contradicting: tuple[float, ...]

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The verdict for each n."""
        pairs = zip(self.supporting, self.contradicting, strict=True)
        return tuple(
            "supported" if yes >= CERTAIN else "contradicted" if no >= CERTAIN else "undecided"
            for yes, no in pairs
        )


def applies(rule: object) -> bool:
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
            yes, no = _shares(rule, *(_side(data.tuning.sel(place), label, rule) for label in (of, against)))
            if np.isfinite(yes).any():
                found.append(
                    Budgets(", ".join(place.values()), of, against, tuple(yes.tolist()), tuple(no.tolist()))
                )
    return found


def _side(tuning: xr.Dataset, label: str, rule: Compare) -> tuple[np.ndarray, np.ndarray]:
    """Values [rate] of one method as the rule compares them, and the chance [n, rate] that each is chosen."""
    here = tuning.sel({"method": label})
    loss = here.validation_loss.where(here.diverged == 0).mean("seed", skipna=False)
    metric = here.validation_metric.mean("seed", skipna=False)
    values = {"final_test_loss": loss, "final_test_metric": metric,
              "final_test_error": datasets.error(metric, tuning)}[rule.what]  # fmt: skip
    return values.values, tuning_budget.chances(loss.values)


def _shares(
    rule: Compare, of: tuple[np.ndarray, np.ndarray], against: tuple[np.ndarray, np.ndarray]
) -> list[np.ndarray]:
    """For each n, the share of draws on the supporting side of the margin, and on the other."""
    (one, chance), (other, its_chance) = of, against
    gap = one[:, None] - other[None]
    if rule.better == "equal":
        yes, no = abs(gap) < rule.margin, abs(gap) > rule.margin
    else:
        above, below = gap > rule.margin, gap < rule.margin
        yes, no = (above, below) if rule.better == "higher" else (below, above)
    both = np.einsum("ni,nj->nij", chance, its_chance)
    return [(both * side).sum((1, 2)) for side in (yes, no)]
