"""Where results come from: what a dataset's attributes and a run's provenance.json say."""

import datetime as dt
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rebuttal import metrics, paths
from rebuttal.costs import read_profile
from rebuttal.params import Analyses, Study

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "simpy", "xarray", "h5netcdf", "altair")


def attributes(study: Study | Analyses, clock: str) -> dict[str, Any]:
    """Attributes of a dataset that is a function of code, data, seeds and profile: nothing of the moment."""
    numbers = {name: value for name, value in asdict(study).items() if name != "variants"}
    return {
        "study": study.name,
        "profile": study.profile,
        "clock": clock,
        "parameters": json.dumps(numbers, sort_keys=True),
        "versions": json.dumps({name: version(name) for name in PACKAGES}, sort_keys=True),
    }


def of_training(study: Study) -> dict[str, Any]:
    """Attributes of a dataset of trained values: also which metric each workload has, from the profile."""
    profiled = read_profile(paths.results() / "profile.json").workloads
    found = {name: profiled[name] for name in study.workloads if name in profiled}
    known = {name: metrics.Metric(w.metric, w.lower_is_better, w.large_error) for name, w in found.items()}
    return attributes(study, clock="modelled") | {metrics.ATTRIBUTE: metrics.attribute(known)}


def provenance(study: Study) -> dict[str, Any]:
    """What a run of the pipeline had under it: the profiled device, versions, commit; and the day, in UTC."""
    return {
        "study": study.name,
        "profile": study.profile,
        "device": read_profile(paths.results() / "profile.json").device,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "git_commit": _git_commit(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write to `path`; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    os.replace(temporary, path)


def _git_commit() -> str:
    """The commit of the checkout, with '+changes' if the working tree differs; 'unknown' outside of git."""
    command = ["git", "-C", str(paths.root()), "describe", "--always", "--dirty=+changes", "--abbrev=40"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return found.stdout.strip() or "unknown"


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
