"""Units of work that a test sends to the workers of a grid."""

import os
import time
from pathlib import Path

from rebuttal.base import host_lease, paths
from rebuttal.base.errors import InputError
from rebuttal.machines import costs


def noted(number, seconds=0.15):
    """The square, some time later; which process computed it is in a result file."""
    time.sleep(seconds)
    place = paths.results() / "units" / f"{number}.txt"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(str(os.getpid()))
    return number**2


def timed(marker):
    """What a timed run's lease says. At the first time it only says who it is, and waits for its end."""
    with host_lease.exclusive() as lease:
        if not Path(marker).exists():
            Path(marker).write_text(str(os.getpid()))
            time.sleep(60)
        return lease.about()


def priced(paper):
    """The profile that is run, and the workloads whose costs are known here."""
    own = paths.papers() / paper / "own" / "costs.json"
    there = [path.is_file() for path in paths.devices().glob("another.json")]
    known = [name for path in (paths.device_costs(), own) for name in costs.read_profile(path).workloads]
    return paths.profile(), [f"another is {'' if any(there) else 'not '}there", *known]


def refused(number):
    """Bad input that shows only where it is read."""
    raise InputError(f"number: got {number}; allowed: another one")
