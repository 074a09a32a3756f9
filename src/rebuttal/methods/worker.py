"""What a worker of a parameter server does; the methods differ in what the server does with it.

Letters: k number of this worker's shard, t its own step, u version of the weights it read.
"""

from typing import Any

from rebuttal.verbs import Compute, Program, Recv, Send


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
