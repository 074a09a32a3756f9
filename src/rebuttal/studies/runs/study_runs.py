"""The runs of a study: which method, on what, with which seed, and where its timeline is kept."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rebuttal import methods
from rebuttal.base import paths
from rebuttal.core import division
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.studies.params import Study, Variant


@dataclass(frozen=True)
class StudySetting:
    """One variant of a method on one workload and one machine."""

    variant: Variant
    workload: str
    machine: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Its coordinates in datasets: (method label, workload, machine)."""
        return (self.variant.label, self.workload, self.machine)


def workers_of(study: Study, setting: StudySetting) -> int:
    """How many workers, or stages, the runs of a setting have."""
    return setting.variant.workers or study.workers_of(setting.workload)


def workload_of(study: Study, setting: StudySetting) -> str:
    """The workload as the runs of a setting name it: also among how many its data are divided, if they are."""
    program = methods.method(setting.variant.program, **setting.variant.options)
    return division.bound(setting.workload, methods.reads(program, workers_of(study, setting)))


ALL = "all"  # in place of a method's key: every method of the study at once


def settings(study: Study, method: str) -> list[StudySetting]:
    """All settings of one method of a study, or of `ALL` its methods."""
    return [
        StudySetting(variant, workload, machine)
        for variant in (study.variants if method == ALL else study.of(method))
        for workload in variant.workloads
        for machine in variant.machines
    ]


def timeline_path(study: Study, setting: StudySetting, seed: int) -> Path:
    """The file of one run's timeline.

    That of the report's first seed is a result, and stands for every seed where all are alike. The others are read once
    and kept beside what was read, so that the results do not hold hundreds of files that nobody opens.
    """
    first = study.seeds[0]
    kept = first if alike(study, setting) else seed
    cached = paths.root() / ".cache" / "timelines" / paths.profile() / study.name
    folder = paths.results(study.name) / "timelines" if kept == first else cached
    return folder / setting.variant.method / timeline_name(*setting.key, kept)


def timeline_name(label: str, workload: str, machine: str, seed: int) -> str:
    """The name of the file of one run's timeline."""
    return f"{safe('--'.join([label, workload, machine, f'seed {seed}']))}.npz"


def safe(name: str) -> str:
    """A name that every file system takes, with _ for a space; one with a path in it is told apart by a hash."""
    plain = name.replace(" ", "_")
    if re.fullmatch(r"[\w.=-]{1,200}", plain, re.ASCII):
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9.=-]+', '_', plain)[-150:]}--{digest}"


def alike(study: Study, setting: StudySetting) -> bool:
    """Whether every seed has the same timeline: neither the machine nor the method draws anything."""
    calm = isinstance(study.machine(setting.machine).stragglers, NoStragglers)
    return calm and not methods.draws(methods.program(setting.variant.program))


def labels(some: Sequence[StudySetting]) -> dict[str, list[str]]:
    """The coordinates that a dataset of these settings has, in order of appearance."""
    columns = zip(*(setting.key for setting in some), strict=True)
    return {
        dim: list(dict.fromkeys(column))
        for dim, column in zip(("method", "workload", "machine"), columns, strict=True)
    }
