"""Where results come from: what a dataset's attributes and a run's provenance.json say."""

import datetime as dt
import json
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rebuttal import workloads
from rebuttal.base import devices, paths
from rebuttal.base.atomic_write import write_text
from rebuttal.core import division, metrics
from rebuttal.machines.costs import read_profile
from rebuttal.studies.params import Analyses, Study
from rebuttal.studies.runs.study_costs import profiles_of

#: Of a study, what is no number: its variants are the labels of the results.
DESCRIBED_ELSEWHERE = ("variants", "own_machines", "paper")
#: What a result may rest on, of the files in git. What a run writes is not among them, so that it is no change.
SOURCES = (
    "src",
    "papers",
    "notebooks",
    "params.yaml",
    "pyproject.toml",
    "requirements.lock",
    "reference/devices",
)
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "xarray", "h5netcdf", "altair")


def attributes(study: Study | Analyses, clock: str) -> dict[str, Any]:
    """Attributes of a dataset that is a function of code, data, seeds and profile: nothing of the moment."""
    numbers = {name: value for name, value in asdict(study).items() if name not in DESCRIBED_ELSEWHERE}
    own = getattr(study, "own_machines", {})
    if own:
        numbers["own_machines"] = {
            name: {"description": one.description, "sources": one.sources()} for name, one in own.items()
        }
    return {
        "study": study.name,
        "profile": study.profile,
        "clock": clock,
        "parameters": json.dumps(numbers, sort_keys=True),
        "versions": json.dumps({name: version(name) for name in PACKAGES}, sort_keys=True),
    }


def of_training(study: Study, data_root: str | Path | None = None) -> dict[str, Any]:
    """Attributes of a dataset of trained values: also which metric each workload has."""
    known = {name: _metric(study, name, data_root) for name in study.workloads}
    return attributes(study, clock="modelled") | {metrics.ATTRIBUTE: metrics.attribute(known)}


def _metric(study: Study, workload: str, data_root: str | Path | None) -> metrics.Metric:
    """What a workload's metric is: as its costs tell it, or else the workload itself, which takes longer."""
    workload = division.base(workload)
    for profile in profiles_of(study):
        if workload in profile.workloads:
            found = profile.workloads[workload]
            return metrics.Metric(found.metric, found.lower_is_better, found.large_error)
    target = workloads.load(workload, data_root).target
    return metrics.Metric(target.metric, target.lower_is_better, target.large_error)


def provenance(study: Study, device: str = "auto") -> dict[str, Any]:
    """What a run of the pipeline had under it: the device of the costs, the host, versions, commit; the day, in UTC."""
    return {
        "study": study.name,
        "profile": study.profile,
        "device": costs_device(),
        "host": host(device),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "git_commit": _git_commit(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }


def costs_device() -> dict[str, Any]:
    """The device whose costs the virtual clock has: its identity, the name of its file, the day of its measurement."""
    profile = read_profile(paths.device_costs())
    return profile.device | {"costs": profile.name, "date": profile.date}


def host(device: str) -> dict[str, Any]:
    """The device on which values are computed, in processes of one thread; nothing of the moment."""
    return lasting(devices.identity(device, threads=1))


def lasting(identity: Mapping[str, Any]) -> dict[str, Any]:
    """What a device is, without its load of the moment."""
    return {name: value for name, value in identity.items() if name != "load_average"}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write to `path`; the file appears whole or not at all."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _git_commit() -> str:
    """The commit of the checkout, with '+changes' if a source in the working tree differs; 'unknown' outside of git."""
    commit = _git("rev-parse", "HEAD")
    return (
        f"{commit}+changes"
        if commit and _git("status", "--porcelain", "--", *SOURCES)
        else commit or "unknown"
    )


def _git(*command: str) -> str:
    """What git says of the checkout; nothing where there is no git, or no checkout."""
    try:
        found = subprocess.run(
            ["git", "-C", str(paths.root()), *command],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


class Stopwatch:
    """Wall-clock and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds so far, of this process (its workers' CPU time comes with their results)."""
        return {"wall_s": time.perf_counter() - self._wall, "cpu_s": time.process_time() - self._cpu}


def say(text: str) -> None:
    """One line of progress for whoever watches."""
    print(text, file=sys.stderr, flush=True)
