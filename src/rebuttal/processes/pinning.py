"""A core for each process, as MPI launchers bind them: otherwise two nodes that wake each other may share one.

No torch.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

STATISTICS = Path("/proc/stat")
LOOK_S = 0.2


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else list(range(os.cpu_count() or 1))


def quiet_cores() -> tuple[int, ...]:
    """The same, those first that are idle now; none where processes cannot be bound (on macOS)."""
    if sys.platform != "linux":
        return ()
    before = _busy()
    time.sleep(LOOK_S)
    now = _busy()
    return tuple(sorted(cores(), key=lambda core: now.get(core, 0) - before.get(core, 0)))


def pin(number: int, to: Sequence[int]) -> None:
    """Keep this process on one of these cores, by its number; none: where the system likes."""
    if to:
        os.sched_setaffinity(0, {to[number % len(to)]})


def _busy() -> dict[int, int]:
    """Ticks that each core was not idle, as far as the system says."""
    if not STATISTICS.is_file():
        return {}
    rows = [line.split() for line in STATISTICS.read_text().splitlines()]
    of_cores = [row for row in rows if row and row[0].startswith("cpu") and row[0] != "cpu"]
    return {int(name[3:]): sum(map(int, ticks)) - int(ticks[3]) for name, *ticks in of_cores}
