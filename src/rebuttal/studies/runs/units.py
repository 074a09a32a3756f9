"""The work of a study, cut into units that one process computes: an order, some seeds, some learning rates.

Units are found by content: settings whose orders are equal share them, whatever their machines and methods, and a
unit that was computed before is read from the store. Importing this module imports no torch; computing does.
"""

import functools
import hashlib
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal import workloads
from rebuttal.base import code, own_code, paths
from rebuttal.base.errors import RunError
from rebuttal.core import content_store
from rebuttal.core.update_rules import Rule
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.run_records import PackedOrder
from rebuttal.studies.runs.task_progress import note_curve

Arrays = dict[str, Any]
LARGE_BATCHES = 4  # gradients over this many batches are large tensors already
FULL_CALL = 10  # replicas (times ready gradients) that make a full call: fewer are given company
WORKERS = "rebuttal.replaying.workers"  # what computes: it brings torch
#: Of what that brings in, what has no part in a value: time lines have become orders before, curves get their seconds
#: and metrics their words afterwards; the others say where files are, what is kept and what is refused.
NO_PART = (
    "rebuttal.base.arguments",
    "rebuttal.base.errors",
    "rebuttal.base.atomic_write",
    "rebuttal.base.paths",
    "rebuttal.core.content_store",
    "rebuttal.core.metrics",
    "rebuttal.core.timeline",
    "rebuttal.simulation",
)


@dataclass(frozen=True)
class StudyContext:
    """What all units of a study share.

    table: which executor serves what, as a text (`Table.text`). data: a hash of what the workload is made from.
    own_rule: one of the file that the rule is from and of what that reads, if it is a user's own.
    """

    workload: str
    device: str
    data_root: str
    batch: int
    splits: tuple[str, ...]
    rule: Rule
    table: str
    data: str = ""
    own_rule: str = ""

    def without_places(self) -> "StudyContext":
        """The same on every host: a user's own data and code are known by their content, the others by their checks."""
        return replace(self, workload=workloads.without_place(self.workload), data_root="")


@dataclass(frozen=True)
class Unit:
    """One order for some seeds and learning rates, observed at some versions.

    program: the method's name, whose file may have operations of its own. own: if the order has some, a hash of that
    file and of what it reads.
    """

    context: StudyContext
    order: PackedOrder
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    versions: tuple[int, ...]
    program: str = ""
    own: str = ""

    @functools.cached_property
    def key(self) -> str:
        """A hash of everything that the result depends on, which is not where it lies on this host."""
        described = {
            "context": repr(self.context.without_places()),
            "order": self.order.key,
            "seeds": self.seeds,
            "learning_rates": self.learning_rates,
            "versions": self.versions,
            "own": self.own,
            "code": _code(),
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()

    @property
    def gradients(self) -> int:
        """How many gradients of one batch it takes, or passes of one stage, for estimates."""
        return int(self.order.batches.sum()) * len(self.seeds) * len(self.learning_rates)

    @property
    def batches_per_gradient(self) -> float:
        """How many batches a gradient is over, on average."""
        return float(self.order.batches.sum() / max(1, len(self.order.batches)))


def compute_units(
    units: Sequence[Unit], title: str, engine: str = LOCAL, labels: Sequence[str] = ()
) -> list[Arrays]:
    """The arrays of each unit, '<split>_<what>' [S, R, points] and diverged_at [S, R]; equal units once.

    engine: as in params.yaml. It is no part of a unit: what any machine has computed is found by all. labels: what the
    units are called where their curves are noted as they come.
    """
    distinct = {unit.key: unit for unit in units}
    stored = {key: _stored(unit) for key, unit in distinct.items()}
    bundles = _bundles([unit for key, unit in distinct.items() if stored[key] is None])
    weights = [float(sum(unit.gradients for unit in bundle)) for bundle in bundles]
    called = dict(zip((unit.key for unit in units), labels, strict=False))

    def noted(number: int) -> None:
        for unit in bundles[number]:
            _note(title, unit, called.get(unit.key, unit.context.workload))

    tasks = [(bundle,) for bundle in bundles]
    run_all(_compute_and_store, tasks, title, weights, [WORKERS], engine, on_done=noted)
    found = {key: stored[key] or _computed(unit) for key, unit in distinct.items()}
    return [found[unit.key] for unit in units]


def _note(title: str, unit: Unit, label: str) -> None:
    """Leave the curve of a unit that was trained for whoever watches: its first learning rate, mean over its seeds."""
    if "training" in unit.context.splits:
        losses = _computed(unit)["training_loss"][:, 0].mean(0)
        note_curve(title, label, unit.versions, np.nan_to_num(losses, nan=0.0, posinf=0.0).tolist())


def _bundles(units: Sequence[Unit]) -> list[list[Unit]]:
    """Units that a process computes side by side: of one context and equally many learning rates, a few at a time.

    Small gradients gain from company; units whose gradients are large tensors already stay alone.
    """
    alike: dict[tuple, list[Unit]] = {}
    for number, unit in enumerate(units):
        alone = number if unit.batches_per_gradient >= LARGE_BATCHES else None
        alike.setdefault((unit.context, len(unit.learning_rates), alone), []).append(unit)
    bundles = []
    for group in alike.values():
        size = max(1, FULL_CALL // max(len(unit.seeds) * len(unit.learning_rates) for unit in group))
        bundles += [group[at : at + size] for at in range(0, len(group), size)]
    return bundles


def _place(unit: Unit) -> Path:
    return paths.root() / ".cache" / "replays" / unit.key[:2] / f"{unit.key}.npz"


def _stored(unit: Unit) -> Arrays | None:
    return content_store.read(_place(unit), unit.key)


def _computed(unit: Unit) -> Arrays:
    """Of a unit that was computed a moment ago."""
    found = _stored(unit)
    if found is None:
        raise RunError(f"{_place(unit)}: was written a moment ago and cannot be read; is the disk full?")
    return found


def _compute_and_store(bundle: Sequence[Unit]) -> None:
    # Imported here because it brings torch: in the workers only, the stage itself reads and writes files.
    from rebuttal.replaying.engine import Job  # noqa: PLC0415
    from rebuttal.replaying.workers import replayer  # noqa: PLC0415

    began, c = time.perf_counter(), bundle[0].context
    for name in {unit.program for unit in bundle if own_code.is_named(unit.program)}:
        own_code.loaded(name, "method")
    jobs = [Job(unit.order.unpacked(), unit.seeds, unit.learning_rates, unit.versions) for unit in bundle]
    computing = replayer(c.workload, c.data_root, c.device, c.batch, c.splits, c.rule, c.table, c.data)
    found = computing.run_together(jobs)
    share_s = (time.perf_counter() - began) / len(bundle)
    for unit, curves in zip(bundle, found, strict=True):
        arrays = curves.values | {"diverged_at": curves.diverged_at, "wall_s": np.asarray(share_s)}
        content_store.write(_place(unit), unit.key, arrays)


@functools.cache
def _code() -> Mapping[str, str]:
    """Hashes of the code and the versions that values depend on."""
    # this one sets side by side, and what is computed was packed
    computing = {__name__, PackedOrder.__module__, *code.closure(WORKERS, without=NO_PART)}
    versions = {name: version(name) for name in ("torch", "torchvision", "numpy", "numba", "scikit-learn")}
    return {"code": code.digest(computing), "python": platform.python_version(), **versions}
