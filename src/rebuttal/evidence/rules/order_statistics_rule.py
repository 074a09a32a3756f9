"""Formula against simulation of the time of an update, for each straggler model."""

from typing import Literal

import numpy as np
import xarray as xr

from rebuttal.core.schemas import STRAGGLERS
from rebuttal.evidence import quantities
from rebuttal.evidence.judging import Asked, PlaceOutcome, Word
from rebuttal.evidence.naming import number
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import All, Found, Positive, Rule, clock, models_in_words

TIMES = ("iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr")
FILES = (f"results/analyses/{STRAGGLERS.pattern}",)


class OrderStatistics(Rule):
    """Formula and simulation of the update time agree within `tolerance` standard errors, for each straggler model."""

    kind: Literal["order_statistics"]
    stragglers: All | None = None
    tolerance: Positive = 4.0

    def judge(self, data: Results) -> Found:
        """The largest distance between formula and simulation, for each straggler model."""
        held, models = held_by(data, self.stragglers)
        places = tuple(_agreement(name, self, held) for name in models)
        return Found(places, Asked("within", 0.0, self.tolerance), "standard errors", clock(data), FILES)

    def in_words(self) -> str:
        """How far they may differ."""
        within = f"at most {number(self.tolerance)} standard errors"
        return f"formula and simulation differ by {within}{models_in_words(self.stragglers)}"

    def measured(self) -> str:
        """The gap."""
        return "largest gap between formula and simulation"


def held_by(data: Results, named: list[str] | None) -> tuple[xr.Dataset, list[str]]:
    """The order statistics, and the straggler models that a rule names, or all."""
    held = data.order_statistics()
    quantities.check_labels(held, "rule.stragglers", named or [], "straggler")
    return held, named or [str(name) for name in held.straggler.values]


def _agreement(name: str, rule: OrderStatistics, data: xr.Dataset) -> PlaceOutcome:
    """The largest distance between formula and simulation, where the formula is finite."""
    formula, simulated, error = (data[variable].sel(straggler=name).values.ravel() for variable in TIMES)
    finite = np.isfinite(formula) & np.isfinite(simulated)
    gap = np.abs(formula - simulated)[finite]
    rounding = 1e-9 * formula[finite]  # a time without spread has no sampling error
    worst = float((gap / np.maximum(error[finite], rounding)).max(initial=0.0))
    skipped = int(np.isinf(formula).sum())
    word: Word = "supported" if worst <= rule.tolerance else "contradicted"
    n = iterations(data) if finite.any() else 0
    note = f"{skipped} infinite expectations left out" if skipped else ""
    labels = {"straggler": name}
    return PlaceOutcome(name, word, worst, np.nan, np.nan, n, note, labels=labels)


def iterations(data: xr.Dataset) -> int:
    """How many updates were simulated."""
    return int(data.attrs.get("iterations", 0))
