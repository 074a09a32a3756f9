"""Whether a run computes what sequential SGD computes: its order held against that of mini-batch SGD on one node."""

from collections.abc import Callable

import numpy as np

from rebuttal.core.graph import Graph, Order, order_of
from rebuttal.core.timeline import Timeline
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.timeline_metrics import progress

SAME = "same order as mini-batch SGD"
REORDERED = "same values, other order"
OTHER_BATCHES = "mini-batch SGD, other batches"
APPROXIMATE = "approximate"


def exactness(timeline: Timeline, mini_batch: Callable[[int, int], Timeline]) -> str:
    """One of SAME, REORDERED, OTHER_BATCHES and APPROXIMATE.

    `mini_batch(shards, updates)` is the run of one node that averages so many batches in each of so many updates.
    SAME: the replayed orders have one key, so the values are equal to the bit. REORDERED: they are once the inputs of
    every sum are sorted, so the values are equal but for rounding. OTHER_BATCHES: they are if it does not matter which
    batches a gradient is over. All others compute gradients at weights that sequential SGD never has, or apply them
    where it does not.
    """
    batches = np.diff(progress(timeline)["batches_applied"].values)
    if not len(batches) or batches.min() != batches.max() or not batches[0]:
        return APPROXIMATE
    mine, its = (merged(run.order) for run in (timeline, mini_batch(int(batches[0]), len(batches))))
    if mine.key == its.key:
        return SAME
    for rewritten, verdict in ((sums_sorted, REORDERED), (batches_counted, OTHER_BATCHES)):
        if rewritten(mine).key == rewritten(its).key:
            return verdict
    return APPROXIMATE


def sums_sorted(order: Order) -> Order:
    """The order with the inputs of every sum, and the batches of every gradient, in one order."""
    return rewritten(order, lambda pairs: [number for pair in sorted(pairs) for number in pair])


def batches_counted(order: Order) -> Order:
    """The order with the number of its batches in the place of each gradient's batches."""
    return rewritten(order, lambda pairs: [float(len(pairs))])


def rewritten(order: Order, batches: Callable[[list[tuple[float, float]]], list[float]]) -> Order:
    """The order with sorted sums, and with `batches` of the (shard, step) pairs of a gradient for its arguments."""
    graph, new = Graph(), []
    for operation, inputs, arguments in zip(order.operations, order.inputs, order.arguments, strict=True):
        below = tuple(new[i] for i in inputs)
        if operation in ("mean", "summed", "averaged"):
            below = tuple(sorted(below))
        pairs = list(zip(arguments[::2], arguments[1::2], strict=True)) if operation == "gradient" else []
        new.append(graph.node(operation, below, tuple(batches(pairs)) if pairs else arguments))
    return order_of(graph, [new[state] for state in order.states])
