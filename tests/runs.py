"""Machines and methods that the tests run on: known costs, so that what comes out can be stated beforehand."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rebuttal import methods
from rebuttal.base.seeding import generator
from rebuttal.core.timeline import Timeline
from rebuttal.machines.costs import Costs
from rebuttal.machines.hardware import Link, Machine, Measured, Stated
from rebuttal.machines.stragglers import STRAGGLERS, Exponential, NoStragglers, Stragglers
from rebuttal.simulation.simulate import simulate

FREE = Link(0.0, float("inf"), "test")


def layered_costs(L: int = 8, forward_s: float = 0.25, backward_s: float = 0.5, **given: Any) -> Costs:
    """Costs of a model of L equal layers (1,000 parameters and 10 values out, each) for batches of 32 samples.

    `forward_s` and `backward_s` are those of one layer.
    """
    layers = tuple(f"layer{number}" for number in range(L))
    each = {"layer_parameters": (1000,) * L, "layer_outputs": (10,) * L}
    seconds = ({32: (forward_s,) * L}, {32: (backward_s,) * L}, given.pop("update_s", 0.0))
    return Costs("digits_deep", 1000 * L, 4000 * L, 32, 1078, layers, *seconds, **(each | given))


#: Of digits_deep, whose gradient takes a second.
COSTS = layered_costs(8, 1 / 24, 2 / 24)

#: Every method with options, on 6 workers.
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "mini_batch": ("mini_batch", {"shards": 6}),
    "all_reduce": ("all_reduce", {}),
    "layer_wise": ("layer_wise", {}),
    "layer_wise_overlapped": ("layer_wise_overlapped", {"channels": 2}),
    "bucketed": ("bucketed", {"first_mib": 0.0001, "cap_mib": 0.0003}),
    "layer_wise_asynchronous": ("layer_wise_asynchronous", {}),
    "layer_wise_lazy": ("layer_wise_asynchronous", {"lazy": True}),
    "delayed_all_reduce": ("delayed_all_reduce", {"k": 2}),
    "delayed_layer_wise": ("delayed_layer_wise", {"k": 1}),
    "local_sgd": ("local_sgd", {"H": 2, "post": 3}),
    "elastic_averaging": ("elastic_averaging", {"tau": 2, "alpha": 0.15}),
    "synchronous": ("synchronous", {}),
    "asynchronous": ("asynchronous", {}),
    "asynchronous_clipped": ("asynchronous_clipped", {"c": 0.3}),
    "delay_compensated": ("delay_compensated", {"by": 0.5}),
    "delay_compensated_adaptively": ("delay_compensated", {"by": 0.2, "adaptive": True}),
    "downpour": ("downpour", {"n_fetch": 3, "n_push": 2}),
    "stale_synchronous": ("stale_synchronous", {"s": 2}),
    "one_sided": ("one_sided", {}),
    "one_sided_lossy": ("one_sided", {"atomic": False}),
    "hogwild": ("hogwild", {}),
    "bounded_delay": ("bounded_delay", {"B": 3}),
    "softsync": ("softsync", {"n": 2}),
    "softsync_aware": ("softsync_aware", {"n": 2}),
    "backup_workers": ("backup_workers", {"b": 2}),
    "k_sync": ("k_sync", {"b": 2}),
    "delayed": ("delayed", {"k": 3}),
    "model_parallel": ("model_parallel", {}),
    "gpipe": ("gpipe", {"m": 6}),
    "one_forward_one_backward": ("one_forward_one_backward", {"m": 6}),
    "zero_bubble": ("zero_bubble", {"m": 6}),
    "pipedream": ("pipedream", {}),
    "pipedream_vertical": ("pipedream", {"vertical": True}),
    "continuous_propagation": ("continuous_propagation", {}),
    "continuous_recompute": ("continuous_propagation", {"form": "recompute"}),
    "continuous_stash": ("continuous_propagation", {"form": "stash"}),
    "synthetic_gradients": ("synthetic_gradients", {}),
    "synthetic_gradients_conditioned": ("synthetic_gradients", {"conditioned": True, "lag": 2}),
    "greedy": ("greedy", {}),
    "nesterov": ("nesterov", {"m": 6}),
    "nesterov_pipelined": ("nesterov", {"m": 6, "pipelined": True}),
    "pprs": ("pprs", {"K": 2, "m": 3, "gamma": 0.01}),
}
#: A method that is not in the list yet is tested with its default options.
METHODS |= {
    name: (name, {}) for name in methods.METHODS if name not in {known for known, _ in METHODS.values()}
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


def layered_machine(stragglers: Stragglers | None = None, link: Link = FREE) -> Machine:
    """A machine whose every operation takes what the costs say, without stragglers unless told otherwise."""
    return Machine(
        name="layered",
        description="test",
        worker_link=link,
        shard_link=link,
        server_shards=1,
        stragglers=stragglers or NoStragglers(),
        stragglers_source="test",
        compute=Measured(),
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


__all__ = [
    "COSTS",
    "FREE",
    "METHODS",
    "STRAGGLERS",
    "Fixed",
    "Link",
    "generator",
    "layered_costs",
    "layered_machine",
    "machine",
    "run",
]
