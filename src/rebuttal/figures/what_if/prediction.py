"""The time line of a setting, and how many more samples it learns from in a second than one worker alone."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from rebuttal.base import arguments
from rebuttal.base.errors import refuse
from rebuttal.core.timeline import Timeline
from rebuttal.figures.theme import words
from rebuttal.figures.what_if import sample_rates
from rebuttal.figures.what_if.setting import Setting
from rebuttal.figures.what_if.what_if_chart import bundle, with_picture
from rebuttal.figures.what_if.what_if_runs import batches_per_s, run
from rebuttal.methods import Method
from rebuttal.simulation.timeline_metrics import summary

FIELDS = [field.name for field in fields(Setting) if field.init and field.name not in ("method", "options")]


@dataclass(frozen=True, repr=False)
class Prediction:
    """What a setting does. In a notebook it is shown as its time line above its speed-ups."""

    setting: Setting
    timeline: Timeline

    def __repr__(self) -> str:
        return self.sentence

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return with_picture(self.shown())

    def shown(self) -> dict[str, Any]:
        """What a live notebook shows, by type of content."""
        return bundle(self.setting, self.sentence)

    @cached_property
    def samples_per_s(self) -> float:
        """Samples that reach the weights in a second, once the run has warmed up."""
        return batches_per_s(self.setting) * self.setting.batch

    @cached_property
    def speedup(self) -> float:
        """`samples_per_s` over that of one worker alone, on the same device with the same stragglers.

        It says nothing of what a sample is worth: `summary` has the staleness.
        """
        return sample_rates.speedup(self.setting)

    @cached_property
    def curve(self) -> dict[int, float]:
        """Number of workers -> speed-up; a number that the method cannot run with is not there."""
        return sample_rates.curve(self.setting)

    @cached_property
    def summary(self) -> dict[str, float]:
        """The run in a few numbers, as `rebuttal.summary` gives them."""
        return summary(self.timeline)

    @property
    def sentence(self) -> str:
        """What is predicted, in words."""
        found, workers = self.summary, self.setting.workers
        who = f"{words(self.setting.name)}, {workers} worker{'s' * (workers != 1)}"
        stale = np.nan_to_num(found["staleness_mean"])
        lost = found["gradients_dropped"] + found["gradients_abandoned"]
        return "; ".join(
            [
                f"{who}: {self.speedup:.2g} times the samples of one worker in the same time",
                f"workers compute for {found['utilisation']:.0%} of it",
                f"mean staleness {stale:.2g}",
                *([f"{lost:.0f} gradients for nothing"] if lost else []),
            ]
        )


def what_if(
    method: str | Method = Setting.method, *, options: Mapping[str, Any] | None = None, **turned: Any
) -> Prediction:
    """The time line and the predicted speed-up of a method (its name, with `options`, or the method itself).

    `turned` are the fields of `setting.Setting`: workers, bandwidth_gbit_s, latency_us, stragglers (a name of
    `machines.stragglers.STRAGGLERS`), batch, depth, device. Raises InputError for what is unknown or impossible.
    """
    for name in turned:
        if name not in FIELDS:
            raise refuse("what_if", name, FIELDS)
    return what_if_of(
        Setting(method, options=tuple(sorted(arguments.options("options", options).items())), **turned)
    )


def what_if_of(setting: Setting) -> Prediction:
    """As `what_if`, of a setting."""
    return Prediction(setting, run(setting))
