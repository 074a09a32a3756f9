"""The virtual clock against a real one: predicted and measured seconds per update on processes of this host.

Two predictions. `paced`: gradients last a stated time, times the drawn factor of an exponential straggler, on both
clocks; what is left is what messages, updates and Python cost. `measured`: nothing is injected, and the virtual machine
`loopback` has the costs that are profiled here, just before. Medians over rounds. Trust neither on a busy machine.

    python benchmarks/calibration.py [--rounds 3] [--write reference/calibration.json]
"""

import argparse
import json
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from rebuttal.costs import Costs
from rebuttal.devices import identity
from rebuttal.machines import MACHINES, Stated
from rebuttal.processes.launcher import record
from rebuttal.profiling import write_profile
from rebuttal.simulation import simulate
from rebuttal.stragglers import STRAGGLERS

METHODS: dict[str, tuple[dict[str, Any], int]] = {
    "mini_batch": ({}, 1),
    "all_reduce": ({}, 2),
    "synchronous": ({}, 2),
    "asynchronous": ({}, 2),
    "backup_workers": ({"b": 1}, 3),
}
WORKLOAD, BATCH, UPDATES, PACE_S, STRAGGLER = "digits_mlp", 32, 150, 0.02, "exponential"


def compared(name: str, rounds: int, costs: Costs, *, paced: bool) -> dict[str, float]:
    """Predicted and measured seconds per update of one method, medians over seeds."""
    options, workers = METHODS[name]
    machine, injected = MACHINES["loopback"], {}
    if paced:
        injected = {"stragglers": STRAGGLER, "pace_s": PACE_S}
        stated = Stated(PACE_S, costs.update_s, costs.weight_bytes, "the injected pace; else as profiled")
        machine = replace(machine, compute=stated, stragglers=STRAGGLERS[STRAGGLER])
    known = {"workload": WORKLOAD, "workers": workers, "updates": UPDATES, "options": options}
    predicted_s, measured_s = [], []
    for seed in range(rounds):
        predicted_s.append(simulate(name, machine=machine, costs=costs, seed=seed, **known).end_s / UPDATES)
        real = record(name, seed=seed, checksums_every=UPDATES, **injected, **known)
        measured_s.append(real.end_s / UPDATES)
    return {"predicted_s": statistics.median(predicted_s), "measured_s": statistics.median(measured_s)}


def profiled() -> Costs:
    """What the workload costs here and now."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json"
        write_profile({WORKLOAD: (BATCH,)}, "cpu", path)
        return Costs.read(path, WORKLOAD, BATCH)


def main() -> None:
    """Print a line for each method and prediction, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    costs, found = profiled(), {}
    for kind in ("paced", "measured"):
        for name in METHODS:
            row = compared(name, given.rounds, costs, paced=kind == "paced")
            found[f"{kind} {name}"] = row
            times = row["measured_s"] / row["predicted_s"]
            print(
                f"{kind} {name}: predicted {1e3 * row['predicted_s']:.2f} ms per update, "
                f"measured {1e3 * row['measured_s']:.2f} ms ({times:.2f} times)"
            )
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        report = {"device": identity("cpu"), "rounds": given.rounds, "updates": UPDATES, "runs": found}
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
