"""What workers of several methods do: those of a parameter server, and those that go through a model layer by layer.

Letters: k number of this worker's shard, t its own step, u version of the weights it read; w weights, h activations
and δ the gradient with respect to them, of each layer.
"""

from collections.abc import Generator, Sequence
from typing import Any

from rebuttal.core.verbs import Compute, Program, Recv, Request, Send


def pull_compute_push(task: Any, server: int, k: int) -> Program:
    """Take the weights that the server sent, compute one gradient on them, push it; again and again.

    A worker that finds several versions in its mail reads the newest, as one that reads a server's variables does.
    """
    t = 0
    while True:
        _, (w, u) = yield Recv("weights", latest=True)
        g = yield Compute(task.gradient, (w, (k, t)))
        yield Send(server, "gradient", (g, u))
        t += 1


def forward_pass(
    layers: Sequence[Any], w: Sequence[Any], k: int, t: int
) -> Generator[Request, Any, tuple[list[Any], Any]]:
    """Batch t of shard k through all layers on one node: (what each layer's forward pass gave, δ at the outputs)."""
    h = [layers[0].input(k, t)]
    for layer, part in zip(layers, w, strict=True):
        h.append((yield Compute(layer.forward, (part, h[-1]))))
    return h[1:], layers[-1].loss(h[-1], k, t)
