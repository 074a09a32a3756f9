"""One file per method; this is the list of them.

A method is a frozen dataclass of its options with

- `servers`: how many of its nodes are servers (they come first and have the machine's server link),
- `nodes(workers)`: how many nodes it runs on,
- `programs(nodes, task)`: the program of each node.

It may refuse a number of workers that makes no sense for its options with `check(workers)`.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, Protocol

from rebuttal.errors import refuse
from rebuttal.methods.all_reduce import AllReduceSGD
from rebuttal.methods.asynchronous import Asynchronous
from rebuttal.methods.asynchronous_clipped import AsynchronousClipped
from rebuttal.methods.backup_workers import BackupWorkers
from rebuttal.methods.delayed import Delayed
from rebuttal.methods.k_sync import KSync
from rebuttal.methods.mini_batch import MiniBatch
from rebuttal.methods.softsync import Softsync
from rebuttal.methods.softsync_aware import SoftsyncAware
from rebuttal.methods.synchronous import Synchronous
from rebuttal.verbs import Program


class Method(Protocol):
    """What every method is."""

    servers: ClassVar[int]

    def nodes(self, workers: int) -> int:
        """How many nodes it runs on, servers included."""
        ...

    def check(self, workers: int) -> None:
        """Raise InputError for a number of workers that makes no sense with its options."""
        ...

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The program of each node."""
        ...


METHODS: dict[str, type] = {
    "mini_batch": MiniBatch,
    "all_reduce": AllReduceSGD,
    "synchronous": Synchronous,
    "asynchronous": Asynchronous,
    "asynchronous_clipped": AsynchronousClipped,
    "softsync": Softsync,
    "softsync_aware": SoftsyncAware,
    "backup_workers": BackupWorkers,
    "k_sync": KSync,
    "delayed": Delayed,
}


def method(name: str, **options: Any) -> Method:
    """The method of that name with these options. Raises InputError for an unknown name, option or value."""
    if name not in METHODS:
        raise refuse("method", name, METHODS)
    known = [field.name for field in fields(METHODS[name])]
    for option in options:
        if option not in known:
            raise refuse(f"{name} option", option, known or "no option")
    return METHODS[name](**options)
