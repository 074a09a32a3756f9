"""A process tied to its parent is gone soon after the parent is killed, however it was started."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

GONE_WITHIN_S = 20  # on a machine that does much else; whoever is left would be there for 60

POOL_GONE_WITHIN_S = 2

CHILD = """
import sys, time
from rebuttal.base import parent_death
{before}
parent_death.tie_to_parent()
print("tied", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
subprocess.Popen({command!r})
time.sleep(60)
"""


def killed_parent(command):
    """Start a parent of `command`, kill it once that is tied, and see both gone in time; the parent's status."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(command=command)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    try:
        assert parent.stdout.readline() == "tied\n"
        assert parent.poll() is None
        parent.send_signal(signal.SIGKILL)
        parent.communicate(
            timeout=GONE_WITHIN_S
        )  # reads until the last process that holds the pipe has ended
    finally:
        parent.kill()
        parent.stdout.close()
    return parent.returncode


@pytest.mark.parametrize(
    "before",
    ["", "parent_death.ask_kernel = lambda: None", "parent_death._watch = lambda family: None"],
    ids=["both", "thread alone", "kernel alone"],
)
def test_a_child_dies_with_its_killed_parent(before):
    if "_watch" in before and sys.platform != "linux":
        before = ""
    command = [sys.executable, "-c", CHILD.format(before=before)]
    assert killed_parent(command) == -signal.SIGKILL


def test_a_child_dies_although_a_shell_between_it_and_the_killed_parent_lives_on(tmp_path):
    (tmp_path / "child.py").write_text(CHILD.format(before=""))
    command = ["/bin/sh", "-c", f"{sys.executable} {tmp_path / 'child.py'}; true"]
    assert killed_parent(command) == -signal.SIGKILL


def test_a_child_whose_parent_lives_ends_as_usual():
    code = CHILD.format(before="").replace("time.sleep(60)", "time.sleep(0.7)")
    done = subprocess.run([sys.executable, "-c", code], timeout=20, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "tied\n")


def test_tying_twice_starts_one_thread_and_a_fork_is_tied_anew():
    code = """
import os, threading
from rebuttal.base.parent_death import tie_to_parent
tie_to_parent(); tie_to_parent()
assert [thread.name for thread in threading.enumerate()].count("lifeline") == 1
child = os.fork()
if child == 0:
    tie_to_parent()
    os._exit(0 if [thread.name for thread in threading.enumerate()].count("lifeline") == 1 else 3)
assert os.waitpid(child, 0)[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], timeout=20, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


POOL = """
import time
from rebuttal.studies.runs.pool import run_all
if __name__ == "__main__":
    print("begins", flush=True)
    run_all(time.sleep, [(60,), (60,)], "sleep", preload=["asyncio", "numpy"])
"""


def marked(mark):
    """Numbers of the processes that have a mark in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended while we looked
            if mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc, which only Linux has")
def test_nobody_is_left_of_a_pool_whose_owner_is_killed_while_it_starts(tmp_path):
    (tmp_path / "pool.py").write_text(POOL)
    random = np.random.default_rng(0)
    for number, waits_s in enumerate([0.0, *random.uniform(0, 1.5, 3)]):
        mark = f"{tmp_path.name}-{number}".encode()
        owner = subprocess.Popen(
            [sys.executable, tmp_path / "pool.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=os.environ | {"MARK": mark.decode()},
        )  # fmt: skip
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"begins\n"
        time.sleep(waits_s)
        owner.kill()
        owner.wait()
        owner.stdout.close()
        end = time.monotonic() + POOL_GONE_WITHIN_S
        while left := marked(mark):
            assert time.monotonic() < end, f"killed after {waits_s:.2f} s: {left} are left"
            time.sleep(0.05)
