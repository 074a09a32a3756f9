"""The best number of backup workers, for each straggler model."""

from typing import Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from rebuttal.evidence import quantities
from rebuttal.evidence.judging import FEWEST_SEEDS, PlaceOutcome, Status
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.order_statistics_rule import FILES, TIMES, held_by, iterations
from rebuttal.evidence.rules.rule import All, Found, Rule, clock, models_in_words
from rebuttal.evidence.student import Interval
from rebuttal.machines.order_statistics import progress_per_update


class BestBackups(Rule):
    """The best number of backups among `workers` machines lies in `between`, for each straggler model."""

    kind: Literal["best_backups"]
    workers: Annotated[int, Field(ge=2, description="a whole number >= 2")]
    between: Annotated[
        list[int], Field(min_length=2, max_length=2, description="two whole numbers, low and high")
    ]
    stragglers: All | None = None

    def judge(self, data: Results) -> Found:
        """The best number for each straggler model, with the range that the simulation cannot tell from it."""
        held, models = held_by(data, self.stragglers)
        quantities.check_labels(held, "rule.workers", [str(self.workers)], "workers")
        places = tuple(_best(name, self, held) for name in models)
        centre = float(np.median([place.effect for place in places]))
        ends = Interval(centre, min(place.low for place in places), max(place.high for place in places))
        conditions = f"{clock(data)}; {self.workers} machines; progress per update from two published points"
        return Found(places, ends, "backups", conditions, FILES)

    def in_words(self) -> str:
        """Where the best number lies."""
        low, high = self.between
        best = f"the best number of backups among {self.workers} workers"
        return f"{best} is from {low} to {high}{models_in_words(self.stragglers)}"

    def measured(self) -> str:
        """The best number."""
        return "best number of backups, median"


def _best(name: str, rule: BestBackups, data: xr.Dataset) -> PlaceOutcome:
    """The best b by formula, and the range of b that the simulation cannot tell from the best."""
    at = data.sel(straggler=name, workers=rule.workers)
    at = at.isel(backups=(at.backups < rule.workers).values)
    formula, simulated, error = (at[variable].values for variable in TIMES)
    backups = at.backups.values
    progress = np.array([progress_per_update(rule.workers - int(b)) for b in backups])
    best = int(backups[np.argmax(progress / np.where(np.isfinite(formula), formula, simulated))])
    slow, fast = (progress / (simulated + sign * 2 * error) for sign in (1, -1))
    near = [best, *backups[fast >= slow.max()].tolist()]
    low, high = int(min(near)), int(max(near))
    note = ""
    if high == backups.max() < rule.workers - 1:  # what lies beyond the grid could be better still
        high, note = rule.workers - 1, f"the best may lie beyond the {high} backups of the grid"
    inside = rule.between[0] <= low and high <= rule.between[1]
    outside = high < rule.between[0] or low > rule.between[1]
    status: Status = "supported" if inside else "contradicted" if outside else "undecided"
    n = iterations(data)
    return PlaceOutcome(name, status if n >= FEWEST_SEEDS else "undecided", best, low, high, n, note)
