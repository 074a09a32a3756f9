"""What the workloads of a study cost: from the file of the device that params.yaml names, and from the paper's own."""

from collections.abc import Iterator
from pathlib import Path

from rebuttal.base import paths
from rebuttal.machines.costs import Costs, Profile, read_profile
from rebuttal.studies.params import Study


def costs_of(study: Study, workload: str) -> Costs:
    """The costs of a workload of a study, at its batch. Raises InputError as `Costs.read`."""
    return Costs.read(files_of(study), workload, study.batch)


def files_of(study: Study) -> list[Path]:
    """The files that have the costs of a study's workloads: the device's, and the paper's own if it has one."""
    own = own_costs(study.paper)
    return [paths.device_costs(), *([own] if own.is_file() else [])]


def own_costs(paper: str) -> Path:
    """The file with the costs of the workloads of a paper's own."""
    return paths.papers() / paper / "own" / "costs.json"


def profiles_of(study: Study) -> Iterator[Profile]:
    """The content of these files, of those that are there."""
    return (read_profile(path) for path in files_of(study) if path.is_file())


def largest_gradient(study: Study, workload: str) -> int:
    """The most batches that one gradient of a study's runs is over: one from each worker, or all shards of a step."""
    workers = [variant.workers or study.workers_of(workload) for variant in study.variants]
    shards = (variant.options.get(name, 1) for variant in study.variants for name in ("shards", "m"))
    return max([*workers, *shards])
