"""Which values are computed before their turn, so that gradients can be batched."""

from collections import deque
from dataclasses import replace

from rebuttal.core.graph import Order


def perturbations_first(order: Order, most: int) -> Order:
    """The same computation, with up to `most` perturbations of one state side by side.

    A gradient stands right behind the perturbed state that it is taken at, so one at a time would be ready. Of the
    order that comes out, as many are ready at once as one call serves, and no more states are held than that.
    """
    if "perturbed" not in order.operations or most == 1:
        return order
    waiting: dict[int, deque[int]] = {}
    for node, operation in enumerate(order.operations):
        if operation == "perturbed":
            waiting.setdefault(order.inputs[node][0], deque()).append(node)
    sequence: list[int] = []
    for node, operation in enumerate(order.operations):
        if operation != "perturbed":
            sequence.append(node)
            continue
        same = waiting[order.inputs[node][0]]
        if same and same[0] == node:
            sequence += [same.popleft() for _ in range(min(most, len(same)))]
    return _renumbered(order, sequence)


def _renumbered(order: Order, sequence: list[int]) -> Order:
    """The nodes in this sequence, in which the inputs of each come before it."""
    new = {node: number for number, node in enumerate(sequence)}
    return replace(
        order,
        operations=tuple(order.operations[node] for node in sequence),
        inputs=tuple(tuple(new[i] for i in order.inputs[node]) for node in sequence),
        arguments=tuple(order.arguments[node] for node in sequence),
        states=tuple(new[state] for state in order.states),
    )
