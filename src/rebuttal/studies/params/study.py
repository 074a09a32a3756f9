"""Parameters under the selected profile: a study with every variant of its methods, and the analyses' grids."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rebuttal import machines
from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import Rule
from rebuttal.machines.hardware import Machine


@dataclass(frozen=True)
class Variant:
    """One method with its options, and where it runs."""

    method: str  # the key in study.yaml
    label: str  # the value of the `method` coordinate, such as "backup_workers b=2"
    program: str  # the name in rebuttal.methods.METHODS
    options: dict[str, Any]
    rule: Rule  # what makes an update of a gradient
    workloads: tuple[str, ...]
    machines: tuple[str, ...]
    workers: int | None = None  # in the place of the study's
    untuned: bool = False  # whether it is trained at the shared learning rate too


@dataclass(frozen=True)
class Study:
    """What is run, on what and how often. `dataclasses.asdict` of it is plain enough for JSON."""

    name: str
    profile: str
    workloads: tuple[str, ...]
    machines: tuple[str, ...]
    workers: int
    batch: int  # samples of one worker's gradient
    epochs: int
    points: int  # of every curve
    seeds: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]  # ascending
    shared_learning_rate: float  # one of them
    variants: tuple[Variant, ...]
    paper: str = ""  # the folder of papers/ that it is from: what it brings itself is there
    own_machines: Mapping[str, Machine] = field(default_factory=dict, repr=False)  # of its own, by name
    workers_on: Mapping[str, int] = field(default_factory=dict)  # in the place of `workers`, by workload
    epochs_on: Mapping[str, int] = field(default_factory=dict)  # in the place of `epochs`, by workload

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods' keys, in the order of the file."""
        return tuple(dict.fromkeys(variant.method for variant in self.variants))

    def machine(self, name: str) -> Machine:
        """One of its machines: its own, or a preset. Raises InputError for an unknown name."""
        return self.own_machines[name] if name in self.own_machines else machines.machine(name)

    def workers_of(self, workload: str) -> int:
        """How many workers, or stages, the runs on a workload have."""
        return self.workers_on.get(workload, self.workers)

    def epochs_of(self, workload: str) -> int:
        """How many epochs the runs on a workload have."""
        return self.epochs_on.get(workload, self.epochs)

    def of(self, method: str) -> tuple[Variant, ...]:
        """The variants of one method. Raises InputError for an unknown key."""
        if method not in self.methods:
            raise refuse("method", method, self.methods)
        return tuple(variant for variant in self.variants if variant.method == method)


@dataclass(frozen=True)
class Analyses:
    """What the analyses without training are computed for; every list ascends."""

    profile: str
    nodes: tuple[int, ...]
    batches: tuple[int, ...]  # samples on each node
    workloads: tuple[str, ...]  # whose throughput is measured
    samples: tuple[int, ...]  # of one gradient, at which it is
    horizons: tuple[int, ...] = ()  # updates after which rates of convergence are read
    seeds: tuple[int, ...] = (0,)
    tuning_seeds: tuple[int, ...] = (100,)
    worker_counts: tuple[int, ...] = ()  # of asynchronous training, and of synchronous training with a backup
    name: str = "analyses"
