"""Test accuracies of the workloads that are to be believed, trained as people train, beside published ones.

Mini-batch SGD's order of samples on one node, replayed with a rule, a decayed rate and no straggler: what a study's
baseline would be. Mean over seeds of the last weights.

    python benchmarks/accuracies.py [--seeds 3] [--data-root data] [--only mnist1d_cnn]
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rebuttal
from rebuttal.core.update_rules import rule
from rebuttal.machines.costs import Costs
from rebuttal.replaying.engine import EXACT
from rebuttal.workloads import check_data, load

PAPER = "Greydanus and Kobak 2024"


@dataclass(frozen=True)
class Case:
    """How a workload is trained, and what is published of its like (per cent)."""

    epochs: int
    batch: int
    learning_rate: float
    recipe: dict[str, Any]
    published: str


COSINE, LINEAR, WARM = {"decay": "cosine"}, {"decay": "linear"}, {"decay": "cosine", "warm_up": 0.1}
CASES = {
    "mnist1d_linear": Case(30, 100, 0.01, {"name": "adam", "schedule": COSINE}, f"32 ({PAPER})"),
    "mnist1d_mlp": Case(60, 100, 0.005, {"name": "adam", "schedule": COSINE}, f"68 ({PAPER})"),
    "mnist1d_cnn": Case(150, 100, 0.01, {"name": "adam", "schedule": COSINE}, f"94 ({PAPER})"),
    "mnist1d_resnet": Case(20, 100, 0.005, {"name": "adamw", "weight_decay": 0.05, "schedule": WARM}, "none"),
    "mnist1d_transformer": Case(
        40, 100, 0.003, {"name": "adamw", "weight_decay": 0.05, "schedule": WARM}, "none"
    ),
    "mnist_half_cnn": Case(4, 64, 0.05, {"name": "momentum", "schedule": LINEAR}, "none at this size"),
}


def accuracies(name: str, case: Case, seeds: range, data_root: Path | None) -> list[float]:
    """The last test accuracy of each seed."""
    workload = load(name, data_root)
    updates = case.epochs * workload.training_size // case.batch
    seconds = {case.batch: (0.5,)}
    costs = Costs(name, 1, 4, case.batch, workload.training_size, ("all",), seconds, seconds, 0.0)
    timelines = [
        rebuttal.simulate(
            "mini_batch", workload=name, workers=1, seed=seed, updates=updates, batch=case.batch, costs=costs
        )
        for seed in seeds
    ]
    curves = rebuttal.replay(
        timelines,
        learning_rates=[case.learning_rate],
        workload=workload,
        rule=rule(**case.recipe),
        points=2,
        table=EXACT,
    )
    return curves.test_metric.isel(point=-1, learning_rate=0).values.tolist()


def main() -> None:
    """Print a line for each workload."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--only", choices=CASES)
    given = parser.parse_args()
    for name in [given.only] if given.only else CASES:
        try:
            check_data(name, given.data_root)
        except rebuttal.InputError as error:
            print(f"{name}: left out: {error}")
            continue
        case, began = CASES[name], time.process_time()
        found = accuracies(name, case, range(given.seeds), given.data_root)
        percent = ", ".join(f"{100 * one:.1f}" for one in found)
        print(
            f"{name}: {100 * sum(found) / len(found):.1f} % on test data ({percent}); published: {case.published}; "
            f"{(time.process_time() - began) / given.seeds:.0f} s a seed"
        )


if __name__ == "__main__":
    main()
