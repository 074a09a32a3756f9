"""Downpour SGD: workers fetch the weights and push their accrued gradient at intervals, and go on alone in between.

Dean et al. (2012), Large scale distributed deep networks, NIPS 25. Differences from the paper:
docs/methods/downpour.md.

    server:   on each Δ from a worker:  w ← w − η Δ
    worker k: for t = 0, 1, …:
        if t mod n_fetch = 0:  w_k ← the server's w
        g ← ∇F(batch; w_k);  Δ ← Δ + g;  w_k ← w_k − η g
        if (t + 1) mod n_push = 0:  send Δ;  Δ ← 0
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.update_rules import summed
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class Downpour(ServerAndWorkers):
    """Asynchronous SGD that talks to the server only now and then."""

    n_fetch: int = 1  # gradients that a worker computes from one fetch of the weights to the next
    n_push: int = 1  # gradients whose sum is one push, and one update

    at_least: ClassVar = {"n_fetch": 1, "n_push": 1}
    needs_every_worker: ClassVar = False
    diagram: ClassVar = Diagram(
        "Downpour SGD: two gradients from one fetch to the next, and two in a push",
        {"n_fetch": 2, "n_push": 2},
    )
    tried_as: ClassVar = {"downpour": {"n_fetch": 3, "n_push": 2}}

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Apply what is pushed, and send the weights to whoever fetches."""
        w = task.start()
        more = yield Report(w)
        for worker in workers:
            yield Send(worker, "weights", w)
        while more:
            worker, (delta, fetches) = yield Recv("gradient")
            if delta is not None:
                w = yield Compute(task.update, (w, delta))
                more = yield Report(w)
            if fetches:
                yield Send(worker, "weights", w)

    def work(self, task: Any, server: int, k: int) -> Program:
        """Compute gradients on a copy that is updated with them; one message when a push or a fetch is due."""
        _, w = yield Recv("weights")
        delta, t = None, 0
        while True:
            g = yield Compute(task.gradient, (w, (k, t)))
            delta, t = (g if delta is None else summed(delta, g)), t + 1
            pushes, fetches = t % self.n_push == 0, t % self.n_fetch == 0
            if pushes or fetches:
                yield Send(server, "gradient", (delta if pushes else None, fetches))
            if pushes:
                delta = None
            if fetches:
                _, w = yield Recv("weights")
            else:
                w = yield Compute(task.update, (w, g))
