"""The virtual clock against a real one: predicted and measured seconds per update on processes of this host.

The calibration of `rebuttal.studies.calibration`, of any profile, without the pipeline. On a busy host it says more
about the neighbours than about the clock; `supports_timing` says for how many processes it was quiet enough.

    python benchmarks/calibration.py [--profile full] [--nodes 2 4] [--write reference/calibration.json]
"""

import argparse
import json
from pathlib import Path

from rebuttal.figures import calibration_error, calibration_shipped
from rebuttal.processes.launcher import forking
from rebuttal.studies.calibration.campaign import calibrate
from rebuttal.studies.calibration.grid import GRIDS, grid_on


def main() -> None:
    """Print every method's error, and what they are in all; write them if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", choices=GRIDS, default="quick")
    parser.add_argument(
        "--nodes", type=int, nargs="+", default=(), help="numbers of processes (default: the profile's)"
    )
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    forking("rebuttal.processes.pytorch_baseline_node")
    data = calibrate(grid_on(given.profile, given.nodes))
    errors = calibration_error.rows(data)
    said = [calibration_error.finding(data), calibration_shipped.finding(data)]
    print(errors.to_string(float_format="{:.1f}".format), *said, sep="\n")
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        report = {"about": data.attrs, "said": said, "errors_percent": errors.to_dict("records")}
        given.write.write_text(json.dumps(report, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
