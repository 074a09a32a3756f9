"""Machines and methods that the tests run on: known costs, so that what comes out can be stated beforehand."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rebuttal.costs import Costs
from rebuttal.hardware import Link, Machine, Stated
from rebuttal.seeding import generator
from rebuttal.simulation import simulate
from rebuttal.stragglers import STRAGGLERS, Exponential, NoStragglers, Stragglers
from rebuttal.timeline import Timeline

FREE = Link(0.0, float("inf"), "test")
COSTS = Costs("digits_mlp", 9610, 38440, 32, 1078, ("all",), {32: (0.5,)}, {32: (0.5,)}, 0.0)

#: Every method with options, on 6 workers.
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "mini_batch": ("mini_batch", {"shards": 6}),
    "all_reduce": ("all_reduce", {}),
    "synchronous": ("synchronous", {}),
    "asynchronous": ("asynchronous", {}),
    "asynchronous_clipped": ("asynchronous_clipped", {"c": 0.3}),
    "softsync": ("softsync", {"n": 2}),
    "softsync_aware": ("softsync_aware", {"n": 2}),
    "backup_workers": ("backup_workers", {"b": 2}),
    "k_sync": ("k_sync", {"b": 2}),
    "delayed": ("delayed", {"k": 3}),
}


def machine(
    stragglers: Stragglers | None = None,
    link: Link = FREE,
    server_link: Link | None = None,
    gradient_s: float = 1.0,
    update_s: float = 0.0,
    weight_bytes: int = 1000,
) -> Machine:
    """A machine whose gradient takes `gradient_s`, times the straggler."""
    return Machine(
        name="test",
        description="test",
        worker_link=link,
        shard_link=server_link or link,
        server_shards=1,
        stragglers=stragglers or Exponential(),
        stragglers_source="test",
        compute=Stated(gradient_s, update_s, weight_bytes, "test"),
    )


def run(name: str, options: dict[str, Any] | None = None, **given: Any) -> Timeline:
    """A timeline on the test machine, six workers unless told otherwise."""
    given = {"machine": machine(), "workers": 6, "updates": 20, "costs": COSTS} | given
    return simulate(name, options=options or {}, **given)


@dataclass(frozen=True)
class Fixed(NoStragglers):
    """Slowdowns by worker, the same at every step: for runs whose every event can be worked out by hand."""

    factors: tuple[float, ...] = (1.0,)

    def slowdowns(self, seed: int, worker: int, count: int) -> np.ndarray:
        return np.full(count, self.factors[worker])


__all__ = ["COSTS", "FREE", "METHODS", "STRAGGLERS", "Fixed", "Link", "generator", "machine", "run"]
