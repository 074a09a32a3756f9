"""What backup workers gain on real processes with injected stragglers, beside what order statistics say.

An update of K-sync SGD waits for the first N of N + b gradients, and those that are late are given up. Its seconds are
therefore the N-th order statistic of N + b slowdowns, times what a slowdown of 1 stands for (Dutta et al. 2018), as
long as sleeping outlasts all else that an update consists of. The gain is the seconds of an update of N workers
without backups over those with b.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rebuttal.evidence import student
from rebuttal.machines import order_statistics
from rebuttal.machines.stragglers import named
from rebuttal.processes.launcher import record
from rebuttal.studies.calibration.both_clocks import LEARNING_RATE, WARM_UP, seconds_per_update

WORKLOAD, BATCH = "digits_mlp", 32
PLAIN = 15  # updates without stragglers that show what an update takes beside its sleeping

Seconds = Callable[..., float]  # (workers=, b=, stragglers=, updates=, seed=, pace_s=) -> per update


@dataclass(frozen=True)
class GainSetting:
    """N of N + b workers. pace_s: what a slowdown of 1 stands for; one repetition for each seed, of so many updates."""

    needed: int
    stragglers: str
    pace_s: float
    updates: int
    seeds: tuple[int, ...]
    b: int = 1


def on_processes(workers: int, b: int, stragglers: str, updates: int, seed: int, pace_s: float) -> float:
    """Seconds per update of K-sync SGD on processes of this host. Raises what `record` does."""
    made = record(
        "k_sync", options={"b": b}, workers=workers, updates=updates, workload=WORKLOAD, batch=BATCH, seed=seed,
        stragglers=stragglers, pace_s=pace_s, learning_rate=LEARNING_RATE, checksums_every=updates,
    )  # fmt: skip
    return seconds_per_update(made.updates["time_s"])


def gain(setting: GainSetting, seconds: Seconds = on_processes) -> dict[str, Any]:
    """Measured and predicted gain of a setting; a row of the benchmark.

    gain, low, high: the mean over repetitions of the logarithm of the ratio and its 95 % Student interval, as ratios;
    the two runs of a repetition have the same seed, so the same draws. predicted: the ratio of order statistics. drawn:
    what the very draws of these runs give, were there nothing but sleeping.
    overhead_s: median seconds of an update beside its sleeping, measured without stragglers; predicted_with_overhead:
    the same ratio with these seconds added to both. agrees: whether `predicted` lies in the interval.
    """
    n, b, pace_s = setting.needed, setting.b, setting.pace_s
    given = {"pace_s": pace_s, "updates": setting.updates, "stragglers": setting.stragglers}
    alone_s = [seconds(workers=n, b=0, seed=seed, **given) for seed in setting.seeds]
    backed_s = [seconds(workers=n + b, b=b, seed=seed, **given) for seed in setting.seeds]
    plain = given | {"stragglers": "none", "updates": PLAIN, "b": 0, "workers": n}
    overhead_s = float(np.median([seconds(seed=seed, **plain) for seed in setting.seeds])) - pace_s
    found = student.interval(np.log(np.asarray(alone_s) / np.asarray(backed_s)))
    middle, low, high = map(math.exp, found)
    predicted = predicted_gain(setting, 0.0)
    return asdict(setting) | {
        "processes": n + b + 1,  # the server is one
        "without_backups_s": alone_s,
        "with_backups_s": backed_s,
        "gain": middle,
        "low": low,
        "high": high,
        "predicted": predicted,
        "drawn": drawn_gain(setting),
        "overhead_s": overhead_s,
        "predicted_with_overhead": predicted_gain(setting, overhead_s),
        "agrees": low <= predicted <= high,
    }


def predicted_gain(setting: GainSetting, overhead_s: float) -> float:
    """(E[X_(N:N)] pace + overhead) / (E[X_(N:N+b)] pace + overhead)."""
    model, n = named(setting.stragglers), setting.needed
    alone, backed = (order_statistics.expected(model, n, n + b) for b in (0, setting.b))
    return (alone * setting.pace_s + overhead_s) / (backed * setting.pace_s + overhead_s)


def drawn_gain(setting: GainSetting) -> float:
    """The gain of the draws alone, a geometric mean over seeds: each update takes its N-th smallest slowdown.

    All workers begin each update together, since late gradients are given up; so a worker's t-th draw is update t's.
    """
    logs = [math.log(_drawn(setting, 0, seed) / _drawn(setting, setting.b, seed)) for seed in setting.seeds]
    return math.exp(sum(logs) / len(logs))


def _drawn(setting: GainSetting, b: int, seed: int) -> float:
    """Mean of the N-th smallest slowdown of N + b workers over the updates that are counted."""
    model = named(setting.stragglers)
    slowdowns = [model.slowdowns(seed, worker, setting.updates) for worker in range(setting.needed + b)]
    return float(np.sort(slowdowns, axis=0)[setting.needed - 1, WARM_UP:].mean())
