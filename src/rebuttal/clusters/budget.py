"""When a run ends: after so many updates, or after so many batches have gone into updates."""

from dataclasses import dataclass, field
from typing import Any

from rebuttal.errors import refuse
from rebuttal.graph import Symbol


@dataclass
class Budget:
    """Ends a run at the first version by which `updates` were made, or `batches` batches applied.

    Counting batches makes runs of different methods equal in training samples that reached the weights. It needs
    symbols; counting updates works with any values.
    """

    updates: int | None = None
    batches: int | None = None
    _applied: int = field(default=0, init=False)
    _seen: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        for name in ("updates", "batches"):
            given = getattr(self, name)
            if given is not None and given < 1:
                raise refuse(name, given, "a whole number >= 1")
        if (self.updates is None) == (self.batches is None):
            raise refuse(
                "budget", {"updates": self.updates, "batches": self.batches}, "exactly one of the two"
            )

    def allows(self, version: int, weights: Any) -> bool:
        """Whether the run goes on after this version."""
        if self.updates is not None:
            return version < self.updates
        self._applied += self._new_batches(weights)
        return self._applied < (self.batches or 0)

    def _new_batches(self, weights: Symbol) -> int:
        """Batches behind this version that were behind none before; stops at versions already seen."""
        graph, stack, count = weights.graph, [weights.number], 0
        while stack:
            node = stack.pop()
            if node in self._seen:
                continue
            self._seen.add(node)
            if graph.operations[node] == "gradient":
                count += len(graph.arguments[node]) // 2
            stack.extend(graph.inputs[node])
        return count
