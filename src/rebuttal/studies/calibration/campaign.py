"""The whole calibration: this host's costs, and every run of a grid on both clocks, as one dataset."""

import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import xarray as xr

from rebuttal.base import devices, host_lease, paths
from rebuttal.base.errors import InputError
from rebuttal.base.host_lease import Lease
from rebuttal.core import results
from rebuttal.processes.launcher import forking
from rebuttal.processes.pinning import cores, quiet_cores
from rebuttal.processes.pytorch_baseline_table import SHIPPED
from rebuttal.processes.pytorch_baselines import train
from rebuttal.processes.setup import THREADS
from rebuttal.studies.calibration import both_clocks
from rebuttal.studies.calibration.grid import (
    BATCH,
    PACE_S,
    STRAGGLERS,
    WORKLOADS,
    CalibrationCase,
    CalibrationGrid,
    cases,
    grid_on,
)
from rebuttal.studies.calibration.host import WHOLE, Host, measure
from rebuttal.studies.calibration.rows import Row, dataset
from rebuttal.studies.params import Params
from rebuttal.workloads import load

LINES = ("sending", "hop", "exchange", "reducing", "reading", "writing")
PACKAGES = ("torch", "numpy", "xarray")


def write_calibration(params: Params, nodes: Sequence[int] = ()) -> None:
    """Measure what the profile of params.yaml asks for, into results/calibration.nc.

    nodes: numbers of processes in the place of the profile's. Raises InputError and RunError.
    """
    wanted = grid_on(params.profile, nodes)
    forking(
        "rebuttal.processes.pytorch_baseline_node"
    )  # before the first process, so that each has it imported
    made = calibrate(wanted).assign_attrs(profile=params.profile)
    results.save(made, paths.results() / "calibration.nc")


def calibrate(given: CalibrationGrid) -> xr.Dataset:
    """`measured_s` and `predicted_s` per update by run, and `cost_s` of the host; NaN where nothing was run.

    Every repetition measures the host anew, and then goes through all runs, so a drift of the machine meets all. The
    host is leased for it.
    """
    with host_lease.exclusive(max(given.nodes)) as lease:
        return _calibrated(given, lease)


def _calibrated(given: CalibrationGrid, lease: Lease) -> xr.Dataset:
    load_before = os.getloadavg()[0]
    run_rows: list[Row] = []
    cost_rows: list[Row] = []
    for repetition, (label, workload), nodes in itertools.product(
        range(given.repetitions), WORKLOADS.items(), given.nodes
    ):
        place = {"nodes": nodes, "workload": label, "repetition": repetition}
        host = measure(nodes, workload, BATCH, load(workload).shape, quiet_cores(), given.rounds)
        cost_rows += [place | {"cost": name, "cost_s": seconds} for name, seconds in figures(host).items()]
        paced = STRAGGLERS if label == "small" else STRAGGLERS[:1]
        for case, stragglers in itertools.product(cases(given, nodes), paced):
            run_rows += [
                place | row for row in on_both_clocks(case, host, given.updates, stragglers, repetition)
            ]
        run_rows += [place | row for row in shipped(given.shipped, host, given.updates)]
    made = dataset(run_rows, cost_rows, [*given.methods, *SHIPPED])
    return made.assign_attrs(about(given, load_before, lease.about()))


def on_both_clocks(
    case: CalibrationCase, host: Host, updates: int, stragglers: str, seed: int
) -> Iterator[Row]:
    """One run's row; none for a method that the workload has too few layers for."""
    injected = {"seed": seed, "stragglers": stragglers, "pace_s": PACE_S if stragglers != "none" else 0.0}
    given = (case.name, case.options, case.workers, host, updates)
    try:
        predicted_s = both_clocks.predicted(*given, **injected)
    except InputError:
        return
    measured_s = both_clocks.measured(*given, **injected)
    yield {"method": case.name, "nodes": case.nodes, "stragglers": stragglers,
           "measured_s": measured_s, "predicted_s": predicted_s}  # fmt: skip


def shipped(names: Sequence[str], host: Host, updates: int) -> Iterator[Row]:
    """PyTorch's own on the same processes, workload, batch and cores."""
    for name in names:
        given = {"workload": host.workload, "workers": host.nodes, "batch": host.batch, "cores": host.cores}
        times_s = train(name, updates=updates, learning_rate=both_clocks.LEARNING_RATE, **given).times_s
        seconds = both_clocks.seconds_per_update(times_s)
        yield {"method": name, "stragglers": "none", "measured_s": seconds, "predicted_s": math.nan}


def figures(host: Host) -> dict[str, float]:
    """The host's costs by name, in seconds; those of a size for nothing and for a byte more."""
    found = {"request": host.request_s, "oversleep": host.oversleep_s, "gradient": host.operation_s[WHOLE]}
    for name in LINES:
        line = getattr(host, name)
        found |= {name: line.fixed_s, f"{name}, each byte": line.byte_s}
    count = host.shape.layers
    for operation, l in itertools.product(("forward", "backward"), range(count)):
        found[f"{operation} of layer {l}"] = host.operation_s[operation, l, count]
    return found


def about(given: CalibrationGrid, load_before: float, lease: Mapping[str, Any]) -> dict[str, Any]:
    """Where the seconds come from, and for which numbers of nodes they support a claim about time.

    Those for which each process had a core that nobody else used meanwhile (`host_lease.why_not`). The load before and
    after is told as well, but decides nothing: it remembers what ran a minute ago.
    """
    count, load_after = len(cores()), os.getloadavg()[0]
    enough = [nodes for nodes in given.nodes if not host_lease.why_not(lease, nodes)]
    return {
        "clock": "measured",
        "device": json.dumps(devices.identity("cpu") | {"threads": THREADS, "load_average": load_before}),
        "cores": count,
        "threads": THREADS,
        "load_before": load_before,
        "load_after": load_after,
        "more_processes_than_cores": json.dumps([nodes for nodes in given.nodes if nodes > count]),
        "supports_timing": json.dumps(enough),
        "lease": json.dumps(lease),
        "batch": BATCH,
        "updates": given.updates,
        "pace_s": PACE_S,
        "versions": json.dumps({name: version(name) for name in PACKAGES}, sort_keys=True),
    }
