"""What is recorded of a replica at a point of its curve, and when it counts as diverged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from rebuttal.replaying.executors import Layered
from rebuttal.replaying.kernels import UnsupportedError
from rebuttal.workloads.workload import Workload

#: A run has diverged when its training loss is not a number or this many times that of the untrained model.
DIVERGED_AT_TIMES_START = 100.0
REPLICAS_AT_ONCE = 8  # in one forward pass: more replicas than this leave the cache
VALUES_AT_ONCE = (
    2**25
)  # of the widest layer's outputs: what bounds the memory of an evaluation, whatever the split


class Evaluator:
    """Losses and metrics of replicas on whole splits; the training split by its first `training_samples`."""

    def __init__(self, workload: Workload, splits: Sequence[str], training_samples: int) -> None:
        self._workload = workload
        self.splits = {name: workload.splits[name] for name in splits}
        if "training" in self.splits:
            x, y = self.splits["training"]
            self.splits["training"] = (x[:training_samples], y[:training_samples])
        self._widest = max(workload.splits["training"][0][0].numel(), *workload.shape.outputs)
        try:
            self._layered: Layered | None = Layered(workload)
        except UnsupportedError:
            self._layered = None

    def __call__(self, weights: Tensor) -> dict[str, Tensor]:
        """weights [M, P] -> '<split>_loss' and '<split>_metric', each float64 [M]."""
        found = {}
        with torch.no_grad():
            for name, (x, y) in self.splits.items():
                parts = [self._scores(part, x, y) for part in weights.split(REPLICAS_AT_ONCE)]
                loss, metric = (torch.cat(column).cpu() for column in zip(*parts, strict=True))
                found |= {f"{name}_loss": loss, f"{name}_metric": metric}
        return found

    def _scores(self, weights: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mean loss and metric of each replica, float64 [M], over as many samples at a time as memory is meant for."""
        at_once = max(1, VALUES_AT_ONCE // (self._widest * len(weights)))
        losses, metrics = [], []
        for some, targets in zip(x.split(at_once), y.split(at_once), strict=True):
            each, metric = self._of_some(weights, some, targets)
            losses.append(each)
            metrics.append(metric.double() * len(some))
        return torch.cat(losses, 1).mean(1).double(), torch.stack(metrics).sum(0) / len(x)

    def _of_some(self, weights: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(losses [M, n], mean metric [M]) on samples x [n, ...] and their targets y [n, ...]."""
        if self._layered is not None:
            outputs = self._layered.outputs(weights, x)
        else:
            outputs = torch.stack([self._workload.predict(row, x) for row in weights])
        outputs = outputs.to(
            torch.promote_types(outputs.dtype, torch.float32)
        )  # half of it cannot count to 1000
        losses = torch.stack([self._workload.losses(row, y) for row in outputs])
        metrics = torch.stack([self._workload.metric(row, y) for row in outputs])
        return losses, metrics


@dataclass
class Curves:
    """The recorded points of S x R replicas: '<split>_<what>' -> [S, R, points], and where they diverged."""

    evaluate: Evaluator
    versions: Sequence[int]
    shape: tuple[int, int]
    values: dict[str, np.ndarray] = field(default_factory=dict)
    diverged_at: np.ndarray = field(init=False)
    _bound: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.diverged_at = np.full(self.shape, np.nan)

    def observe(self, version: int, weights: Tensor) -> bool:
        """Record this version; False once every replica has diverged, so that no more is computed for nothing."""
        found = {name: column.numpy() for name, column in self.evaluate(weights).items()}
        return self.record(version, found, torch.isfinite(weights).all(1).cpu().numpy())

    def record(self, version: int, found: Mapping[str, np.ndarray], finite: np.ndarray) -> bool:
        """As `observe`, of what was evaluated: scores [M] by name, and whether all weights are finite [M]."""
        point = self.versions.index(version)
        for name, column in found.items():
            rows = self.values.setdefault(name, np.full((*self.shape, len(self.versions)), np.nan))
            rows[:, :, point] = column.reshape(self.shape)
        self._mark_diverged(version, next(iter(found.values())), finite)
        return bool(np.isnan(self.diverged_at).any())

    def _mark_diverged(self, version: int, loss: np.ndarray, finite: np.ndarray) -> None:
        if self._bound is None:
            self._bound = DIVERGED_AT_TIMES_START * loss
        sound = np.isfinite(loss) & (loss <= self._bound) & finite
        now = ~sound.reshape(self.shape) & np.isnan(self.diverged_at)
        self.diverged_at[now] = version


def points_of(updates: int, points: int) -> list[int]:
    """At most `points` versions from 0 to `updates`, evenly spaced, both ends among them."""
    return sorted(set(np.linspace(0, updates, points).round().astype(int).tolist()))


def as_variables(curves: Curves) -> Mapping[str, tuple[tuple[str, ...], np.ndarray]]:
    """Named-dimension form: each value over (seed, learning_rate, point), diverged_at over (seed, learning_rate)."""
    named = {name: (("seed", "learning_rate", "point"), rows) for name, rows in curves.values.items()}
    return {**named, "diverged_at": (("seed", "learning_rate"), curves.diverged_at)}
