"""A real Dask scheduler and real workers on the loopback device, each a process of its own: for tests."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

from distributed import Client

SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
WORKER = "from distributed.cli.dask_worker import main; main()"
SOURCE = Path(__file__).resolve().parents[1] / "src"


KNOWN = {
    "PYTHONPATH": f"{SOURCE}:{Path(__file__).parent}",
    "OMP_NUM_THREADS": "1",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",
}


def process(code, folder, *arguments):
    """An interpreter that is such a program; what it says is in a file of the folder."""
    with (folder / f"{len(list(folder.glob('*.log')))}.log").open("w") as log:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | KNOWN)


class Grid:
    """A scheduler with workers; all of them end with the context that it is made for."""

    def __init__(self, folder, stack):
        self._folder, self._stack = folder, stack
        self.two = []
        file = folder / "scheduler.json"
        arguments = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        self.scheduler = self._started(SCHEDULER, *arguments)
        deadline = time.monotonic() + 30
        while not (file.is_file() and file.read_text().endswith("}")):
            assert time.monotonic() < deadline, (folder / "0.log").read_text()
            time.sleep(0.05)
        self.address = next(line for line in file.read_text().split('"') if line.startswith("tcp://"))

    def workers(self, count, threads=1):
        """More workers, which are there when this returns: a busy machine takes its time."""
        given = [self.address, "--nthreads", str(threads), "--no-nanny", "--no-dashboard"]
        with Client(self.address, timeout=60, set_as_default=False) as client:
            before = len(cast("dict[str, int]", client.nthreads()))
            made = [self._started(WORKER, *given) for _ in range(count)]
            client.wait_for_workers(before + count, timeout=120)
        return made

    def _started(self, code, *arguments):
        made = process(code, self._folder, *arguments)
        self._stack.callback(made.wait)
        self._stack.callback(made.kill)
        return made


@contextlib.contextmanager
def grid(folder):
    """A scheduler without workers yet."""
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        yield Grid(folder, stack)
