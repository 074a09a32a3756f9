"""Which executor serves the gradients of a study's workload: from the files of costs, or measured here once.

The files settle it for everybody who has them, so equal commits compute equal bits. What they do not have is measured
on this machine and kept: a workload of a user's own, or any workload on another kind of device than the files are of.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rebuttal import workloads
from rebuttal.base import devices, host_lease, paths
from rebuttal.core import content_store, division
from rebuttal.replaying.executor_table import Table
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.study_costs import profiles_of


def table_of(params: Params, study: Study, workload: str) -> Table:
    """The table of a workload at the study's batch. Raises InputError for a broken file."""
    found = stored(study, workload, devices.choose(params.device))
    return found or Table(_measured_here(params, division.base(workload)), study.batch)


def stored(study: Study, workload: str, device: str) -> Table | None:
    """What the files of costs say of a workload on this kind of device: 'cpu' or 'cuda'."""
    workload = division.base(workload)
    for profile in profiles_of(study):
        if workload in profile.executors and profile.device.get("kind") == device:
            return Table(profile.executors[workload], study.batch)
    return None


def _measured_here(params: Params, workload: str) -> Mapping[int, Mapping[str, Mapping[int, float]]]:
    """Seconds by samples, as they were measured here before, or are now; on a grid, one of its workers is measured."""
    device = devices.choose(params.device)
    about = {"workload": workloads.without_place(workload), "data": workloads.fingerprint(workload, params.data_root),
             "device": devices.name(device), "torch": devices.torch_version()}  # fmt: skip
    key = json.dumps(about, sort_keys=True)
    kept = content_store.read(place := _place(key), key)
    if kept is None:
        task = (workload, str(params.data_root), device)
        (seconds,) = run_all(_measure, [task], f"executors of {workload}", engine=params.engine, timed=True)
        kept = {"table": np.frombuffer(Table(seconds, batch=1).text.encode(), dtype=np.uint8)}
        content_store.write(place, key, kept)
    return Table.of_text(kept["table"].tobytes().decode()).seconds


def _place(key: str) -> Path:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return paths.root() / ".cache" / "executors" / f"{digest[:32]}.npz"


def _measure(workload: str, data_root: str, device: str) -> dict:
    """The probe's seconds, while nothing else of ours runs on the machine."""
    # Imported here because it brings torch.
    from rebuttal.replaying.probe import measure_samples  # noqa: PLC0415

    with host_lease.exclusive():
        return dict(measure_samples(workloads.load(workload, data_root).to(device)).seconds)
