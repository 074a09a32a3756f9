"""The stage that measures this device: costs of layers for the virtual clock, and the probe of the executors."""

from collections.abc import Iterable, Sequence

from rebuttal import devices, leases, paths
from rebuttal.params import Params, Study
from rebuttal.profiling import write_profile
from rebuttal.replaying.probe import measure
from rebuttal.replaying.table import write_tables
from rebuttal.studies.pool import run_all
from rebuttal.workloads import load


def profile_studies(params: Params) -> None:
    """Write results/profile.json and results/executors.json for the workloads of every study.

    On a grid, one of its workers is measured, which nobody else of ours uses meanwhile.
    """
    run_all(_profile, [(params,)], "profile", engine=params.engine, timed=True)


def _profile(params: Params) -> None:
    device, folder = devices.choose(params.device), paths.results()
    wanted = _wanted(params.studies.values())
    sizes = {name: sorted({b * n for b, some in by.items() for n in some}) for name, by in wanted.items()}
    write_profile(sizes, device, folder / "profile.json", params.data_root)
    tables = {}
    with leases.exclusive():
        for name, by_batch in wanted.items():
            workload = load(name, params.data_root).to(device)
            for batch, numbers in by_batch.items():
                tables[name, batch] = measure(workload, batch, sorted(numbers))
    write_tables(tables, folder / "executors.json")


def _wanted(studies: Iterable[Study]) -> dict[str, dict[int, set[int]]]:
    """Workload -> samples of a batch -> over how many batches gradients are measured."""
    wanted: dict[str, dict[int, set[int]]] = {}
    for study in studies:
        for name in study.workloads:
            numbers = wanted.setdefault(name, {}).setdefault(study.batch, set())
            numbers.update(_batches(study, study.workers_of(name)))
    return wanted


def _batches(study: Study, workers: int) -> Sequence[int]:
    """One batch, a few, and as many as the study has workers, shards or micro-batches in one gradient."""
    shards = (v.options.get(option, 1) for v in study.variants for option in ("shards", "m"))
    most = max([workers, *shards])
    return sorted({1, max(1, most // 4), most})
