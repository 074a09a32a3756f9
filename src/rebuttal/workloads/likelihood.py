"""The objective of models of sequences: how likely they find each next symbol, in nats and in bits."""

import math

from torch import Tensor, nn

from rebuttal.workloads.parts import Objective


def nats(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of logits [n, T, V] against symbols [n, T], in nats for each symbol."""
    return nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten().long())


def nats_of_each(outputs: Tensor, y: Tensor) -> Tensor:
    """The same for each sample, [n]."""
    return nn.functional.cross_entropy(outputs.mT, y.long(), reduction="none").mean(1)


def bits(outputs: Tensor, y: Tensor) -> Tensor:
    """The mean in bits for each symbol: of a text per character, of an image per dimension."""
    return nats(outputs, y) / math.log(2)


LIKELIHOOD = Objective(loss=nats, losses=nats_of_each, metric=bits)
