"""The stage that trains on few and on more workers: synchronous with a backup, and asynchronous."""

import json
from dataclasses import replace

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.evidence.worker_count_statistics import METHODS, worker_counts
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.provenance import of_training
from rebuttal.studies.runs.study_stage import run_study

STUDY = "backup-workers"  # whose methods, seeds, learning rates and target are taken
NAME = "worker_counts"
BACKUPS = 1  # of any number of workers: what the paper has with 8 and with 16, on PixelCNN


def write_worker_counts(params: Params) -> None:
    """Write worker-counts and, from it, analyses/worker_counts.nc. Raises InputError."""
    study = params.study(STUDY)
    run_study(params, on_counts(study, params.analyses.worker_counts))
    baseline = results.load_tuning(STUDY)
    baseline = baseline.sel(
        {"method": [name for name in baseline.method.values if name.startswith("mini_batch")]}
    )
    data = worker_counts(results.load_curves(NAME), results.load_summaries(NAME), baseline)
    given = {"profile": params.profile, "worker_counts": params.analyses.worker_counts, "backups": BACKUPS}
    origin = of_training(study, params.data_root) | {"parameters": json.dumps(given)}
    results.save(data.assign_attrs(origin), paths.results("analyses") / f"{NAME}.nc")


def on_counts(study: Study, counts: tuple[int, ...]) -> Study:
    """The study with two of its methods on each number of workers, on its first workload and machine."""
    place = {"workloads": study.workloads[:1], "machines": study.machines[:1]}
    chosen = [next(one for one in study.variants if _is(one.label, name)) for name in METHODS]
    variants = tuple(
        replace(one, label=f"{one.label} workers={count}", workers=count, untuned=True, **place)
        for one in chosen
        for count in counts
    )
    return replace(study, name=NAME, workers_on={}, variants=variants, **place)


def _is(label: str, name: str) -> bool:
    return label in (name, f"{name} b={BACKUPS}")
