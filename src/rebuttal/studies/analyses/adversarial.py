"""Adversarial perturbations of few images by the methods of random smoothing: what PPRS is said to be for.

The network's layers are the stages of a pipeline. Methods are run by their own programs (`analyses.running`) on
`analyses.attacks`, and every method has the same budget of passes. An update takes 2 (m K + Δ − 1) passes of a stage in
a pipeline of Δ stages with free messages, which is the virtual clock's own count (`analyses.smoothing_map.clock`), and
2 m K Δ on one node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from rebuttal import workloads
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.studies.analyses import relu_network
from rebuttal.studies.analyses.analysis_record import Analysis, Given, of_some
from rebuttal.studies.analyses.attacks import Attack, drawn
from rebuttal.studies.analyses.function_runs import weights
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs.pool import run_all

Array = np.ndarray
DATA = "digits_deep"  # whose images are taken: all training images, as vectors
#: Of the network under attack: as deep as the paper's experiments are remembered to be, and trained in two seconds.
DEPTH, WIDTH, EPOCHS, BATCH, RATE = 20, 32, 40, 64, 1e-3
SAMPLES = (1, 4, 16)  # m
UPDATES = 100  # of gradient descent through the pipeline: their passes are the budget of every method
RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SMOOTHED = 8  # K: what theory asks for, (T + 1)/√d, is about as many in so many passes
WIDTHS = (0.003, 0.03, 0.3)  # γ; theory's R d^(−1/4)/(T + 1) lies between the first two
SHARES = tuple(round(0.05 * step, 2) for step in range(21))  # of the budget, at which losses are kept
CLOCKS = {
    "pipeline": "passes of a stage where each layer has a node of its own and messages are free",
    "one node": "passes of a stage where one node computes all layers, one pass after the other",
}


@dataclass(frozen=True)
class Run:
    """A method with its options. K: passes of each sample in an update."""

    method: str
    options: dict[str, Any]
    K: int = 1

    def passes(self, clock: str, samples: int, depth: int) -> int:
        """Of a stage, in one update."""
        work = samples * self.K
        return 2 * (work + depth - 1) if clock == "pipeline" else 2 * work * depth


RUNS: dict[str, dict[float, Run]] = {
    "gpipe": {0.0: Run("gpipe", {"m": 1})},
    "nesterov": {0.0: Run("nesterov", {})},
    "pprs": {gamma: Run("pprs", {"K": SMOOTHED, "gamma": gamma}, SMOOTHED) for gamma in WIDTHS},
}


def trace(attack: Attack, run: Run, seeds: Sequence[int], samples: int) -> dict[str, Array]:
    """f, fooled and length of δ at every version within the budget, each [version, seed, attack of it, rate]."""
    depth, attacks = attack.network.depth, len(attack.images)
    most = max(updates_within(run, clock, samples, depth, 1.0) for clock in CLOCKS)
    rows = np.repeat(np.arange(attacks), len(RATES))
    every = Attack(attack.network, attack.images[rows], attack.wanted[rows])
    rates = np.tile(RATES, attacks)[:, None].astype(attack.images.dtype)
    kept: dict[str, list[Array]] = {"loss": [], "fooled": [], "length": []}
    of_rows = np.repeat(seeds, len(rows) // len(seeds)).tolist()
    for w in weights(run.method, run.options, every, of_rows, rates, most):
        kept["loss"].append(every.value(w))
        kept["fooled"].append(every.fooled(w))
        kept["length"].append(np.linalg.norm(w, axis=1))
    shape = (most + 1, len(seeds), attacks // len(seeds), len(RATES))
    return {name: np.array(values).reshape(shape) for name, values in kept.items()}


def updates_within(run: Run, clock: str, samples: int, depth: int, share: float) -> int:
    """Updates that are done within a share of the budget."""
    budget = UPDATES * RUNS["gpipe"][0.0].passes(clock, samples, depth)
    return int(share * budget / run.passes(clock, samples, depth) + 1e-9)


def within_budget(
    traces: Mapping[str, Array], run: Run, samples: int, depth: int, seeds: Sequence[int]
) -> xr.Dataset:
    """left (clock, share, seed, rate): the least loss so far over that of no perturbation; fooled and length there.

    Each is the mean over the seed's attacks.
    """
    loss = traces["loss"]
    found = []
    for clock in CLOCKS:
        ends = [updates_within(run, clock, samples, depth, share) for share in SHARES]
        best = np.array([loss[: end + 1].argmin(0) for end in ends])
        at = {name: np.take_along_axis(values, best, 0) for name, values in traces.items()}
        each = {"left": at["loss"] / loss[0], "fooled": at["fooled"], "length": at["length"]}
        found.append({name: values.mean(2) for name, values in each.items()})
    dims = ("clock", "share", "seed", "rate")
    return xr.Dataset(
        {name: (dims, np.array([one[name] for one in found])) for name in found[0]},
        {"clock": list(CLOCKS), "share": list(SHARES), "seed": list(seeds), "rate": list(RATES)},
    )


def adversarial(
    found: Mapping[tuple[str, float, int], xr.Dataset], seeds: Sequence[int], tuning_seeds: Sequence[int]
) -> xr.Dataset:
    """The dataset of what `within_budget` found, by (method, width, samples).

    Rate and width are those with the least mean loss left at the end of the budget on the tuning seeds, for each
    method, number of samples and clock. over_gradient and over_accelerated: what PPRS leaves minus what gradient
    descent and the accelerated gradient leave, by seed. at_edge: whether the rate, or the width, is the first or last
    that was tried.
    """
    samples = list(dict.fromkeys(m for *_, m in found))
    parts = [
        xr.concat([_tuned(found, name, m, seeds, tuning_seeds) for m in samples], "samples") for name in RUNS
    ]
    data = xr.concat(parts, "method").assign_coords(method=list(RUNS), samples=samples)
    return with_gaps(data).assign_attrs(updates=UPDATES, smoothing_samples=SMOOTHED,
                                        widths=list(WIDTHS), rates=list(RATES))  # fmt: skip


def with_gaps(data: xr.Dataset) -> xr.Dataset:
    """With what PPRS leaves at the end of the budget minus what the other two leave, and with units."""
    ends = data.left.isel(share=-1, drop=True)
    smoothed, plain, fast = (ends.sel({"method": name}, drop=True) for name in ("pprs", "gpipe", "nesterov"))
    data = data.assign(over_gradient=smoothed - plain, over_accelerated=smoothed - fast)
    return ANALYSES["adversarial"].annotated(data)


def _tuned(
    found: Mapping[tuple[str, float, int], xr.Dataset], name: str, m: int, seeds: Sequence[int],
    tuning_seeds: Sequence[int],
) -> xr.Dataset:  # fmt: skip
    """One method on m images, at its tuned rate and width on each clock."""
    widths = list(RUNS[name])
    data = xr.concat([found[name, width, m] for width in widths], "width").assign_coords(width=widths)
    tried = data.left.isel(share=-1, drop=True).sel(seed=list(tuning_seeds)).mean("seed")
    at = tried.argmin(["width", "rate"])
    chosen = data.isel(at).sel(seed=list(seeds))  # pyright: ignore[reportArgumentType]
    edge = at["rate"].isin((0, len(RATES) - 1))
    if len(widths) > 1:
        edge = edge | at["width"].isin((0, len(widths) - 1))
    return chosen.reset_coords(["width", "rate"]).assign(at_edge=edge.astype(float))


def measure(
    seeds: tuple[int, ...],
    tuning_seeds: tuple[int, ...],
    samples: tuple[int, ...] = SAMPLES,
    engine: str = LOCAL,
) -> xr.Dataset:
    """The dataset of `adversarial.adversarial`, its runs side by side on the cores that there are."""
    images = {name: _plain(name) for name in ("training", "test")}
    network = relu_network.trained(*images["training"], DEPTH, WIDTH, EPOCHS, BATCH, RATE)
    x, y = images["test"]
    everyone = (*seeds, *tuning_seeds)
    tasks = [
        (drawn(network, x, y, everyone, m), name, width, everyone, m)
        for name, runs in RUNS.items()
        for width in runs
        for m in samples
    ]
    weights = [task[2] > 0 or 0.1 for task in tasks]
    found = run_all(_one, tasks, "adversarial", weights, preload=[__name__], engine=engine)
    keys = [(name, width, m) for _, name, width, _, m in tasks]
    data = adversarial(dict(zip(keys, found, strict=True)), seeds, tuning_seeds)
    accuracy = float((network.predict(x) == y).mean())
    return data.assign_attrs(network_accuracy=accuracy, depth=DEPTH, width_of_layers=WIDTH, images=DATA)


def _plain(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and classes of a split, as arrays."""
    x, y = workloads.load(DATA).splits[split]
    return x.numpy(), y.numpy()


def _one(attack: Attack, name: str, width: float, seeds: tuple[int, ...], samples: int) -> xr.Dataset:
    run = RUNS[name][width]
    traces = trace(attack, run, seeds, samples)
    return within_budget(traces, run, samples, DEPTH, seeds)


def _of_profile(given: Given) -> xr.Dataset:
    return measure(given.grid.seeds, given.grid.tuning_seeds, engine=given.params.engine)


ADVERSARIAL = Analysis(
    ANALYSES["adversarial"], _of_profile, pooled=True, origin=of_some("seeds", "tuning_seeds")
)
