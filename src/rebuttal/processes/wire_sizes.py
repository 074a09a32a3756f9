"""How many bytes a value takes on the wire between processes: from what, to what."""

from dataclasses import dataclass, field
from typing import Any

from rebuttal.core.graph import Symbol
from rebuttal.core.partition import cut
from rebuttal.core.update_rules import Rule, remembered
from rebuttal.simulation.cluster.value_sizes import Extents
from rebuttal.workloads.stage_shape import Shape

#: Beside numbers: the tag, names, types and shapes, for the message and for each tensor in it.
AROUND, AROUND_TENSOR = 512, 512
#: Operations that give a state: the weights and what the rule remembers. What cuts, joins or averages gives its like.
STATES = {"start", "update", "compensated_update", "averaged", "moved", "extrapolated", "perturbed",
          "perturbed_part", "predicted"}  # fmt: skip
LIKE_ITS_INPUT = {"part", "joined", "mean", "summed", "scaled", "clipped"}
FLOAT, HALF = 4, 2
ANYTHING = 2**40  # bytes of what an operation of a method's own has made


@dataclass
class WireSizes:
    """Of the values of one run: of a workload of this shape, with this rule and batch."""

    shape: Shape
    rule: Rule
    batch: int
    _extents: Extents = field(default_factory=Extents)

    def of(self, value: Any) -> tuple[int, int]:
        """(least, most) bytes of a message with this value, a symbol, a plain value, or a tuple of them."""
        found = [self._of_symbol(part) for part in _symbols(value)]
        return sum(least for least, _ in found), AROUND + sum(most for _, most in found)

    def _of_symbol(self, symbol: Symbol) -> tuple[int, int]:
        kind, l, n, form = self._extents.of(symbol)
        if form is not None:
            return 0, ANYTHING
        if kind == "activations":
            values = self.shape.width(l, n) * self.batch
            return HALF * values, FLOAT * values + AROUND_TENSOR
        if kind != "weights":
            return 0, AROUND_TENSOR
        tensors = 1 + remembered(self.rule) if self._is_state(symbol) else 1
        size = FLOAT * tensors * self._parameters(l, n)
        return size, size + AROUND_TENSOR * (1 + tensors)

    def _parameters(self, l: int, n: int) -> int:
        layers = cut(self.shape.parameters, n)[l]
        return sum(self.shape.parameters[layers.start : layers.stop])

    @staticmethod
    def _is_state(symbol: Symbol) -> bool:
        graph, node = symbol.graph, symbol.number
        while graph.operations[node] in LIKE_ITS_INPUT:
            node = graph.inputs[node][0]
        return graph.operations[node] in STATES


def _symbols(value: Any) -> list[Symbol]:
    if isinstance(value, Symbol):
        return [value]
    if isinstance(value, tuple | list):
        return [found for part in value for found in _symbols(part)]
    return []
