"""Elastic averaging SGD: workers wander by themselves, tied to a common centre by a spring.

Zhang, Choromanska & LeCun (2015), Deep learning with elastic averaging SGD, NIPS, arXiv:1412.6651, the asynchronous
form. Differences: docs/methods/elastic_averaging.md.

    server:   on each x_i from worker i:  send x̃ to i;  x̃ ← x̃ + α (x_i − x̃)
    worker i: x ← x_i
              every τ steps:  send x_i;  receive x̃;  x_i ← x_i − α (x_i − x̃)
              x_i ← x_i − η ∇F(batch; x)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import moved
from rebuttal.core.verbs import Compute, Program, Recv, Report, Send
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class ElasticAveraging(ServerAndWorkers):
    """Worker and centre pull each other by the same amount; the centre is what is reported."""

    tau: int = 10  # τ, a worker's steps between two elastic moves
    alpha: float = 0.1  # α, the share of their distance by which worker and centre each move

    at_least: ClassVar = {"tau": 1}
    needs_every_worker: ClassVar = False
    diagram: ClassVar = Diagram(
        "Elastic averaging, τ = 2: worker and centre pull each other", {"tau": 2, "alpha": 0.2}
    )
    tried_as: ClassVar = {"elastic_averaging": {"tau": 2, "alpha": 0.15}}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.alpha < 1:
            raise refuse("alpha", self.alpha, "a number between 0 and 1, both excluded")

    def updates(self, versions: int) -> int:
        """Not known: the centre moves only, and workers make as many updates as they find time for."""
        return 0

    def serve(self, task: Any, workers: Sequence[int]) -> Program:
        """Keep the centre x̃; every elastic move makes a version of it."""
        centre = task.start()
        while (yield Report(centre)):
            worker, x = yield Recv("state")
            yield Send(worker, "centre", centre)
            centre = moved(centre, x, by=self.alpha)

    def work(self, task: Any, server: int, i: int) -> Program:
        """Worker number i. The gradient is that of x before the elastic move, as in the paper's box."""
        x, t = task.start(), 0
        while True:
            before = x
            if t > 0 and t % self.tau == 0:
                yield Send(server, "state", x)
                _, centre = yield Recv("centre")
                x = moved(x, centre, by=self.alpha)
            g = yield Compute(task.gradient, (before, (i, t)))
            x = yield Compute(task.update, (x, g))
            t += 1
