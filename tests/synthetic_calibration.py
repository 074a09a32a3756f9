"""A calibration as its stage writes it, with made-up seconds: for tests of what reads it."""

import itertools
import json
from pathlib import Path

from rebuttal.base import seeding
from rebuttal.core import results
from rebuttal.processes.pytorch_baseline_table import SHIPPED
from rebuttal.studies.calibration.rows import dataset

METHODS = ("all_reduce", "asynchronous", "gpipe", *SHIPPED)
COSTS = ("request", "gradient", "oversleep", "forward of layer 0", "backward of layer 0", *(
    f"{name}{suffix}" for name in ("sending", "hop", "exchange", "reducing", "reading", "writing")
    for suffix in ("", ", each byte")
))  # fmt: skip
ATTRIBUTES = {
    "clock": "measured", "profile": "quick", "cores": 4, "threads": 1, "load_before": 0.5, "load_after": 2.5,
    "supports_timing": "[2]", "more_processes_than_cores": "[]", "batch": 32, "updates": 25, "pace_s": 0.003,
    "device": json.dumps({"name": "synthetic device"}), "versions": json.dumps({"torch": "0.0"}),
}  # fmt: skip
OFF = {"all_reduce": 0.1, "asynchronous": -0.2, "gpipe": 0.4}  # of the prediction, relative


def made(nodes=(2, 4), repetitions=3):
    """The dataset; predictions are off by OFF, and by nothing else."""
    drawn = seeding.generator(0, "synthetic calibration")
    runs, costs = [], []
    for n, workload, repetition in itertools.product(nodes, ("small", "large"), range(repetitions)):
        place = {"nodes": n, "workload": workload, "repetition": repetition}
        costs += [place | {"cost": name, "cost_s": 1e-4 * float(drawn.random())} for name in COSTS]
        for name, stragglers in itertools.product(METHODS, ("none", "lognormal")):
            if stragglers == "none" or (workload == "small" and name in OFF):
                seconds = 1e-3 * int(n) * (1 + float(drawn.random()))
                predicted = seconds * (1 + OFF.get(name, float("nan")))
                run = {
                    "method": name,
                    "stragglers": stragglers,
                    "measured_s": seconds,
                    "predicted_s": predicted,
                }
                runs.append(place | run)
    return dataset(runs, costs, METHODS).assign_attrs(ATTRIBUTES)


def write(folder: Path) -> None:
    """Write calibration.nc into a folder of results."""
    results.save(made(), folder / "calibration.nc")
