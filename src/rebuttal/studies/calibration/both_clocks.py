"""One method on both clocks: seconds per update as measured in processes, and as predicted for this host."""

from typing import Any

import numpy as np

from rebuttal.core.task import Task
from rebuttal.core.timeline import Recorder, Timeline
from rebuttal.methods import Method, method
from rebuttal.processes.launcher import record
from rebuttal.simulation.cluster.budget import Budget
from rebuttal.simulation.cluster.request_costs import layer_bytes
from rebuttal.simulation.cluster.virtual import VirtualCluster
from rebuttal.studies.calibration.host import Host
from rebuttal.studies.calibration.host_machine import HostPricing, costs, machine

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
    timeline = simulated(
        method(name, **options), workers, host, updates, seed=seed, stragglers=stragglers, pace_s=pace_s
    )
    return seconds_per_update(timeline.updates["time_s"])


def simulated(
    program: Method, workers: int, host: Host, updates: int,
    seed: int = 0, stragglers: str = "none", pace_s: float = 0.0,
) -> Timeline:  # fmt: skip
    """The timeline of a method on the virtual machine that the host is."""
    here, known = machine(host, stragglers), costs(host)
    pricing = HostPricing(here, known, seed, program.servers, host=host, pace_s=pace_s)
    recorder = Recorder({})
    task = Task(pricing.graph.symbol, layer_bytes(here, known))
    programs = program.programs(range(program.nodes(workers)), task)
    VirtualCluster(pricing, Budget(updates=updates), recorder).run(
        {number: pricing.listening(number, each) for number, each in programs.items()}
    )
    return recorder.timeline(pricing.graph)
