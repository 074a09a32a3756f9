"""A results folder with made-up, well-formed contents: for tests of what reads result files.

`write(folder)` makes `folder/backup-workers/...` as the pipeline would. The numbers are
smooth random curves with the shape of training curves; they describe nothing that was ever run.
"""

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from once import made_once

from rebuttal.base import seeding
from rebuttal.core import results
from rebuttal.machines import order_statistics
from rebuttal.machines.stragglers import STRAGGLERS

WORKLOADS = ("digits_mlp", "digits_cnn")
MACHINES = ("paper_cluster", "ethernet_10g")
RATES = ("tuned", "shared")
SEEDS = (0, 1, 2, 3, 4)
TUNING_SEEDS = (100, 101, 102)
LEARNING_RATES = (0.025, 0.05, 0.1, 0.2, 0.4)
POINTS = 16

# method file -> label -> (seconds per update, speed of learning per update, final accuracy, mean staleness)
METHODS: dict[str, dict[str, tuple[float, float, float, float]]] = {
    "mini_batch": {f"mini_batch shards={s}": (0.05 * s, 0.02, 0.93 + 0.002 * s, 0.0) for s in (1, 4, 16)},
    "all_reduce": {"all_reduce": (0.20, 0.02, 0.962, 0.0)},
    "synchronous": {"synchronous": (0.22, 0.02, 0.962, 0.0)},
    "asynchronous": {"asynchronous": (0.01, 0.002, 0.94, 15.0)},
    "asynchronous_clipped": {"asynchronous_clipped c=1.0": (0.01, 0.002, 0.945, 15.0)},
    "softsync": {"softsync n=4": (0.04, 0.006, 0.95, 4.0)},
    "softsync_aware": {"softsync_aware n=4": (0.04, 0.005, 0.952, 4.0)},
    "backup_workers": {
        f"backup_workers b={b}": (0.17 - 0.02 * b, 0.02, 0.962 - 0.001 * b, 0.0) for b in (1, 2, 4)
    },
    "k_sync": {f"k_sync b={b}": (0.16 - 0.02 * b, 0.02, 0.962 - 0.001 * b, 0.0) for b in (1, 2, 4)},
    "delayed": {
        f"delayed k={k}": (0.01, 0.01, 0.96 - 0.002 * k, float(k)) for k in (0, 5, 10, 20, 30, 40, 50)
    },
}
# the staleness study runs in one place only, so it is missing in the others
DELAYED_ON = {"workload": ["digits_cnn"], "machine": ["ethernet_10g"]}
MACHINE_SLOWNESS = {"paper_cluster": 20.0, "ethernet_10g": 1.0}
UNITS = {"training_loss": "nat", "test_loss": "nat", "validation_loss": "nat", "test_metric": "fraction",
         "validation_metric": "fraction", "diverged_at": "update", "learning_rate": "1", "update": "update",
         "epoch": "epoch", "samples_computed": "sample", "samples_applied": "sample", "seconds": "s"}  # fmt: skip
ATTRS = {
    "clock": "modelled",
    "study": "backup-workers",
    "git_commit": "0" * 40,
    "params": "{}",
    "versions": "{}",
}

PROVENANCE = {
    "device": {"name": "synthetic device", "kind": "cpu", "costs": "here", "date": "2026-01-31"},
    "host": {"name": "synthetic host", "kind": "cpu"},
    "git_commit": "0" * 40,
}


def write(folder: Path) -> Path:
    """Write every result file under `folder`; the study's folder, for `results.load_curves` and its siblings."""
    shutil.copytree(made_once("synthetic_results", make), folder, dirs_exist_ok=True)
    return Path(folder) / "backup-workers"


@cache
def loaded(study: Path) -> dict[str, xr.Dataset]:
    """curves, tuning and summaries of what `write` made. Not to be changed: who asks again is given the same."""
    loads = {
        "curves": results.load_curves,
        "tuning": results.load_tuning,
        "summaries": results.load_summaries,
    }
    return {kind: load(study) for kind, load in loads.items()}


def make(folder: Path, seed: int = 0) -> None:
    """Make every result file under `folder`."""
    study = folder / "backup-workers"
    for name in METHODS:
        results.save(curves(name, seed), study / "training" / name / "curves.nc")
        results.save(tuning(name, seed), study / "tuning" / f"{name}.nc")
        results.save(summaries(name, seed), study / "summaries" / f"{name}.nc")
        write_json(study / "training" / name / "timing.json", {"clock": "measured", "seconds": 1.0})
        write_json(study / "training" / name / "provenance.json", PROVENANCE)
    results.save(stragglers(seed), folder / "analyses" / "stragglers.nc")


def write_json(path: Path, content: dict) -> None:
    """One JSON file with sorted keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def base_coords(name: str) -> dict:
    """The coordinates that all files of one method share."""
    everywhere = {"workload": list(WORKLOADS), "machine": list(MACHINES)}
    return {"method": list(METHODS[name])} | (DELAYED_ON if name == "delayed" else everywhere)


def curves(name: str, seed: int = 0) -> xr.Dataset:
    """Training curves of every variant of one method: saturating exponentials with a little noise."""
    coords = base_coords(name) | {"rate": list(RATES), "seed": list(SEEDS), "point": np.arange(POINTS)}
    dims = tuple(coords)
    shape = tuple(len(values) for values in coords.values())
    noise = seeding.generator(seed, "synthetic curves", name).normal(0, 0.002, shape)
    variants = np.array(list(METHODS[name].values()))
    speed, top = (variants[:, column].reshape(-1, 1, 1, 1, 1, 1) for column in (1, 2))
    update = np.arange(POINTS) * 40.0
    top = top - np.array([0.0, 0.01]).reshape(1, 1, 1, 2, 1, 1)  # the shared rate ends a little lower
    metric = np.clip(top - 0.85 * np.exp(-speed * update * 4) + noise, 0, 1)
    data = xr.Dataset({"test_metric": (dims, metric), "validation_metric": (dims, metric * 0.995)}, coords)
    for variable, offset in (("training_loss", 0.0), ("test_loss", 0.05), ("validation_loss", 0.06)):
        data[variable] = (dims, 2.3 * (1 - metric) + offset)
    data["diverged_at"] = (dims[:5], np.full(shape[:5], np.nan))
    data["learning_rate"] = (dims[:4], np.broadcast_to([0.2, 0.1], shape[:4]).copy())
    return with_units(data.assign_coords(axes_of(name, update, seed)))


def axes_of(name: str, update: np.ndarray, seed: int) -> dict:
    """Update, epoch, samples and seconds of every point, per method, workload, machine and seed."""
    coords = base_coords(name)
    dims = (*coords, "seed", "point")
    shape = (*(len(values) for values in coords.values()), len(SEEDS), POINTS)
    seconds = np.array([v[0] for v in METHODS[name].values()]).reshape(-1, 1, 1, 1, 1)
    slowness = np.array([MACHINE_SLOWNESS[m] for m in coords["machine"]]).reshape(1, 1, -1, 1, 1)
    jitter = 1 + 0.01 * seeding.generator(seed, "synthetic clock", name).random(shape[:4])[..., None]
    every = np.broadcast_to(update, shape)
    return {"update": (dims, every.copy()), "epoch": (dims, every * 512 / 1000),
            "samples_computed": (dims, every * 560), "samples_applied": (dims, every * 512.0),
            "seconds": (dims, every * seconds * slowness * jitter)}  # fmt: skip


def with_units(data: xr.Dataset) -> xr.Dataset:
    """The same data with the attributes that every result file carries."""
    for variable in data.variables:
        if variable in UNITS:
            data[variable].attrs["units"] = UNITS[str(variable)]
    return data.assign_attrs(ATTRS)


def tuning(name: str, seed: int = 0) -> xr.Dataset:
    """Validation loss against learning rate: a parabola in log(rate) around 0.1."""
    coords = base_coords(name) | {"learning_rate": list(LEARNING_RATES), "seed": list(TUNING_SEEDS)}
    shape = tuple(len(values) for values in coords.values())
    valley = 0.2 + 0.1 * np.log(np.array(LEARNING_RATES) / 0.1) ** 2
    loss = valley[:, None] + seeding.generator(seed, "synthetic tuning", name).normal(0, 0.005, shape)
    top = np.array([variant[2] for variant in METHODS[name].values()]).reshape(-1, 1, 1, 1, 1)
    data = xr.Dataset(coords=coords)
    data["validation_loss"] = (tuple(coords), loss)
    data["validation_metric"] = (tuple(coords), top - 0.02 * (loss - 0.2))
    data["diverged"] = (tuple(coords), np.zeros(shape, dtype=bool))
    best = np.argmin(loss.mean(axis=-1), axis=-1)
    data["best_learning_rate"] = (tuple(coords)[:3], np.array(LEARNING_RATES)[best])
    data["at_edge"] = (tuple(coords)[:3], (best == 0) | (best == len(LEARNING_RATES) - 1))
    return with_units(data)


def summaries(name: str, seed: int = 0) -> xr.Dataset:
    """What is read off the timelines, with Poisson staleness."""
    base = base_coords(name)
    coords = base | {"seed": list(SEEDS), "staleness": np.arange(64)}
    dims, shape = (*base, "seed"), (*(len(v) for v in base.values()), len(SEEDS))
    column = {key: np.array([v[i] for v in METHODS[name].values()]).reshape(-1, 1, 1, 1) for key, i in
              (("seconds", 0), ("staleness", 3))}  # fmt: skip
    random = seeding.generator(seed, "synthetic summaries", name)
    counts = random.poisson(np.broadcast_to(column["staleness"][..., None], (*shape[:3], 1, 600)))[..., 0, :]
    histogram = np.stack([(counts == s).sum(axis=-1) for s in range(64)], axis=-1)
    per_run = {"seconds_per_update": column["seconds"] * (1 + 0.01 * random.random(shape)),
               "gradients_computed": np.full(shape, 660.0), "gradients_applied": np.full(shape, 600.0),
               "gradients_dropped": np.full(shape, 60.0), "bytes_sent": np.full(shape, 6.6e7),
               "utilisation": random.uniform(0.6, 0.9, shape), "staleness_mean": column["staleness"],
               "staleness_max": column["staleness"] * 2, "staleness_q95": column["staleness"] * 1.6}  # fmt: skip
    data = xr.Dataset(coords=coords)
    for variable, values in per_run.items():
        data[variable] = (dims, np.broadcast_to(values, shape).astype(float))
    data["staleness_count"] = ((*dims[:3], "staleness"), histogram.astype(float))
    return with_units(data)


def stragglers(seed: int = 0) -> xr.Dataset:
    """The real order-statistics study on a small grid: it is quick, so nothing need be made up."""
    return order_statistics.study(
        STRAGGLERS, workers=(16, 100), backups=(0, 1, 2, 4, 8, 16, 32, 64), iterations=400, seed=seed
    )
