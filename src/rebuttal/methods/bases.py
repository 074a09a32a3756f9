"""What methods of one kind share: how many nodes they run on, and which program each node has.

A method may derive from one of these, and writes down only what is its own. It need not: `rebuttal.methods.Method` says
what counts.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.verbs import Compute, Program, Recv, Send

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Diagram:
    """The picture on a method's page: its title, the options of its run, and its width in simulated seconds.

    A pipeline's is twice as wide. scaled: whether stale gradients are marked 1/τ instead of τ.
    """

    title: str
    options: Options = field(default_factory=dict)
    seconds: float = 9.5
    scaled: bool = False


@dataclass(frozen=True)
class BaseMethod(ABC):
    """What a method says about itself beside its options and programs."""

    servers: ClassVar[int] = 0
    group: ClassVar[str]  # the kind that charts show it as: a key of rebuttal.figures.method_groups.GROUPS
    diagram: ClassVar[Diagram | None] = None
    at_least: ClassVar[Mapping[str, int]] = {}  # option -> its smallest value
    tried_as: ClassVar[Mapping[str, Options]] = {}  # the tests' name for it -> options, for six workers

    def __post_init__(self) -> None:
        for option, least in self.at_least.items():
            if getattr(self, option) < least:
                raise refuse(option, getattr(self, option), f"a whole number >= {least}")


class OneNode(BaseMethod):
    """One node, however many workers other methods have."""

    group: ClassVar[str] = "one_node"

    def nodes(self, workers: int) -> int:
        """One."""
        return 1

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """One program."""
        (node,) = nodes
        return {node: self.train(task)}

    @abstractmethod
    def train(self, task: Any) -> Program:
        """The node's program."""


class Peers(BaseMethod):
    """One node for each worker, and the same program on all of them."""

    group: ClassVar[str] = "collectives"

    def nodes(self, workers: int) -> int:
        """One for each worker."""
        return workers

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The same program on every node."""
        return {node: self.train(task, nodes, k) for k, node in enumerate(nodes)}

    @abstractmethod
    def train(self, task: Any, nodes: Sequence[int], k: int) -> Program:
        """Node number k of all."""


class ServerAndWorkers(BaseMethod):
    """A parameter server, which is the first node, and its workers."""

    servers: ClassVar[int] = 1
    group: ClassVar[str] = "server"
    needs_every_worker: ClassVar[bool] = (
        True  # if not, nobody waits for a worker: all but one of them may die
    )

    def nodes(self, workers: int) -> int:
        """The server and the workers."""
        return 1 + workers

    def may_lose(self, workers: int) -> int:
        """All but one, or none."""
        return 0 if self.needs_every_worker else workers - 1

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The server's program and the workers'."""
        server, *workers = nodes
        working = {worker: self.work(task, server, k) for k, worker in enumerate(workers)}
        return {server: self.serve(task, workers), **working}

    @abstractmethod
    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """The server's program."""

    def work(self, task: Any, server: int, k: int) -> Program:
        """Worker number k: take the weights that the server sent, compute a gradient on them, push it; and so on.

        A worker that finds several versions in its mail reads the newest, as one that reads a server's variables does.
        """
        t = 0
        while True:
            _, (w, u) = yield Recv("weights", latest=True)
            g = yield Compute(task.gradient, (w, (k, t)))
            yield Send(server, "gradient", (g, u))
            t += 1
