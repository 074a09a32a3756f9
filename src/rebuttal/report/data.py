"""The data of a report: a study's result files, the targets made from them, and the time line of three methods."""

from pathlib import Path
from typing import Any

import pandas as pd

from rebuttal import results
from rebuttal.charts import timelines
from rebuttal.charts.theme import family
from rebuttal.errors import InputError
from rebuttal.schemas import ANALYSES
from rebuttal.stats import datasets
from rebuttal.stats.quantities import Results, Runs

SHOWN = ("synchronous", "asynchronous", "backup_workers")
UPDATES_SHOWN = 4  # updates of the first of them that the time line covers


def inputs(data: Runs, need: str) -> Any:
    """What a drawing calls `need`: curves, tuning, summaries, stragglers, targets, gantt or an analysis by name."""
    if need in ANALYSES:
        return results.load_analysis(need, data.folder.parent / "analyses")
    if need == "targets":
        return datasets.targets(data.tuning)
    if need == "gantt":
        return three_timelines(data)
    if need == "stragglers" and isinstance(data, Results):
        return data.order_statistics()
    if not hasattr(data, need):
        raise InputError(f"study {data.folder.name}: no {need}; allowed: a study that has them")
    return getattr(data, need)


def three_timelines(data: Runs) -> pd.DataFrame:
    """The Gantt table of synchronous, asynchronous and backup workers (most backups): first workload, machine, seed."""
    labels = [str(label) for label in data.curves.method.values]
    chosen = [[label for label in labels if family(label) == name][-1:] for name in SHOWN]
    files = {label: timeline_file(data, label) for some in chosen for label in some}
    if len(files) < len(SHOWN):
        needed, got = ", ".join(SHOWN), ", ".join(files) or "none"
        raise InputError(f"figure one_timeline: methods {needed} needed; got results of {got}")
    return timelines.stored(files, UPDATES_SHOWN)


def timeline_file(data: Runs, label: str) -> Path:
    """The stored time line of a method on the first workload and machine, with the first seed."""
    place = [str(data.curves[dim].values[0]) for dim in ("workload", "machine")]
    name = "--".join([label, *place, f"seed {data.curves.seed.values[0]}"]).replace(" ", "_")
    return data.folder / "timelines" / family(label) / f"{name}.npz"
