"""The stage that seeks adversarial perturbations of a trained network, by the methods of random smoothing."""

import json

import numpy as np
import xarray as xr

from rebuttal import workloads
from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.studies.analyses import adversarial, attacks, relu_network
from rebuttal.studies.params import Params
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.provenance import attributes

DATA = "digits_deep"  # whose images are taken: all training images, as vectors
#: Of the network under attack: as deep as the paper's experiments are remembered to be, and trained in two seconds.
DEPTH, WIDTH, EPOCHS, BATCH, RATE = 20, 32, 40, 64, 1e-3


def write_adversarial(params: Params) -> None:
    """Write analyses/adversarial.nc. Raises InputError."""
    grid = params.analyses
    given = {"profile": params.profile, "seeds": grid.seeds, "tuning_seeds": grid.tuning_seeds}
    found = measure(grid.seeds, grid.tuning_seeds, engine=params.engine)
    origin = attributes(params.analyses, clock="modelled") | {"parameters": json.dumps(given)}
    results.save(found.assign_attrs(origin), paths.results("analyses") / "adversarial.nc")


def measure(
    seeds: tuple[int, ...],
    tuning_seeds: tuple[int, ...],
    samples: tuple[int, ...] = adversarial.SAMPLES,
    engine: str = LOCAL,
) -> xr.Dataset:
    """The dataset of `adversarial.adversarial`, its runs side by side on the cores that there are."""
    images = {name: _plain(name) for name in ("training", "test")}
    network = relu_network.trained(*images["training"], DEPTH, WIDTH, EPOCHS, BATCH, RATE)
    x, y = images["test"]
    everyone = (*seeds, *tuning_seeds)
    tasks = [
        (attacks.drawn(network, x, y, everyone, m), name, width, everyone, m)
        for name, runs in adversarial.RUNS.items()
        for width in runs
        for m in samples
    ]
    weights = [task[2] > 0 or 0.1 for task in tasks]
    found = run_all(_one, tasks, "adversarial", weights, preload=[__name__], engine=engine)
    keys = [(name, width, m) for _, name, width, _, m in tasks]
    data = adversarial.adversarial(dict(zip(keys, found, strict=True)), seeds, tuning_seeds)
    accuracy = float((network.predict(x) == y).mean())
    return data.assign_attrs(network_accuracy=accuracy, depth=DEPTH, width_of_layers=WIDTH, images=DATA)


def _plain(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and classes of a split, as arrays."""
    x, y = workloads.load(DATA).splits[split]
    return x.numpy(), y.numpy()


def _one(attack: attacks.Attack, name: str, width: float, seeds: tuple[int, ...], samples: int) -> xr.Dataset:
    run = adversarial.RUNS[name][width]
    traces = adversarial.trace(attack, run, seeds, samples)
    return adversarial.within_budget(traces, run, samples, DEPTH, seeds)
