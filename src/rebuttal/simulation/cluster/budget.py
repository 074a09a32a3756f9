"""When a run ends: after so many updates, or after so many batches have gone into updates."""

from dataclasses import dataclass, field
from typing import Any

from rebuttal.base import arguments
from rebuttal.base.errors import refuse

BATCHES_OF = ("gradient", "input")  # operations whose arguments are (shard, step) pairs


@dataclass
class Budget:
    """Ends a run at the first version by which `updates` were made, or `batches` batches applied.

    Counting batches makes runs of different methods equal in training samples that reached the weights.
    """

    updates: int | None = None
    batches: int | None = None
    _applied: set[tuple[float, float]] = field(default_factory=set, init=False)
    _seen: set[int] = field(default_factory=set, init=False)
    _answers: list[bool] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        for name in ("updates", "batches"):
            given = getattr(self, name)
            if given is not None:
                setattr(self, name, arguments.whole(name, given, 1, arguments.MOST_UPDATES))
        if (self.updates is None) == (self.batches is None):
            raise refuse(
                "budget", {"updates": self.updates, "batches": self.batches}, "exactly one of the two"
            )

    def allows(self, version: int, weights: Any) -> bool:
        """Whether the run goes on after this version; one answer for all nodes that report it, or a part of it."""
        if self.updates is not None:
            return version < self.updates
        if version == len(self._answers):
            self.count(weights)
            self._answers.append(len(self._applied) < (self.batches or 0))
        return self._answers[version]

    def count(self, weights: Any) -> None:
        """Add the batches behind these weights; the search ends at what was behind earlier ones."""
        symbol = getattr(weights, "symbol", weights)
        graph, stack = symbol.graph, [symbol.number] if self.batches else []
        while stack:
            node = stack.pop()
            if node in self._seen:
                continue
            self._seen.add(node)
            if graph.operations[node] in BATCHES_OF:
                numbers = graph.arguments[node]
                self._applied.update(zip(numbers[::2], numbers[1::2], strict=True))
            stack.extend(graph.inputs[node])
