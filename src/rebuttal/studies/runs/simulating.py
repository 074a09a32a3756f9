"""The stage that runs the clock: timelines of one method, and what is read off them. No torch, no training."""

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.core.timeline import Timeline
from rebuttal.machines.costs import Costs
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import gradients, summary
from rebuttal.studies.params import Study
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.provenance import attributes
from rebuttal.studies.runs.run_records import keep, reading, record
from rebuttal.studies.runs.study_costs import costs_of
from rebuttal.studies.runs.study_runs import StudySetting, alike, labels, settings, timeline_path, workers_of

SUMMARISED = {
    "updates": "1",
    "seconds_per_update": "s",
    "gradients_computed": "1",
    "gradients_applied": "1",
    "gradients_dropped": "1",
    "gradients_abandoned": "1",
    "bytes_sent": "byte",
    "utilisation": "1",
    "staleness_mean": "updates",
    "staleness_max": "updates",
    "staleness_q95": "updates",
}
STALENESS_SHOWN = 200  # counts of more stale gradients than this are added up in the last place


def simulate_method(study: Study, method: str, engine: str = LOCAL) -> None:
    """Write the timelines of a method for every seed of the study, and their summary. engine: as in params.yaml."""
    some, by = settings(study, method), reading()
    tasks = [(study, setting, seed, by) for setting in some for seed in _seeds(study, setting)]
    found = run_all(_simulate_one, tasks, f"{study.name}: clock", preload=[__name__], engine=engine)
    rows = {timeline_path(*task[:3]): row for task, row in zip(tasks, found, strict=True)}
    dataset = _summaries(study, some, rows)
    results.save(dataset, paths.results(study.name) / "summaries" / f"{method}.nc")


def budget_batches(study: Study, costs: Costs) -> int:
    """How many batches a run applies: the study's epochs, whatever the method."""
    return math.ceil(study.epochs_of(costs.workload) * costs.training_size / study.batch)


def run_timeline(study: Study, setting: StudySetting, seed: int) -> Timeline:
    """One run of a study on the virtual clock."""
    costs = costs_of(study, setting.workload)
    return simulate(
        setting.variant.program,
        machine=study.machine(setting.machine),
        workload=setting.workload,
        workers=workers_of(study, setting),
        seed=seed,
        batches=budget_batches(study, costs),
        options=setting.variant.options,
        batch=study.batch,
        costs=costs,
    )


def _seeds(study: Study, setting: StudySetting) -> Sequence[int]:
    """The seeds that a setting is simulated with."""
    return study.seeds[:1] if alike(study, setting) else (*study.tuning_seeds, *study.seeds)


def _simulate_one(
    study: Study, setting: StudySetting, seed: int, by: str
) -> tuple[dict[str, float], np.ndarray]:
    timeline = run_timeline(study, setting, seed)
    path, table = timeline_path(study, setting, seed), gradients(timeline)
    timeline.save(path)
    keep(record(timeline, table), path, by)
    stale = table["staleness"].values
    stale = np.minimum(stale[~np.isnan(stale)], STALENESS_SHOWN).astype(int)
    return summary(timeline, table), np.bincount(stale, minlength=STALENESS_SHOWN + 1)


def _summaries(study: Study, some: Sequence[StudySetting], rows: dict) -> xr.Dataset:
    """Over (method, workload, machine, seed), of the report's seeds; NaN where a setting is not run.

    rows: what was read off each timeline, by its file.
    """
    coords = {**labels(some), "seed": list(study.seeds)}
    shape = [len(values) for values in coords.values()]
    read = {name: np.full(shape, np.nan) for name in SUMMARISED}
    counts = np.full((*shape[:3], STALENESS_SHOWN + 1), np.nan)
    for setting in some:
        at = tuple(values.index(label) for values, label in zip(coords.values(), setting.key, strict=False))
        of_seeds = [rows[timeline_path(study, setting, seed)] for seed in study.seeds]
        for number, (values, _) in enumerate(of_seeds):
            for name, value in values.items():
                read[name][(*at, number)] = value
        counts[at] = sum(stale for _, stale in of_seeds)
    dataset = xr.Dataset(
        {name: (list(coords), read[name], {"units": units}) for name, units in SUMMARISED.items()},
        coords={**coords, "staleness": np.arange(STALENESS_SHOWN + 1)},
        attrs=attributes(study, clock="modelled"),
    )
    dataset["staleness_count"] = (
        ["method", "workload", "machine", "staleness"],
        counts,
        {"units": "gradients"},
    )
    return dataset
