"""The stage that runs pipelines on real processes: a few updates of each, recorded, and computed again to the bit."""

import json
from typing import Any

import numpy as np
import xarray as xr

from rebuttal.base import devices, paths
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.timeline import Timeline
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.simulate import simulate
from rebuttal.studies.analyses.smoothing_map import unit_costs
from rebuttal.studies.params import Params
from rebuttal.studies.runs.provenance import attributes
from rebuttal.workloads.shape_table import shape_of

WORKLOAD, STAGES, BATCH, RATE = "digits_few", 4, 20, 0.03
UPDATES = 12
SMOOTHED = {"K": 4, "gamma": 0.01, "m": 2}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "pprs": ("pprs", SMOOTHED),
    "pprs, one pass at a time": ("pprs", SMOOTHED | {"pipelined": False}),
}


def write_recorded(params: Params) -> None:
    """Write analyses/recorded.nc. Raises RunError if a run's weights do not follow from its record."""
    given = {"profile": params.profile, "learning_rate": RATE, "batch": BATCH, "smoothing": SMOOTHED}
    origin = attributes(params.analyses, clock="measured") | {"parameters": json.dumps(given)}
    data = recorded().assign_attrs(origin, device=devices.identity("cpu")["name"])
    results.save(data, paths.results("analyses") / "recorded.nc")


def recorded() -> xr.Dataset:
    """Of each run: what was verified, whether it did what the virtual cluster's run does, and how long it took.

    checksums: of every stage's part of every version. share_agreed: of these, found again. same_order: 1 if values are
    computed from each other as on the virtual cluster. update_s: the median. stages_at_once: that compute, in the mean
    over the time of the run.
    """
    rows = [_row(*of) for of in RUNS.values()]
    data = xr.Dataset(
        {name: ("run", [float(row[name]) for row in rows]) for name in rows[0]}, {"run": list(RUNS)}
    )
    return ANALYSES["recorded"].annotated(data, stages=STAGES, updates=UPDATES, workload=WORKLOAD)


def _row(name: str, options: dict[str, Any]) -> dict[str, float]:
    about = {"workload": WORKLOAD, "workers": STAGES, "updates": UPDATES, "options": options, "batch": BATCH}
    run = record(name, learning_rate=RATE, checksums_every=1, **about)
    costs = unit_costs(shape_of(WORKLOAD).layers)
    modelled = simulate(name, machine="ideal", costs=costs, **about)
    checksums = len(run.about["checksums"])
    return {
        "checksums": checksums,
        "share_agreed": verify(run) / checksums,
        "same_order": merged(run.order).key == merged(modelled.order).key,
        "update_s": np.median(np.diff(run.updates["time_s"])),
        "stages_at_once": _at_once(run),
        "messages": len(run.messages["source"]),
    }


def _at_once(run: Timeline) -> float:
    """Seconds of computing over the seconds from the first to the last of them."""
    begin, end = run.computes["start_s"], run.computes["end_s"]
    return (end - begin).sum() / (end.max() - begin.min())
