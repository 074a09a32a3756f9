"""How large a value is, from how it is computed: weights or activations, of which stage, and in which form."""

from dataclasses import dataclass, field
from typing import NamedTuple

from rebuttal.core import value_operations
from rebuttal.core.graph import Arguments, Graph, Symbol

NUMBER_BYTES = 4  # of a float32
WEIGHTS = ("part", "weight_gradient", "perturbed_part")  # of stage l of n, as their first arguments say


class Extent(NamedTuple):
    """What a value is about: weights (also a state or a gradient) or activations of stage l of n, or nothing.

    form: the last of a method's own operations that it went through, which may have made it smaller.
    """

    kind: str
    l: int
    n: int
    form: tuple[str, Arguments] | None = None

    def size_bytes(self, dense_bytes: int) -> int:
        """On the wire, where it would have `dense_bytes` in float32. Raises InputError for a form that is not known."""
        if self.form is None:
            return dense_bytes
        name, arguments = self.form
        stated = value_operations.found(name).costs("size_bytes", dense_bytes // NUMBER_BYTES, arguments)
        return dense_bytes if stated is None else round(stated)


WHOLE = Extent("weights", 0, 1)
NOTHING = Extent("nothing", 0, 1)


@dataclass
class Extents:
    """The extents of the nodes of one graph, each found once."""

    _known: dict[int, Extent] = field(default_factory=dict)

    def of(self, symbol: Symbol) -> Extent:
        """That of its operation, or of its first input, in the form that an operation of a method's own gives it."""
        graph, passed, node = symbol.graph, [], symbol.number
        while node not in self._known:
            own = _own(graph, node)
            if own is not None:
                self._known[node] = own
            else:
                passed.append(node)
                node = graph.inputs[node][0]
        for number in reversed(passed):
            below, operation = self._known[graph.inputs[number][0]], graph.operations[number]
            form = (operation, graph.arguments[number]) if value_operations.is_own(operation) else below.form
            self._known[number] = below._replace(form=form)
        return self._known[symbol.number]


def _own(graph: Graph, node: int) -> Extent | None:
    """The extent that an operation gives to its value, or None where that is its first input's."""
    operation, numbers = graph.operations[node], graph.arguments[node]
    if operation in WEIGHTS:
        return Extent("weights", int(numbers[0]), int(numbers[1]))
    if operation in ("forward", "loss"):
        return Extent("activations", int(numbers[0]), int(numbers[1]))
    if operation == "input_gradient":  # of the activations that came from the stage below
        return Extent("activations", int(numbers[0]) - 1, int(numbers[1])) if numbers[0] else NOTHING
    if operation == "input":
        return NOTHING
    if operation in ("joined", "gradient") or not graph.inputs[node]:
        return WHOLE
    return None
