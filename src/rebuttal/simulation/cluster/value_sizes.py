"""How large a value is, from how it is computed: weights or activations, of which stage, and in which form."""

from dataclasses import dataclass, field
from typing import NamedTuple

from rebuttal.core import value_operations
from rebuttal.core.graph import Arguments, Symbol

NUMBER_BYTES = 4  # of a float32


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
#: The extents of operations whose values are about the same in every run.
FIXED = {"gradient": WHOLE, "joined": WHOLE, "input": NOTHING}
#: Operations of stage l of n, as their first arguments say, and what their values are about.
STAGED = {
    "part": "weights",
    "weight_gradient": "weights",
    "perturbed_part": "weights",
    "forward": "activations",
    "loss": "activations",
    "input_gradient": "activations",
}


@dataclass
class Extents:
    """The extents of the nodes of one graph, each found once."""

    _known: list[Extent] = field(default_factory=list)

    def of(self, symbol: Symbol) -> Extent:
        """That of its operation, or of its first input, in the form that an operation of a method's own gives it."""
        graph, known = symbol.graph, self._known
        for node in range(len(known), symbol.number + 1):
            operation, inputs = graph.operations[node], graph.inputs[node]
            if operation in FIXED:
                extent = FIXED[operation]
            elif operation in STAGED:
                extent = _of_stage(operation, graph.arguments[node])
            elif inputs:
                extent = known[inputs[0]]
                if value_operations.is_own(operation):
                    extent = extent._replace(form=(operation, graph.arguments[node]))
            else:
                extent = WHOLE
            known.append(extent)
        return known[symbol.number]


def _of_stage(operation: str, numbers: Arguments) -> Extent:
    l, n = int(numbers[0]), int(numbers[1])
    if operation != "input_gradient":
        return Extent(STAGED[operation], l, n)
    return Extent("activations", l - 1, n) if l else NOTHING  # those that came from the stage below
