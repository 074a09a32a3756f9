"""One method on both clocks: seconds per update as measured in processes, and as predicted for this host."""

from typing import Any

import numpy as np

from rebuttal.calibration.host import Host
from rebuttal.calibration.pricing import HostPricing, costs, machine
from rebuttal.clusters.budget import Budget
from rebuttal.clusters.pricing import layer_bytes
from rebuttal.clusters.virtual import VirtualCluster
from rebuttal.methods import method
from rebuttal.processes.launcher import record
from rebuttal.task import Task
from rebuttal.timeline import Recorder

LEARNING_RATE = 1e-3  # small: seconds do not depend on values, as long as these are numbers
WARM_UP = 5  # updates at the start that are not counted, on either clock


def seconds_per_update(times_s: np.ndarray) -> float:
    """Mean seconds of an update after the first ones, from when each version was made."""
    return float((times_s[-1] - times_s[WARM_UP]) / (len(times_s) - 1 - WARM_UP))


def measured(
    name: str, options: dict[str, Any], workers: int, host: Host, updates: int, **injected: Any
) -> float:
    """Seconds per update in processes of this host. injected: seed, and stragglers with their pace_s."""
    timeline = record(
        name, options=options, workers=workers, updates=updates, workload=host.workload, batch=host.batch,
        checksums_every=updates + 1, learning_rate=LEARNING_RATE, cores=host.cores, **injected,
    )  # fmt: skip
    return seconds_per_update(timeline.updates["time_s"])


def predicted(
    name: str, options: dict[str, Any], workers: int, host: Host, updates: int,
    seed: int = 0, stragglers: str = "none", pace_s: float = 0.0,
) -> float:  # fmt: skip
    """Seconds per update of the same run on the virtual clock."""
    chosen, here, known = method(name, **options), machine(host, stragglers), costs(host)
    pricing = HostPricing(here, known, seed, chosen.servers, host=host, pace_s=pace_s)
    recorder = Recorder({})
    programs = chosen.programs(
        range(chosen.nodes(workers)), Task(pricing.graph.symbol, layer_bytes(here, known))
    )
    VirtualCluster(pricing, Budget(updates=updates), recorder).run(
        {number: pricing.listening(number, program) for number, program in programs.items()}
    )
    return seconds_per_update(recorder.timeline(pricing.graph).updates["time_s"])
