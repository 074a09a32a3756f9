"""How often verdicts err, measured: synthetic studies whose truth is known, judged by the rules that judge real ones.

A study is a workload of made-up result files, so that one call of `verdicts.judge` does for all of them. On each of
its machines two methods are paired by seed: they share what a seed brings, and `method` differs from `baseline` by
a true effect and by noise of unit spread from one of the `NOISE` distributions. Of several variants, equal but for
their noise, the rule takes the best on validation data, which here are the test data: the worst case for accuracies,
and near the truth for times, which both kinds of data share.

- difference: of the final test accuracies, DIFFERENCE_SPREAD (effect + noise); `rounded` to steps of one sample.
- ratio: of the seconds to the target, whose logarithm is RATIO_SPREAD (effect + noise).

Effects and margins are therefore in standard deviations of one pair.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from scipy import stats

from rebuttal.base import seeding
from rebuttal.evidence import datasets, places_combined
from rebuttal.evidence.judging import PlaceOutcome, Word
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.compare_rule import Compare

DIFFERENCE_SPREAD, RATIO_SPREAD = 0.006, 0.1
SAMPLES = 360  # of a test set: the steps of a rounded accuracy
WHAT = {"difference": "final_test_metric", "ratio": "seconds_to_target"}
PACE, SHARED = 0.2, 0.01  # spread over seeds of what both methods share: of log seconds, and of accuracies
WORDS: dict[str, Word] = {"supported": "supported", "contradicted": "contradicted", "depends": "depends",
                          "no_difference": "no difference", "cannot_tell": "cannot tell"}  # fmt: skip
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
RUN = ("method", "workload", "machine", "rate", "seed")
AXIS = ("method", "workload", "machine", "seed", "point")


def _lognormal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    law = stats.lognorm(0.3)  # of skewness 0.95
    return (random.lognormal(0.0, 0.3, shape) - law.mean()) / law.std()


# Of mean 0 and standard deviation 1. Skewness of gamma: 1. Kurtosis of heavy tails: 9. rounded: the study rounds.
NOISE: dict[str, Draw] = {
    "normal": lambda random, shape: random.normal(size=shape),
    "lognormal": _lognormal,
    "gamma": lambda random, shape: (random.gamma(4.0, size=shape) - 4.0) / 2.0,
    "heavy tails": lambda random, shape: random.standard_t(5, shape) / np.sqrt(5 / 3),
    "rounded": lambda random, shape: random.normal(size=shape),
}


@dataclass(frozen=True)
class ErrorRateSetting:
    """Many studies of one kind. effect: the truth, alike on all machines and of all variants of `method`."""

    kind: Literal["difference", "ratio"] = "difference"
    effect: float = 0.0
    noise: str = "normal"
    seeds: int = 5
    machines: int = 1
    variants: int = 1
    studies: int = 1000


@dataclass(frozen=True)
class Rates:
    """Of many studies, the shares with each outcome. coverage: the share of 95 % intervals that hold the truth."""

    supported: float
    contradicted: float
    depends: float
    no_difference: float
    cannot_tell: float
    coverage: float


def rates(setting: ErrorRateSetting, better: str = "higher", margin: float = 0.0) -> Rates:
    """What a rule `compare` says about the studies of a setting."""
    truth, edge = (_in_units(setting, given) for given in (setting.effect, margin))
    rule = {"kind": "compare", "what": WHAT[setting.kind], "of": ["method"], "against": ["baseline"],
            "better": better, "margin": edge, "target": 1.0}  # fmt: skip
    asking = Compare.model_validate(rule)
    parts = asking.judge(studies(setting)).places
    found: dict[str, list[PlaceOutcome]] = {}
    for part in parts:
        found.setdefault(str(part.labels["workload"]), []).append(part)
    outcomes = [places_combined.combine(places, asking.asked).word for places in found.values()]
    shares = {name: outcomes.count(word) / len(outcomes) for name, word in WORDS.items()}
    intervals = [part.effects.interval() for part in parts if part.effects is not None]
    return Rates(**shares | {"coverage": float(np.mean([one.low <= truth <= one.high for one in intervals]))})


def _in_units(setting: ErrorRateSetting, effect: float) -> float:
    """An effect in standard deviations as the rule states it: a difference or a ratio."""
    return (
        DIFFERENCE_SPREAD * effect if setting.kind == "difference" else float(np.exp(RATIO_SPREAD * effect))
    )


def studies(setting: ErrorRateSetting) -> Results:
    """The result files of the studies: each workload is one of them."""
    shape = (setting.studies, setting.machines, setting.seeds)
    random = seeding.generator(0, "error rates", setting.kind, setting.noise, setting.variants, *shape)
    drawn = setting.effect + NOISE[setting.noise](random, (setting.variants, *shape))
    effects = np.concatenate([drawn, np.zeros((1, *shape))])  # the last is the baseline
    ends = 0.8 + random.normal(0, SHARED, shape) + DIFFERENCE_SPREAD * effects
    if setting.noise == "rounded":
        ends = np.round(ends * SAMPLES) / SAMPLES
    pace = np.exp(random.normal(0, PACE, shape) + RATIO_SPREAD * effects)
    labels = {"workload": [f"study {i}" for i in range(setting.studies)],
              "machine": [f"machine {i}" for i in range(setting.machines)]}  # fmt: skip
    return Results(Path("synthetic"), _curves(labels, ends, pace), _tuning(labels), xr.Dataset())


def _curves(labels: dict[str, list[str]], ends: np.ndarray, pace: np.ndarray) -> xr.Dataset:
    """Curves to the accuracies `ends` that pass 0.4 at 0.4 `pace` seconds; both [method, workload, machine, seed]."""
    rising = np.broadcast_to(np.linspace(0.0, 2.0, 2 + datasets.LAST), (*ends.shape, 2 + datasets.LAST))
    settled = np.repeat(ends[..., None], datasets.LAST, axis=-1)
    metric = np.concatenate([rising[..., :2], settled], axis=-1)[:, :, :, None]
    there = np.ones(metric.shape[:-1])
    methods = [*(f"method v={i}" for i in range(len(ends) - 1)), "baseline"]
    coordinates = {"method": methods, **labels, "rate": ["tuned"], "file": ("method", methods),
                   "seconds": (AXIS, rising * pace[..., None]), "update": (AXIS, 100 * rising),
                   "epoch": (AXIS, rising)}  # fmt: skip
    both = {f"{split}_metric": ((*RUN, "point"), metric) for split in ("test", "validation")}
    runs = {"learning_rate": (RUN[:4], there[..., 0]), "diverged_at": (RUN, np.nan * there)}
    return xr.Dataset(both | runs, coordinates, {"clock": "modelled"})


def _tuning(labels: dict[str, list[str]]) -> xr.Dataset:
    """Tuning of a baseline whose validation accuracy is 0.4: the target of every study."""
    dims = ("method", "workload", "machine", "learning_rate", "seed")
    coordinates = {"method": ["mini_batch"], **labels, "learning_rate": [1.0], "seed": [100],
                   "file": ("method", ["mini_batch"])}  # fmt: skip
    shape = tuple(len(coordinates[dim]) for dim in dims)
    values = {
        "validation_metric": (dims, np.full(shape, 0.4)),
        "best_learning_rate": (dims[:3], np.ones(shape[:3])),
    }
    return xr.Dataset(values, coordinates)
