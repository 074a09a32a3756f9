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

#: Every method with options, on 6 workers: as its file says, or else with its defaults.
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    label: (name, dict(options))
    for name, kind in methods.METHODS.items()
    for label, options in vars(kind).get("tried_as", {name: {}}).items()
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
