"""One-sided parameter server: workers read and write the server's memory, layer by layer, without its help.

The operations are those of the MPI Forum (2012), MPI: a message-passing interface standard, version 3.0, chapter 11
(get, put, accumulate), as RDMA offers them; the method is a reconstruction. Differences: docs/methods/one_sided.md.

    server:   w^l ← w₀^l in a cell for each layer l, and nothing more
    worker k: w^l ← get cell l, for l = 1, …, n;  g ← ∇F(batch; w¹, …, wⁿ)
              for l = n, …, 1:  accumulate −η g^l into cell l  (or, not atomic: get w^l; put w^l − η g^l)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rebuttal.core.verbs import Compute, Modify, Program, Read, Report, Write
from rebuttal.methods.bases import Diagram, ServerAndWorkers


@dataclass(frozen=True)
class OneSided(ServerAndWorkers):
    """The weights that a worker reads, and the updates that it makes, are torn between layers."""

    atomic: bool = True  # False: what others write between a worker's get and its put is lost

    group: ClassVar = "memory"
    diagram: ClassVar = Diagram("One-sided parameter server: layers are read and written without the server")
    tried_as: ClassVar = {"one_sided": {}, "one_sided_lossy": {"atomic": False}}

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The server's program, which must know its own node, and the workers'."""
        server, *workers = nodes
        working = {worker: self.work(task, server, k) for k, worker in enumerate(workers)}
        return {server: self.serve(task, nodes), **working}

    def serve(self, task: Any, nodes: Sequence[int]) -> Program:
        """Own the memory, on the first of all nodes."""
        yield Report(task.start(), shared=True)
        for stage in task.stages(task.layers):
            yield Write(f"layer {stage.l}", stage.start(), at=nodes[0])

    def work(self, task: Any, server: int, k: int) -> Program:
        """Get every layer, compute a gradient, change every layer, the last one first."""
        stages, t, more = task.stages(task.layers), 0, True
        while more:
            w = {}
            for stage in stages:
                w[stage.l] = yield Read(f"layer {stage.l}", at=server)
            g = yield Compute(task.gradient, (task.joined(*w.values()), (k, t)))
            for stage in reversed(stages):
                w[stage.l] = yield from self.put(stage, stage.part(g), server)
            more = yield Report(task.joined(*w.values()), shared=True)
            t += 1

    def put(self, stage: Any, g: Any, server: int) -> Program:
        """Update one layer in the server's memory; its new content."""
        cell = f"layer {stage.l}"
        if self.atomic:
            return (yield Modify(cell, stage.update, (g,), at=server))
        w = yield Read(cell, at=server)
        w = yield Compute(stage.update, (w, g))
        yield Write(cell, w, at=server)
        return w
