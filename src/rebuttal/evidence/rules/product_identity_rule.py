"""The split of a speed-up: its two factors multiply to the whole."""

from typing import Literal

import numpy as np
import xarray as xr

from rebuttal.evidence import datasets, quantities
from rebuttal.evidence.judging import Asked, PlaceOutcome, Word
from rebuttal.evidence.naming import number, words
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import All, Found, Positive, Rate, Rule, Text, clock, target_in_words


class ProductIdentity(Rule):
    """The two factors of the speed-up of `of` over `against` multiply to the whole, within a relative tolerance."""

    kind: Literal["product_identity"]
    of: Text
    against: Text
    rate: Rate = "tuned"
    tolerance: Positive = 1e-9
    target: Positive = 3.0
    workloads: All | None = None
    machines: All | None = None
    names_runs = True

    def judge(self, data: Results) -> Found:
        """How far the product is from the whole, in every place."""
        places = tuple(_product(self, data))
        conditions = "; ".join([clock(data), f"{self.rate} learning rate", target_in_words(self.target)])
        return Found(places, Asked("within", 0.0, self.tolerance), "relative deviation",
                     conditions, quantities.files(data, "seconds_to_target", [self.of, self.against]))  # fmt: skip

    def in_words(self) -> str:
        """Of what the product is the whole."""
        pair = f"{words(self.of)} over {words(self.against)}"
        within = f"within {number(self.tolerance)}"
        return f"the two factors of the speed-up of {pair} multiply to the whole {within}"

    def measured(self) -> str:
        """The deviation."""
        return "deviation of the product from the whole"


def _product(rule: ProductIdentity, data: Results) -> list[PlaceOutcome]:
    """How far total / (updates x seconds per update) is from 1, on every workload and machine."""
    quantities.check_labels(data.curves, "rule.of", [rule.of], "method")
    quantities.check_labels(data.curves, "rule.against", [rule.against], "method")
    quantities.check_labels(data.curves, "rule.machines", rule.machines or [], "machine")
    named = quantities.present(data.curves, rule.workloads) if rule.workloads else None
    goal = datasets.targets(data.tuning, multiples=[rule.target], curves=data.curves)
    found = datasets.speed_up(data.curves, rule.of, rule.against, goal, rule.rate).isel(target=0)
    total, updates, each = (found.estimate.sel(part=name) for name in datasets.PARTS)
    deviation = np.abs(total / (updates * each) - 1)
    places = [(w, m) for w in named or deviation.workload.values.tolist()
              for m in rule.machines or deviation.machine.values.tolist()]  # fmt: skip
    return [_product_part(f"{w}, {m}", deviation.sel(workload=w, machine=m), found.sel(workload=w, machine=m), rule)
            for w, m in places]  # fmt: skip


def _product_part(
    where: str, deviation: xr.DataArray, found: xr.Dataset, rule: ProductIdentity
) -> PlaceOutcome:
    n, effect = int(found.n), float(deviation)
    holds = effect <= rule.tolerance or np.isnan(
        effect
    )  # without a pair that reached the target there is no split
    word: Word = "supported" if holds else "contradicted"
    note = f"target missed by {int(found.missed)} runs, by {int(found.baseline_missed)} of the baseline"
    return PlaceOutcome(where, word, effect, np.nan, np.nan, n, note)
