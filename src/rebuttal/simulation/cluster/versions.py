"""The versions of the weights: made of what nodes report, counted, and the end of the run."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from rebuttal.core.verbs import Report
from rebuttal.simulation.cluster.budget import Budget
from rebuttal.simulation.cluster.driving import Node


class Versions:
    """Takes reports of equal replicas, of parts, of replicas that are averaged, and of nodes that share their weights.

    `made(node, version, weights)` is called for each version, in order, and `finish` once the last one was made.
    """

    def __init__(
        self, budget: Budget, made: Callable[[int, int, Any], None], finish: Callable[[], None]
    ) -> None:
        self._budget = budget
        self._made = made
        self._finish = finish
        self._counts: dict[Any, Iterator[int]] = defaultdict(count)
        self._parts: dict[int, dict[int, Any]] = {}
        self._newest: list[Any] = []  # replicas, of nodes that report when they like
        self._first: int | None = None
        self._finished = False

    def report(self, node: Node, request: Report) -> bool:
        """Whether the node is to go on."""
        number = node.number
        if request.shared:
            return self._shared(number, next(self._counts["shared"]), request)
        version = next(self._counts[number])
        if request.part is not None:
            return self._part(number, version, request.part, "joined", request.weights)
        if request.replica is not None:
            self._budget.count(request.weights)
            return self._part(number, version, request.replica, "averaged", request.weights)
        if self._first is None:
            self._first = number
        if number == self._first:
            return self._whole(number, version, request.weights)
        return self._budget.allows(version, request.weights)

    def _whole(self, number: int, version: int, weights: Any) -> bool:
        if self._finished:  # another node that shares the weights has made the last version
            return False
        self._made(number, version, weights)
        more = self._budget.allows(version, weights)
        if not more:
            self._end()
        return more

    def _shared(self, number: int, reports: int, request: Report) -> bool:
        """Of replicas, the first report stands for those that are not there yet: all start alike."""
        if request.replica is None:
            return self._whole(number, reports, request.weights)
        k, K = request.replica
        self._newest = self._newest or [request.weights] * K
        self._newest[k] = request.weights
        return reports < K - 1 or self._whole(number, reports - (K - 1), _of_all("averaged", self._newest))

    def _part(self, number: int, version: int, part: tuple[int, int], operation: str, weights: Any) -> bool:
        """A version is made when its last part is there; the answer does not wait for that."""
        l, n = part
        more = self._budget.allows(version, weights)
        parts = self._parts.setdefault(version, {})
        parts[l] = weights
        if len(parts) == n:
            del self._parts[version]
            self._made(number, version, _of_all(operation, [parts[l] for l in range(n)]))
            if not more:
                self._end()
        return more

    def _end(self) -> None:
        self._finished = True
        self._finish()


def _of_all(operation: str, parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else parts[0].derive(operation, tuple(parts), ())
