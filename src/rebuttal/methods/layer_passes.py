"""The forward pass of methods that go through a model layer by layer.

Letters: k number of this worker's shard, t its own step; w weights, h activations and δ the gradient with respect to
them, of each layer.
"""

from collections.abc import Generator, Sequence
from typing import Any

from rebuttal.core.verbs import Compute, Request


def forward_pass(
    layers: Sequence[Any], w: Sequence[Any], k: int, t: int
) -> Generator[Request, Any, tuple[list[Any], Any]]:
    """Batch t of shard k through all layers on one node: (what each layer's forward pass gave, δ at the outputs)."""
    h = [layers[0].input(k, t)]
    for layer, part in zip(layers, w, strict=True):
        h.append((yield Compute(layer.forward, (part, h[-1]))))
    return h[1:], layers[-1].loss(h[-1], k, t)
