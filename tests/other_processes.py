"""What tests run in other processes, in a module that these can import: methods that go wrong, a node of torchrun."""

import os
from dataclasses import dataclass
from typing import ClassVar

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import SGD
from rebuttal.core.verbs import Compute, Recv, Report, Send
from rebuttal.methods.hogwild import Hogwild
from rebuttal.processes import torchrun
from rebuttal.processes.setup import Setup


@dataclass(frozen=True)
class Faulty:
    """Two nodes that report the start; node 1 then does what `fault` says, while node 0 waits for its word."""

    fault: str
    servers: ClassVar[int] = 1

    def check(self, workers):
        """One worker."""

    def nodes(self, workers):
        return 2

    def programs(self, nodes, task):
        return {0: self.serve(task), 1: getattr(self, self.fault)(task)}

    def serve(self, task):
        w = task.start()
        while (yield Report(w)):
            _, g = yield Recv("gradient")
            if g is None:
                return
            w = yield Compute(task.update, (w, g))

    def silent(self, task):
        """Waits for weights that nobody sends."""
        yield Recv("weights")

    def broken(self, task):
        """Computes one gradient, and then what cannot be computed."""
        g = yield Compute(task.gradient, (task.start(), (0, 0)))
        yield Send(0, "gradient", g)
        yield Compute(task.gradient, (g, (0, "first")))

    def refusing(self, task):
        """Finds that it was given what it cannot use."""
        yield Compute(task.start)
        raise refuse("n", 3, "a whole number from 1 to 2")

    def short(self, task):
        """Ends, and makes the other end, before the budget is spent."""
        yield Send(0, "gradient", None)

    def alone(self, task):
        """Sends itself what it sends on: mail to oneself comes like any other."""
        for t in range(1000):
            g = yield Compute(task.gradient, (task.start(), (0, t)))
            yield Send(1, "note", g)
            source, same = yield Recv("note")
            assert source == 1
            yield Send(0, "gradient", same)


@dataclass(frozen=True)
class Reckless(Hogwild):
    """Promises what it cannot keep."""

    def may_lose(self, workers):
        return 1


def environment(rank, world, port, hosts=1):
    """What torchrun sets. With more than one of `hosts`, each process is told that it is alone on its own."""
    found = {"RANK": rank, "WORLD_SIZE": world, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    if hosts > 1:
        found["LOCAL_WORLD_SIZE"] = world // hosts
    return {key: str(value) for key, value in found.items()}


def setup(method="asynchronous"):
    """A run of two workers, and a server where there is one."""
    return Setup.of(
        method, None, "none", workload="digits_mlp", workers=2, updates=20, learning_rate=0.1, rule=SGD(),
        batch=32, seed=0, pace_s=0.0, checksums_every=10,
    )  # fmt: skip


def torchrun_node(rank, port, path, world=3, hosts=1, method="asynchronous"):
    """One of `world` processes, as torchrun would start them."""
    os.environ |= environment(rank, world, port, hosts)
    timeline = torchrun.record(setup(method))
    if timeline is not None:
        timeline.save(path)
