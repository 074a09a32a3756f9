"""The best number of backup workers, for each straggler model."""

from typing import Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from rebuttal.evidence import quantities
from rebuttal.evidence.judging import Asked, PlaceOutcome, Word
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.order_statistics_rule import FILES, TIMES, held_by, iterations
from rebuttal.evidence.rules.rule import All, Found, Rising, Rule, clock, models_in_words
from rebuttal.machines.order_statistics import progress_per_update


class BestBackups(Rule):
    """The best number of backups among `workers` machines lies in `between`, for each straggler model."""

    kind: Literal["best_backups"]
    workers: Annotated[int, Field(ge=2, description="a whole number >= 2")]
    between: Annotated[
        list[int] | None,
        Field(min_length=2, max_length=2, description="two whole numbers, the lower first"),
        Rising,
    ] = None
    stragglers: All | None = None

    @property
    def decides(self) -> bool:
        """Whether it has bounds."""
        return self.between is not None

    @property
    def asked(self) -> Asked | None:
        """The bounds, if there are any."""
        return Asked("within", float(self.between[0]), float(self.between[1])) if self.between else None

    def judge(self, data: Results) -> Found:
        """The best number for each straggler model, with the range that the simulation cannot tell from it."""
        held, models = held_by(data, self.stragglers)
        quantities.check_labels(held, "rule.workers", [str(self.workers)], "workers")
        places = tuple(_best(name, self, held) for name in models)
        conditions = f"{clock(data)}; {self.workers} machines; progress per update from two published points"
        return Found(places, self.asked, "backups", conditions, FILES)

    def in_words(self) -> str:
        """Where the best number lies."""
        best = f"the best number of backups among {self.workers} workers"
        bounds = f" is from {self.between[0]} to {self.between[1]}" if self.between else ""
        return f"{best}{bounds}{models_in_words(self.stragglers)}"

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
    word: Word = rule.asked.word(low, high) if rule.asked else "answered"
    n = iterations(data)
    labels = {"straggler": name}
    return PlaceOutcome(name, word, best, low, high, n, note, kind="range", labels=labels)
