"""The data of a report: a study's result files, the targets made from them, and time lines of methods."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rebuttal.base.errors import InputError, refuse
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence import datasets
from rebuttal.evidence.result_files import Results, Runs
from rebuttal.figures import layer_timeline, time_lines
from rebuttal.figures.theme import family
from rebuttal.studies.runs.study_runs import timeline_name

SHOWN = ("synchronous", "asynchronous", "backup_workers")
UPDATES_SHOWN = 4  # updates of the first of them that the time line covers
#: Methods whose work is drawn layer by layer, for so many updates of the first of them.
LAYERED = ("layer_wise", "layer_wise_overlapped", "layer_wise_asynchronous", "delayed_layer_wise")
LAYERED_UPDATES = 3


def inputs(data: Runs, need: str, methods: Sequence[str] = ()) -> Any:
    """What a drawing calls `need`: curves, tuning, summaries, stragglers, targets, gantt or an analysis by name.

    methods: labels, or methods for one of their variants, whose time lines are drawn (default: those that a figure is
    about).
    """
    if need in ANALYSES:
        return results.load_analysis(need, data.folder.parent / "analyses")
    if need == "targets":
        return datasets.targets(data.tuning, curves=data.curves)
    if need == "gantt":
        return time_lines.stored(timeline_files(data, methods or SHOWN), UPDATES_SHOWN)
    if need == "layer_gantt":
        return layer_timeline.stored(timeline_files(data, methods or LAYERED), LAYERED_UPDATES)
    if need == "stragglers" and isinstance(data, Results):
        return data.order_statistics()
    if not hasattr(data, need):
        raise InputError(f"study {data.folder.name}: no {need}; allowed: a study that has them")
    return getattr(data, need)


def timeline_files(data: Runs, methods: Sequence[str]) -> dict[str, Path]:
    """The stored time lines of methods, by label: of several variants the last; first workload, machine and seed."""
    labels = [str(label) for label in data.curves.method.values]
    chosen = {name: [label for label in labels if name in (label, family(label))][-1:] for name in methods}
    missing = [name for name, found in chosen.items() if not found]
    if missing:
        raise refuse("figure's time line of", missing[0], labels)
    return {label: timeline_file(data, label) for some in chosen.values() for label in some}


def timeline_file(data: Runs, label: str) -> Path:
    """The stored time line of a method on the first workload and machine, with the first seed."""
    workload, machine, seed = (data.curves[dim].values[0] for dim in ("workload", "machine", "seed"))
    return (
        data.folder
        / "timelines"
        / family(label)
        / timeline_name(label, str(workload), str(machine), int(seed))
    )
