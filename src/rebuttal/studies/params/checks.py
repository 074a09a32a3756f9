"""What one value of the parameters says about another, in every profile, the selected one or not."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from rebuttal.base.config.refusals import dotted
from rebuttal.base.errors import InputError, refuse
from rebuttal.core import division
from rebuttal.studies.params.nameable import Catalogue
from rebuttal.studies.params.profile_merging import merged
from rebuttal.studies.params.schema import AnalysesGrid, Numbers, ParamsFile, StudyFile

SEEDS_NEEDED = 5


def numbers(file: ParamsFile, content: StudyFile, profile: str, catalogue: Catalogue) -> None:
    """Refuse what cannot be among a study's numbers under a profile. Raises InputError."""
    section, key = merged(Numbers, file.sizes, content.sizes, profile=profile), dotted("sizes", profile)
    workload_names(dotted(key, "workloads"), section.workloads, catalogue)
    known_names(dotted(key, "machines"), section.machines, catalogue.machines)
    for name in ("workers_on", "epochs_on"):
        for workload in getattr(section, name):
            if workload not in section.workloads:
                raise refuse(dotted(key, name), workload, section.workloads)
    _seeds(key, section, enough=1 if profile == "ci" else SEEDS_NEEDED)
    _learning_rates(key, section)


def analyses(file: ParamsFile, profile: str, catalogue: Catalogue) -> None:
    """Refuse what cannot be among the analyses' grids under a profile. Raises InputError."""
    grid, key = merged(AnalysesGrid, file.analyses, profile=profile), dotted("analyses", profile)
    known_names(dotted(key, "workloads"), grid.workloads, catalogue.workloads)
    for name in ("nodes", "batches", "samples", "horizons", "worker_counts"):
        _ascending(dotted(key, name), getattr(grid, name), "they")
    _seeds(key, grid, enough=1 if profile == "ci" else SEEDS_NEEDED)


def known_names(key: str, given: Sequence[str], known: Collection[str]) -> None:
    """Each name once, and each a known one. Raises InputError."""
    for index, name in enumerate(given):
        if name not in known:
            raise refuse(dotted(key, index), name, known)
    _different(key, given, "names")


def workload_names(key: str, given: Sequence[str], catalogue: Catalogue) -> None:
    """Each name once, and each a known one or, with a colon, one of a user's own; divided or not. Raises InputError."""
    for index, name in enumerate(given):
        try:
            base = division.base(name)
            if ":" in base:
                catalogue.check_own(base)
        except InputError as error:
            raise InputError(f"{dotted(key, index)}: {str(error).partition(': ')[2]}") from None
        if ":" not in base and base not in catalogue.workloads:
            raise refuse(dotted(key, index), base, catalogue.workloads)
    _different(key, given, "names")


def _seeds(key: str, section: Numbers | AnalysesGrid, *, enough: int) -> None:
    _different(dotted(key, "seeds"), section.seeds, "seeds")
    _different(dotted(key, "tuning_seeds"), section.tuning_seeds, "seeds")
    if len(section.seeds) < enough:
        allowed = f"at least {enough} seeds (fewer only in the profile ci)"
        raise refuse(dotted(key, "seeds"), section.seeds, allowed)
    for index, seed in enumerate(section.tuning_seeds):
        if seed in section.seeds:
            allowed = f"seeds that are not among {key}.seeds: {section.seeds}"
            raise refuse(dotted(key, "tuning_seeds", index), seed, allowed)


def _learning_rates(key: str, section: Numbers) -> None:
    grid = section.learning_rates
    _ascending(dotted(key, "learning_rates"), grid, "the rates")
    shared = section.shared_learning_rate
    if shared not in grid:
        raise refuse(dotted(key, "shared_learning_rate"), shared, f"one of learning_rates: {grid}")


def _ascending(key: str, values: Sequence[float], what: str) -> None:
    for index, (smaller, larger) in enumerate(pairwise(values), start=1):
        if larger <= smaller:
            raise refuse(dotted(key, index), larger, f"a number > {smaller}, since {what} ascend")


def _different(key: str, values: Sequence[Any], what: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise refuse(dotted(key, index), value, f"{what} that differ from each other")
