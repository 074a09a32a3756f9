"""Backup workers among real processes with injected lognormal stragglers: measured gain beside order statistics.

Two, three and four workers are needed, with one backup and without. Processes sleep for most of an update, so several
settings are measured at once, and there may be more processes than cores: the file says so, and how much others used
the cores meanwhile. Such seconds support no claim about time; what is tested is the ratio's prediction.

    python benchmarks/straggler_gain.py [--first-seed 0] [--write reference/straggler_gain_benchmark.json]
"""

import argparse
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rebuttal.base import host_lease
from rebuttal.base.devices import identity
from rebuttal.processes.launcher import forking
from rebuttal.studies.calibration.straggler_gain import BATCH, WORKLOAD, GainSetting, gain

NEEDED, STRAGGLERS = (2, 3, 4), ("lognormal", "lognormal_wide")
PACE_S = 0.25  # a hundred times what else an update takes here, on a quiet host


def row(setting: GainSetting) -> dict[str, Any]:
    """One setting, measured and printed."""
    found = gain(setting)
    print(
        f"{setting.needed} of {setting.needed + setting.b} workers, {setting.stragglers}: gain {found['gain']:.3f} "
        f"[{found['low']:.3f}, {found['high']:.3f}], predicted {found['predicted']:.3f}, drawn {found['drawn']:.3f} "
        f"({found['predicted_with_overhead']:.3f} with {1e3 * found['overhead_s']:.1f} ms of overhead): "
        + ("agrees" if found["agrees"] else "does not agree"),
        flush=True,
    )
    return found


def main() -> None:
    """Print a line for each setting, and write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--updates", type=int, default=45)
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    forking("rebuttal.processes.node")
    seeds = range(given.first_seed, given.first_seed + given.repetitions)
    base = GainSetting(2, "", PACE_S, given.updates, tuple(seeds))
    settings = [replace(base, needed=n, stragglers=name) for name in STRAGGLERS for n in NEEDED]
    processes = given.at_once * (max(NEEDED) + base.b + 1)
    with host_lease.exclusive(processes) as lease, ThreadPoolExecutor(given.at_once) as threads:
        device = identity("cpu")
        rows = list(threads.map(row, settings))
        timing = lease.about()
    print(f"{sum(r['agrees'] for r in rows)} of {len(rows)} agree")
    if given.write:
        report = {
            "device": device | {"timing": timing, "priority": os.nice(0)},
            "versions": {name: version(name) for name in ("torch", "numpy", "scipy")},
            "workload": WORKLOAD,
            "batch": BATCH,
            "rows": rows,
        }
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
