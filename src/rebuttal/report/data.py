"""The data of a report: a study's result files, the targets made from them, and the time line of three methods."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from rebuttal import paths
from rebuttal.charts import timelines
from rebuttal.charts.theme import family
from rebuttal.errors import InputError
from rebuttal.stats import datasets
from rebuttal.stats.quantities import Results

SHOWN = ("synchronous", "asynchronous", "backup_workers")
UPDATES_SHOWN = 4  # updates of the first of them that the time line covers
HASHED = ("training/*/*.nc", "tuning/*.nc", "summaries/*.nc", "*.nc", "training/*/*.json", "../profile.json")


def inputs(data: Results, need: str) -> Any:
    """What a drawing calls `need`: curves, tuning, summaries, stragglers, targets or gantt."""
    if need == "targets":
        return datasets.targets(data.tuning)
    return three_timelines(data) if need == "gantt" else getattr(data, need)


def three_timelines(data: Results) -> pd.DataFrame:
    """The Gantt table of synchronous, asynchronous and backup workers (most backups): first workload, machine, seed."""
    labels = [str(label) for label in data.curves.method.values]
    chosen = [[label for label in labels if family(label) == name][-1:] for name in SHOWN]
    files = {label: timeline_file(data, label) for some in chosen for label in some}
    if len(files) < len(SHOWN):
        needed, got = ", ".join(SHOWN), ", ".join(files) or "none"
        raise InputError(f"figure one_timeline: methods {needed} needed; got results of {got}")
    return timelines.stored(files, UPDATES_SHOWN)


def timeline_file(data: Results, label: str) -> Path:
    """The stored time line of a method on the first workload and machine, with the first seed."""
    place = [str(data.curves[dim].values[0]) for dim in ("workload", "machine")]
    name = "--".join([label, *place, f"seed {data.curves.seed.values[0]}"]).replace(" ", "_")
    return data.folder / "timelines" / family(label) / f"{name}.npz"


def files(folder: Path) -> list[dict[str, Any]]:
    """Every result file of a study: name, bytes, SHA-256. A page that lists them changes with any of them."""
    found = sorted({path.resolve() for pattern in HASHED for path in folder.glob(pattern)})
    root = folder.resolve().parent
    return [
        {"file": f"results/{path.relative_to(root).as_posix()}", "bytes": path.stat().st_size,
         "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in found
    ]  # fmt: skip


def notes(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """The JSON files `name` of every method's training folder: method -> content."""
    return {path.parent.name: read_json(path) for path in sorted(folder.glob(f"training/*/{name}"))}


def read_json(path: Path) -> dict[str, Any]:
    """One JSON object. Raises InputError if it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({type(error).__name__}); make it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: got a {type(content).__name__}; allowed: a JSON object")
    return content


def reviewed() -> list[dict[str, Any]]:
    """What the review of each paper left behind (paper, rows, files), in the order of the papers' names."""
    found = [read_json(path) for path in sorted(paths.results().glob("*/review/ledger.json"))]
    if not found:
        raise InputError(
            f"{paths.results()}: no */review/ledger.json; allowed: at least one paper whose review was written"
        )
    return sorted(found, key=lambda review: review["paper"])
