"""The reference-convergence check: stale gradients that need fewer epochs than fresh ones point to a fault.

MLPerf's training rules test submissions in this way against reference convergence points, one-sided at 5 %. Here the
reference is, at each workload and machine, the tuned method that needs the fewest epochs of all that never read stale
weights (chosen on validation data), and Holm corrects over all methods and places that are held against it.
"""

from typing import NamedTuple

import numpy as np

from rebuttal.evidence import judging, multiplicity, quantities
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.student import CONFIDENCE

WHAT = "epochs_to_target"
TARGET = 3.0  # times the validation error of tuned mini-batch SGD, as in rules


class Check(NamedTuple):
    """One stale method in one place. ratio: its epochs to the target over the reference's. p: adjusted, one-sided."""

    method: str
    reference: str
    where: str
    ratio: float
    p: float

    @property
    def suspect(self) -> bool:
        """Whether it needs fewer epochs than the reference."""
        return self.p <= 1 - CONFIDENCE


def checks(data: Results) -> list[Check]:
    """Every method that reads stale weights, wherever five seeds or more say something about it."""
    stale = data.summaries.staleness_max.max(["workload", "machine", "seed"])
    labels = [str(label) for label in data.curves.method.values]
    fresh = [label for label in labels if float(stale.sel({"method": label})) == 0]
    others = [label for label in labels if float(stale.sel({"method": label})) > 0]
    if not fresh or not others:
        return []
    values = quantities.quantity(data, WHAT, "tuned", TARGET)
    best = quantities.best_of(data, fresh, WHAT, "tuned", TARGET)
    found = []
    for place in [{"workload": w, "machine": m} for w in best.workload.values for m in best.machine.values]:
        here = values.sel(place).transpose("method", "seed").reset_coords(drop=True)
        reference = str(best.sel(place).item())
        for label in others:
            pair = [
                here[name].sel({"method": one}).values
                for name in ("value", "end")
                for one in (label, reference)
            ]
            effects = judging.ratios(*pair)
            if effects.n >= judging.FEWEST_SEEDS:
                lower = judging.tails(effects, judging.Asked("lower", 1.0, 1.0)).supported
                ratio = float(np.exp(effects.values.mean()))
                found.append(Check(label, reference, ", ".join(map(str, place.values())), ratio, lower))
    adjusted = multiplicity.holm([check.p for check in found])
    return [check._replace(p=p) for check, p in zip(found, adjusted, strict=True)]
