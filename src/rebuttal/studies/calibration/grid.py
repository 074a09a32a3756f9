"""Which runs are measured and predicted, by profile. Sizes of a study are in params.yaml; these are the host's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rebuttal.base.errors import refuse
from rebuttal.methods import METHODS, method
from rebuttal.processes.pytorch_baseline_table import SHIPPED

#: Workloads by what their messages are: a few kilobytes a layer, and many.
WORKLOADS = {"small": "digits_deep", "large": f"file:{Path(__file__).with_name('wide.py')}"}
BATCH = 32
LEAST = 2  # processes: one alone has nothing to be compared with
STRAGGLERS = ("none", "lognormal")
#: What a slowdown of 1 stands for where there are stragglers: twice a gradient of the small workload, or more.
PACE_S = 3e-3


@dataclass(frozen=True)
class CalibrationGrid:
    """What a calibration runs. methods: names. shipped: those of PyTorch's own that are timed as well."""

    methods: tuple[str, ...]
    nodes: tuple[int, ...]
    repetitions: int
    updates: int
    rounds: int
    shipped: tuple[str, ...]


@dataclass(frozen=True)
class CalibrationCase:
    """One method on so many nodes; `options` are those that the number of nodes allows."""

    name: str
    options: dict[str, Any]
    workers: int
    nodes: int


#: One of each family, for a calibration that takes about a minute; `full` has every method.
FAMILIES = (
    "all_reduce", "bucketed", "layer_wise_overlapped", "synchronous", "asynchronous", "hogwild", "gpipe", "zero_bubble",
    "pipedream",
)  # fmt: skip
GRIDS = {
    "ci": CalibrationGrid(("all_reduce", "asynchronous"), (2,), 2, 16, 8, ("ddp",)),
    "quick": CalibrationGrid(FAMILIES, (2,), 3, 20, 10, tuple(SHIPPED)),
    "standard": CalibrationGrid(FAMILIES, (2,), 3, 20, 10, tuple(SHIPPED)),
    "full": CalibrationGrid(tuple(METHODS), (2, 4), 5, 40, 24, tuple(SHIPPED)),
}


def grid_on(profile: str, nodes: Sequence[int] = ()) -> CalibrationGrid:
    """A profile's grid, on these numbers of processes if any are named. Raises InputError: each once, from 2 on."""
    if any(count < LEAST for count in nodes) or len(set(nodes)) < len(nodes):
        raise refuse("nodes", list(nodes), f"different whole numbers >= {LEAST}")
    return replace(GRIDS[profile], nodes=tuple(sorted(nodes))) if nodes else GRIDS[profile]


def cases(grid: CalibrationGrid, nodes: int) -> Iterator[CalibrationCase]:
    """The methods that run on exactly so many nodes, servers included; of backups as many as leave a worker.

    Those that are one node, however many workers others have, come with the smallest number of nodes.
    """
    for name in grid.methods:
        workers = nodes - METHODS[name].servers
        options = {"b": min(1, workers - 1)} if "b" in METHODS[name].__dataclass_fields__ else {}
        count = method(name, **options).nodes(workers)
        if count == nodes or (count == 1 and nodes == min(grid.nodes)):
            yield CalibrationCase(name, options, workers, count)
