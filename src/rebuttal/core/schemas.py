"""What each kind of result file must hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import xarray as xr

RUN = ("method", "workload", "machine")
CURVE = (*RUN, "rate", "seed", "point")
AXIS = (*RUN, "seed", "point")


@dataclass(frozen=True)
class Schema:
    """What a kind of file must hold: the dims of every variable, and where the file is in a study's folder."""

    name: str
    pattern: str
    variables: Mapping[str, tuple[str, ...]]
    fractions: tuple[str, ...] = ()


class Variable(NamedTuple):
    """A variable: its dims, its unit, and what it is in words, where verdicts read it.

    The unit is "1" of ratios and counts, and "share" of shares, which readers have in per cent.
    """

    dims: tuple[str, ...]
    unit: str = "1"
    words: str = ""


@dataclass(frozen=True)
class AnalysisSchema(Schema):
    """The schema of an analysis.

    words: what the analysis is, as in 'from the ...'. described: each variable that the file must hold. axes: units of
    coordinates and of further variables, where they are not "1". stage: the stage of the pipeline that writes the file.
    """

    words: str = ""
    question: str = ""
    described: Mapping[str, Variable] = field(default_factory=dict)
    axes: Mapping[str, str] = field(default_factory=dict)
    stage: str = "analyses"

    def annotated(self, data: xr.Dataset, **attrs: Any) -> xr.Dataset:
        """The dataset with a unit on every number, the question, and further attributes."""
        units = {name: each.unit for name, each in self.described.items()} | dict(self.axes)
        for name in data.variables:
            if data[name].dtype.kind in "fiu":
                data[name].attrs["units"] = units.get(str(name), "1")
        return data.assign_attrs(question=self.question, **attrs)


def _all(names: Iterable[str], dims: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names, dims)


CURVES = Schema(
    "curves",
    "training/*/curves.nc",
    _all(("training_loss", "test_loss", "test_metric", "validation_loss", "validation_metric"), CURVE)
    | {"diverged_at": CURVE[:5], "learning_rate": CURVE[:4]}
    | _all(("update", "epoch", "samples_computed", "samples_applied", "seconds"), AXIS),
    fractions=("test_metric", "validation_metric"),
)
TUNING = Schema(
    "tuning",
    "tuning/*.nc",
    _all(("validation_loss", "validation_metric", "diverged"), (*RUN, "learning_rate", "seed"))
    | _all(("best_learning_rate", "at_edge"), RUN),
    fractions=("validation_metric",),
)
SUMMARIES = Schema(
    "summaries",
    "summaries/*.nc",
    _all(
        ("seconds_per_update", "gradients_computed", "gradients_applied", "gradients_dropped", "bytes_sent",
         "utilisation", "staleness_mean", "staleness_max", "staleness_q95"), (*RUN, "seed"))
    | {"staleness_count": (*RUN, "staleness")},
    fractions=("utilisation",),
)  # fmt: skip
STRAGGLERS = Schema(
    "stragglers",
    "stragglers.nc",
    _all(("iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr"),
                  ("straggler", "workers", "backups")),
)  # fmt: skip

CALIBRATION = Schema(
    "calibration",
    "calibration.nc",
    _all(("measured_s", "predicted_s"), ("method", "nodes", "workload", "stragglers", "repetition"))
    | {"cost_s": ("cost", "nodes", "workload", "repetition")},
)
