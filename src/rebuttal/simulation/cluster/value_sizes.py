"""How large a value is, from how it is computed: weights or activations, and of which stage."""

from dataclasses import dataclass, field

from rebuttal.core.graph import Graph, Symbol

Extent = tuple[str, int, int]
WEIGHTS = ("part", "weight_gradient", "perturbed_part")  # of stage l of n, as their first arguments say
WHOLE: Extent = ("weights", 0, 1)
NOTHING: Extent = ("nothing", 0, 1)


@dataclass
class Extents:
    """(kind, l, n) of the nodes of one graph, each found once."""

    _known: dict[int, Extent] = field(default_factory=dict)

    def of(self, symbol: Symbol) -> Extent:
        """Weights (also of a state or a gradient) or activations of stage l of n, or nothing that is sent."""
        passed, node = [], symbol.number
        while node not in self._known and _own(symbol.graph, node) is None:
            passed.append(node)
            node = symbol.graph.inputs[node][0]  # the same extent as its first input
        if node not in self._known:
            self._known[node] = _own(symbol.graph, node) or WHOLE
        for number in passed:
            self._known[number] = self._known[node]
        return self._known[node]


def _own(graph: Graph, node: int) -> Extent | None:
    """The extent that an operation gives to its value, or None where that is its first input's."""
    operation, numbers = graph.operations[node], graph.arguments[node]
    if operation in WEIGHTS:
        return ("weights", int(numbers[0]), int(numbers[1]))
    if operation in ("forward", "loss"):
        return ("activations", int(numbers[0]), int(numbers[1]))
    if operation == "input_gradient":  # of the activations that came from the stage below
        return ("activations", int(numbers[0]) - 1, int(numbers[1])) if numbers[0] else NOTHING
    if operation == "input":
        return NOTHING
    if operation in ("joined", "gradient") or not graph.inputs[node]:
        return WHOLE
    return None
