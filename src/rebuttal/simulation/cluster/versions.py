"""The versions of the weights: made of what nodes report, counted, and the end of the run."""

from collections.abc import Callable
from typing import Any

from rebuttal.core.verbs import Report
from rebuttal.simulation.cluster.budget import Budget


class Versions:
    """Takes reports of replicas, of parts, and of nodes that share one set of weights.

    `made(node, version, weights)` is called for each version, in order. `finished` once the last one was made.
    """

    def __init__(self, budget: Budget, made: Callable[[int, int, Any], None]) -> None:
        self._budget = budget
        self._made = made
        self._counts: dict[Any, int] = {}
        self._parts: dict[int, dict[int, Any]] = {}
        self._first: int | None = None
        self.finished = False

    def report(self, number: int, request: Report) -> bool:
        """Whether the node is to go on."""
        if request.shared:
            return self._whole(number, self._next("shared"), request.weights)
        version = self._next(number)
        if request.part is not None:
            return self._part(number, version, request)
        if self._first is None:
            self._first = number
        if number == self._first:
            return self._whole(number, version, request.weights)
        return self._budget.allows(version, request.weights)

    def _next(self, who: Any) -> int:
        version = self._counts.get(who, 0)
        self._counts[who] = version + 1
        return version

    def _whole(self, number: int, version: int, weights: Any) -> bool:
        if self.finished:  # another node that shares the weights has made the last version
            return False
        self._made(number, version, weights)
        more = self._budget.allows(version, weights)
        self.finished = not more
        return more

    def _part(self, number: int, version: int, request: Report) -> bool:
        """A version is made when its last part is there; the answer does not wait for that."""
        assert request.part is not None
        l, n = request.part
        more = self._budget.allows(version, request.weights)
        parts = self._parts.setdefault(version, {})
        parts[l] = request.weights
        if len(parts) == n:
            del self._parts[version]
            self._made(number, version, _joined([parts[l] for l in range(n)]))
            self.finished = not more
        return more


def _joined(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts[0].derive("joined", tuple(parts), ())
