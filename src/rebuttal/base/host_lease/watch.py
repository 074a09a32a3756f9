"""The load beside a timed run: how much other processes use its cores, and whether the run stood still."""

import os
import threading
import time
from typing import Any

import psutil

TICK_S = 1.0


class Watch:
    """Watches from when it is made until it is closed; reading it changes nothing."""

    def __init__(self) -> None:
        self._cores = _cores()
        self._began_s, self._busy_s, self._own_s = time.monotonic(), _busy_s(self._cores), _own_s()
        self._slept_s, self._still_s = _suspended_s(), 0.0
        self._over = threading.Event()
        threading.Thread(target=self._tick, name="watch", daemon=True).start()

    def read(self) -> dict[str, Any]:
        """Since it was made: cores, cores that others used on average, longest time for which nothing ran here."""
        lasted_s = max(time.monotonic() - self._began_s, 1e-9)
        own_s, busy_s = _own_s() - self._own_s, _busy_s(self._cores) - self._busy_s
        still_s = max(self._still_s, _suspended_s() - self._slept_s)
        others = max(0.0, busy_s - own_s) / lasted_s
        return {
            "cores": len(self._cores),
            "others_cores": round(others, 3),
            "stood_still_s": round(still_s, 2),
        }

    def close(self) -> None:
        """Watch no longer."""
        self._over.set()

    def _tick(self) -> None:
        before = time.monotonic()
        while not self._over.wait(TICK_S):
            now = time.monotonic()
            self._still_s, before = max(self._still_s, now - before - TICK_S), now


def _cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _busy_s(cores: list[int]) -> float:
    """Seconds for which these cores have not been idle since the system started, added up."""
    times = psutil.cpu_times(percpu=True)
    known = [times[core] for core in cores if core < len(times)]
    return sum(sum(each[:8]) - each.idle - getattr(each, "iowait", 0.0) for each in known)


def _own_s() -> float:
    """CPU seconds of this process and of all that it started, of those that have ended too."""
    total, here = 0.0, psutil.Process()
    for process in [here, *here.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.Error:  # it has ended since: its parent has its seconds now
            continue
    return total


def _suspended_s() -> float:
    """Seconds for which the system slept since it started, where it tells."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
