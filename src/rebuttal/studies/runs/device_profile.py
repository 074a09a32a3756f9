"""Measure what workloads cost on this device, for a file that studies read: `rebuttal profile`.

A file is sized by the device, not by a study: every workload whose data are there, at sizes of a batch from one sample
on. So any study finds its costs in it, and the same file gives the same time lines on every machine.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rebuttal.base import devices, host_lease, paths
from rebuttal.base.config import parameter_files, yaml_text
from rebuttal.base.errors import InputError, refuse
from rebuttal.core import division
from rebuttal.machines import costs
from rebuttal.replaying.probe import measure_samples
from rebuttal.studies.runs.pool import cores
from rebuttal.studies.runs.provenance import PACKAGES, lasting, say
from rebuttal.studies.runs.study_costs import own_costs
from rebuttal.workloads import NAMES, check_data, layer_costs, load, timing
from rebuttal.workloads.workload import Workload

Timing = Mapping[str, Any]  # what a lease says of how quiet the host was
HERE = "here"  # the file of this machine, which is not committed
NAME = re.compile(r"[a-z0-9_]+")
TRIES = 3  # of a workload, if others use the cores that it needs
THREADS = 1  # of the executors: a replay has one process for each core
WORST = ("waited_s", "processes", "attempt", "cores", "others_cores", "stood_still_s")  # of what leases say
SAME = ("kind", "name", "threads", "torch")  # what measurements in one file have in common


def profile_device(
    name: str = HERE,
    threads: int = 1,
    workloads: Sequence[str] | None = None,
    paper: str | None = None,
    *,
    data_root: str | Path | None = None,
    executors_alone: bool = False,
) -> Path:
    """Measure this device with so many threads for one gradient, and write reference/devices/NAME.json; its path.

    Args:
        name: of the file.
        threads: intra-op threads.
        workloads: these alone; in a file that is there, the others stay as they are. Default: all whose data are there.
        paper: measure the workloads of a paper's own instead, into papers/PAPER/own/costs.json.
        data_root: default: that of params.yaml.
        executors_alone: measure which executor is the fastest, and leave the costs, on which seconds rest, as they are.

    Raises:
        InputError: one line about what cannot be measured; nothing is written.
    """
    settings = _settings()
    device, root = devices.choose(settings["device"]), data_root or settings["data_root"]
    _check(name, threads)
    target = own_costs(_known(paper)) if paper else paths.devices() / f"{name}.json"
    names = list(dict.fromkeys(workloads or (_own_of(paper) if paper else _with_data(root))))
    for one in names:
        check_data(one, root)
    if executors_alone:
        return _executors_again(target, names, device, root)
    kept = _kept(target, devices.identity(device, threads)) if workloads else {}
    content = measured(names, device, threads, root)
    layer_costs.write(target, _joined({"schema": layer_costs.SCHEMA, "name": paper or name} | content, kept))
    _say_evidence(target)
    return target


def _executors_again(target: Path, names: Sequence[str], device: str, data_root: str | Path) -> Path:
    """Measure the executors of these workloads, in a file that has their costs."""
    kept = _kept(target, devices.identity(device, THREADS))
    for name in names:
        if name not in kept.get("workloads", {}):
            raise refuse("workload", name, kept.get("workloads", {}) or "workloads whose costs the file has")
    for name in names:
        say(f"profile: executors of {name}")
        kept["executors"][name] = _executors(load(name, data_root).to(device))
    layer_costs.write(target, kept)
    return target


def measured(names: Sequence[str], device: str, threads: int, data_root: str | Path) -> dict[str, Any]:
    """What a file says beside its name: the device, and the costs and executors of these workloads on it."""
    found: dict[str, dict[str, Any]] = {"workloads": {}, "executors": {}}
    timings = []
    for number, name in enumerate(names, start=1):
        say(f"profile: {name}, {number} of {len(names)}")
        workload = load(name, data_root)
        found["workloads"][name], told = _undisturbed(workload, device, threads)
        found["executors"][name] = _executors(workload.to(device))
        timings.append(told)
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "device": lasting(devices.identity(device, threads)) | {"timing": _together(timings)},
        "versions": {package: version(package) for package in PACKAGES},
        "repeats": layer_costs.REPEATS,
        **found,
    }


def _undisturbed(workload: Workload, device: str, threads: int) -> tuple[dict[str, Any], Timing]:
    """Costs, and what the lease says, of the first try that nothing disturbed, or else of the last."""
    for number in range(TRIES):
        if number:
            say(f"profile: {workload.name} again, since it was disturbed")
        with host_lease.exclusive(threads) as lease:
            found, told = layer_costs.profile(workload, device, threads=threads), lease.about()
        if told["supports_timing"]:
            break
    return found, told


def _together(timings: Sequence[Timing]) -> Timing:
    """What leases say as one: the worst of each."""
    reasons = dict.fromkeys(reason for each in timings for reason in each["why_not"])
    worst = {key: max(each[key] for each in timings) for key in WORST if all(key in each for each in timings)}
    alone = all(each.get("exclusive", True) for each in timings)
    return {"exclusive": alone, **worst, "supports_timing": not reasons, "why_not": list(reasons)}


def _executors(workload: Workload) -> dict[int, Any]:
    """The probe's seconds, rounded. On a CPU they are those of the thread itself, which others do not disturb."""
    with host_lease.exclusive(), timing.threads(THREADS):
        seconds = measure_samples(workload).seconds
    return {
        samples: {
            executor: {size: layer_costs.rounded(each) for size, each in by_size.items()}
            for executor, by_size in rows.items()
        }
        for samples, rows in seconds.items()
    }


def _settings() -> dict[str, str]:
    """`device` and `data_root` of params.yaml, which may name costs that are not there yet and is not checked here."""
    path = paths.root() / paths.PARAMETERS
    said = yaml_text.read(path) if path.is_file() else {}
    place = paths.root() / Path(str(said.get("data_root", "data"))).expanduser()
    return {"device": str(said.get("device", "auto")), "data_root": str(place)}


def _with_data(data_root: str | Path) -> list[str]:
    """The workloads of the package whose data are there; says which are left out."""
    found, missing = [], []
    for name in NAMES:
        try:
            check_data(name, data_root)
        except InputError:
            missing.append(name)
        else:
            found.append(name)
    if missing:
        say(f"profile: without {', '.join(missing)}: their data are not under the data root")
    return found


def _known(paper: str) -> str:
    """A folder of papers/. Raises InputError for another name."""
    there = sorted(path.name for path in paths.papers().glob("*") if path.is_dir())
    if paper not in there:
        raise refuse("paper", paper, there)
    return paper


def _own_of(paper: str) -> list[str]:
    """The workloads of a paper's own that its study names, under any profile: all that the package has not."""
    file = parameter_files.study_file(paths.root(), paper)
    sizes = yaml_text.read(file, f"papers/{paper}/{parameter_files.STUDY}").get("sizes")
    parts = [part for part in sizes.values() if isinstance(part, dict)] if isinstance(sizes, dict) else []
    named = [name for part in parts for name in part.get("workloads") or ()]
    own = [name for name in dict.fromkeys(map(division.base, named)) if name not in NAMES]
    if not own:
        raise refuse("paper", paper, "one whose study.yaml names workloads of its own, such as file:PATH.py")
    return own


def _check(name: str, threads: int) -> None:
    """Refuse what a file cannot be named or measured with."""
    if not NAME.fullmatch(name):
        raise refuse("name", name, "small letters, digits and _, such as xeon_1_thread")
    if not 1 <= threads <= cores():
        raise refuse("threads", threads, f"from 1 to {cores()}, the cores that there are")


def _kept(target: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a file that is there, for what is measured on the same device to be added to it."""
    if not target.is_file():
        return {}
    before = costs.read_profile(target)
    different = [key for key in SAME if before.device.get(key) != identity[key]]
    if different:
        key = different[0]
        raise refuse(f"{target.name}: {key}", before.device.get(key), f"{identity[key]!r}, or another name")
    return before.model_dump(by_alias=True)


def _joined(content: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """With what is kept of the file before. Its seconds support a claim if those of both measurements do."""
    if not kept:
        return content
    both = {part: kept[part] | content[part] for part in ("workloads", "executors")}
    before, now = kept["device"].get("timing"), content["device"]["timing"]
    timing_of = _together([before, now]) if before else now
    return content | both | {"device": content["device"] | {"timing": timing_of}}


def _say_evidence(target: Path) -> None:
    """Say at once if the seconds support no claim: studies refuse the file."""
    try:
        costs.check_evidence(target)
    except InputError as error:
        say(f"profile: {error}")
