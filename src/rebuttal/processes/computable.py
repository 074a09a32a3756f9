"""Whether an order can be computed here: operations that there are, of stages and samples that there are, in memory.

An order in a file was written by anybody. What it asks for is bounded before anything is computed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from rebuttal.base.errors import InputError
from rebuttal.core import update_rules, value_operations
from rebuttal.core.graph import Order
from rebuttal.replaying.batch_merging import use_counts
from rebuttal.replaying.operations import OPERATIONS
from rebuttal.workloads.workload import Workload

WHOLE = {"start", "update", "joined", "gradient", "input", "perturbed", "predicted", "compensated_update",
         *update_rules.FUNCTIONS}  # fmt: skip  # operations that are of no stage; the others begin with l and n
PAIRS = {"gradient": 0, "input": 0, "loss": 2, "synthetic": 2, "taught": 2, "local_delta": 2,
         "classifier_gradient": 2}  # fmt: skip  # where in the arguments (shard, step) begin
MOST_SHARDS = 8192
MOST_DRAWN = 2**24  # samples, over all steps of all shards
MOST_CALL_BYTES = 2**28  # of the samples of one gradient
MOST_HELD_BYTES = 2**29  # of weights and gradients that are needed at one time
FEW = 64  # versions, which any run may hold


def check(order: Order, workload: Workload, batch: int, tensors: int) -> None:
    """tensors: how many numbers a state has for each weight.

    Raises:
        InputError: the order asks for what there is not, or for more than a run of its size can.
    """
    sample = workload.splits["training"][0][:1]
    for node, (operation, arguments) in enumerate(zip(order.operations, order.arguments, strict=True)):
        own = value_operations.is_own(operation) and not value_operations.unknown([operation])
        if operation != "gradient" and operation not in OPERATIONS and not own:
            raise _refused(node, operation, "an operation that no method has")
        if operation not in WHOLE and not own and not _is_stage(arguments, workload.shape.layers):
            raise _refused(node, operation, f"stage {arguments[:2]} of {workload.shape.layers} layers")
    _check_samples(order, batch, sample.numel() * sample.element_size())
    held = _most_held(order)
    if held > FEW and held * workload.parameters * tensors * sample.element_size() > MOST_HELD_BYTES:
        raise InputError(f"timeline: {held:,} values of {workload.parameters:,} weights are needed at one time; "
                         f"allowed: {FEW}, or {MOST_HELD_BYTES:,} bytes")  # fmt: skip


def _is_stage(arguments: Sequence[float], layers: int) -> bool:
    l, n, *_ = (*arguments, -1.0, -1.0)
    return l == int(l) and n == int(n) and 0 <= l < n <= layers


def _check_samples(order: Order, batch: int, sample_bytes: int) -> None:
    steps: dict[int, int] = {}
    for node, operation, pairs in _pairs(order):
        if len(pairs) // 2 * batch * sample_bytes > MOST_CALL_BYTES:
            raise _refused(node, operation, f"{len(pairs) // 2:,} batches at once")
        for shard, step in zip(pairs[::2], pairs[1::2], strict=False):
            if not (0 <= shard <= MOST_DRAWN and 0 <= step <= MOST_DRAWN and shard == int(shard)):
                raise _refused(node, operation, f"batch {(shard, step)}")
            steps[int(shard)] = max(steps.get(int(shard), 0), int(step) + 1)
    drawn = sum(steps.values()) * batch
    if len(steps) > MOST_SHARDS or drawn > MOST_DRAWN:
        raise InputError(f"timeline: {drawn:,} samples of {len(steps):,} shards; allowed: at most {MOST_DRAWN:,} of "
                         f"{MOST_SHARDS:,}")  # fmt: skip


def _pairs(order: Order) -> Iterator[tuple[int, str, Sequence[float]]]:
    """(node, operation, shards and steps) of every operation on samples."""
    for node, (operation, arguments) in enumerate(zip(order.operations, order.arguments, strict=True)):
        if operation in PAIRS:
            pairs = arguments[PAIRS[operation] :]
            yield node, operation, pairs if operation == "gradient" else pairs[:2]


def _most_held(order: Order) -> int:
    """How many values are needed at one time, when each is let go after its last use."""
    uses, held, most = use_counts(order), 0, 0
    states = Counter(order.states)
    for node, inputs in enumerate(order.inputs):
        held += 1
        most = max(most, held)
        for i in inputs:
            uses[i] -= 1
            held -= uses[i] == 0
        uses[node] -= states[node]  # a version is looked at once it is there
        held -= uses[node] == 0
    return most


def _refused(node: int, operation: str, what: str) -> InputError:
    return InputError(
        f"timeline: {operation[:40]!r} (node {node} of its order): got {what}; allowed: what a run here has"
    )
