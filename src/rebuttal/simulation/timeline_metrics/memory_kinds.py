"""What kind of memory a value takes, and how much."""

from rebuttal.core.graph import Graph, Symbol
from rebuttal.machines.costs import Costs
from rebuttal.simulation.cluster.value_sizes import Extents
from rebuttal.simulation.timeline_metrics.dependency_chains import UPDATES, Chains

KINDS = ("weights", "gradients", "activations", "buffers")
ACTIVATION_BYTES = 4  # of a float32
#: How many tensors a learner beside the model keeps: a synthesizer has its weights and two moments of Adam.
LEARNERS = {"synthesizer": 3, "taught": 3, "classifier": 1}
DELTAS = ("synthetic", "local_delta")  # gradients with respect to a stage's own activations, from a learner


class Sizes:
    """Bytes of the values of one graph."""

    def __init__(self, graph: Graph, chains: Chains, costs: Costs) -> None:
        self._graph, self._chains, self._costs, self._extents = graph, chains, costs, Extents()
        self._first: dict[int, int] = {}

    def held(self, value: int, here: bool) -> tuple[str, float]:
        """Kind and bytes on a node's shelf; `here`: it was computed there, so that a record is its own."""
        operation = self._graph.operations[value]
        if self._chains.depth[value] is not None:
            return "weights", self.parameters(value)
        if operation == "forward" and here:
            return "activations", self._record(value)
        if operation in ("forward", "input_gradient"):
            return "buffers", self.sent(value)
        if operation in DELTAS:
            return "buffers", self._per_batch(self._costs.stage_outputs(*self._stage(value)))
        learner = self._learner(value)
        if learner is not None:
            kind = "gradients" if operation == "classifier_gradient" else "weights"
            return kind, learner
        return "gradients", self.parameters(value)

    def parameters(self, value: int) -> float:
        """Bytes of a state's weights, or of a gradient."""
        extent = self._extents.of(Symbol(self._graph, value))
        share = self._costs.stage_parameters(extent.l, extent.n) / self._costs.parameters
        dense = self._costs.weight_bytes * share
        return dense if extent.form is None else extent.size_bytes(round(dense))

    def sent(self, value: int) -> float:
        """Bytes of a value in a message."""
        extent = self._extents.of(Symbol(self._graph, value))
        if extent.kind == "activations":
            dense = self._per_batch(self._costs.stage_outputs(extent.l, extent.n))
            return dense if extent.form is None else extent.size_bytes(round(dense))
        return self.parameters(value) if extent.kind == "weights" else 0.0

    def _record(self, value: int) -> float:
        """Bytes of what a forward pass keeps for its backward pass."""
        return self._per_batch(self._costs.stage_saved(*self._stage(value)))

    def _learner(self, value: int) -> float | None:
        """Bytes of a linear map from a stage's activations: to as many, or to the model's outputs; None for others."""
        value = self._first_state(value)
        operation = self._graph.operations[value]
        if operation not in (*LEARNERS, "classifier_gradient"):
            return None
        l, n = self._stage(value)
        outputs = self._costs.stage_outputs(l, n)
        targets = outputs if operation in ("synthesizer", "taught") else self._costs.stage_outputs(n - 1, n)
        return ACTIVATION_BYTES * LEARNERS.get(operation, 1) * (outputs + 1) * targets

    def _first_state(self, value: int) -> int:
        """Where the updates that lead to a value begin."""
        passed = []
        while self._graph.operations[value] in UPDATES and value not in self._first:
            passed.append(value)
            value = self._graph.inputs[value][0]
        first = self._first.get(value, value)
        self._first.update(dict.fromkeys(passed, first))
        return first

    def _stage(self, value: int) -> tuple[int, int]:
        l, n = self._graph.arguments[value][:2]
        return int(l), int(n)

    def _per_batch(self, values: int) -> float:
        return ACTIVATION_BYTES * self._costs.batch * values
