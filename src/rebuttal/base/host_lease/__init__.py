"""A timed run gets exclusive use of the host; ordinary runs share it.

A timed run is one whose seconds support a claim about time. A lease is a lock of the operating system on a file
(flock), which the system releases when a process dies. There are two files: a run passes the door, and then holds the
room while it computes. A timed run keeps the door shut while it waits for the room to empty, so that a stream of
ordinary runs cannot keep it waiting. Leases only bind runs of this package by one user; the load of other processes is
measured (`rebuttal.base.host_lease.watch`).

`filelock.ReadWriteLock` would not do: it locks by an SQLite database, which no forked process may use, and workers of a
study are forked.
"""

import contextlib
import contextvars
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebuttal.base.errors import RunError, refuse
from rebuttal.base.host_lease.watch import Watch

try:
    import fcntl
except ImportError:  # a system without such locks: no run is alone there, and says so
    fcntl = None

FOLDER = "REBUTTAL_LEASES"  # the environment variable that names another folder for the files
PATIENCE_S = 60.0  # for which a timed run waits for others to end
LOOK_S = 0.02
SAID_AFTER_S = 5.0  # for which an ordinary run waits without a word
LIMIT_S = 6 * 3600.0  # for which it waits at all: longer than any measurement of ours
SPARE = 0.15  # of a core, that a system uses for itself
STOPPED_S = 5.0  # a run that stood still for longer was stopped, and went on

#: How often the present unit of work was begun: more than once where a worker was lost over it.
attempt: contextvars.ContextVar[int] = contextvars.ContextVar("attempt", default=1)
_alone: contextvars.ContextVar[bool] = contextvars.ContextVar("alone", default=False)


@dataclass(frozen=True)
class Lease:
    """The lease of a timed run that computes in `processes` processes; `exclusive`: whether nobody shared the host."""

    exclusive: bool
    waited_s: float
    processes: int
    attempt: int
    watch: Watch = field(default_factory=Watch)

    def about(self) -> dict[str, Any]:
        """For provenance, as of now. `why_not`: the reasons why its seconds support no claim about time; may be empty.

        others_cores: how many of the `cores` other processes used, on average.
        """
        seen = self.watch.read()
        found = {"exclusive": self.exclusive, "waited_s": round(self.waited_s, 2), "processes": self.processes,
                 "attempt": self.attempt, **seen}  # fmt: skip
        reasons = why_not(found)
        return found | {"supports_timing": not reasons, "why_not": reasons}


def why_not(found: Mapping[str, Any], processes: int | None = None) -> list[str]:
    """Why the seconds of a lease (`Lease.about`) support no claim about time; those of so many processes, if fewer."""
    return list(_reasons({**found, "processes": processes or found["processes"]}))


def _reasons(found: dict[str, Any]) -> Iterator[str]:
    processes, cores, others = found["processes"], found["cores"], found["others_cores"]
    if not found["exclusive"]:
        yield "contended: other runs shared the host"
    if processes > cores:
        yield f"more processes than cores: {processes} on {cores}"
    elif others > cores - processes + SPARE:
        yield f"contended: other programs used {others:.1f} of {cores} cores"
    if found["attempt"] > 1:
        yield f"resumed: begun {found['attempt']} times, since a worker was lost"
    if found["stood_still_s"] > STOPPED_S:
        yield f"resumed: it stood still for {found['stood_still_s']:.0f} s"


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """Share the host with other ordinary runs; waits for a timed run to end."""
    if fcntl is None or _alone.get():
        yield
        return
    with _opened("door") as door, _opened("room") as room:
        for file in (door, room):
            _awaited(file, door)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


def _awaited(file: int, door: int) -> None:
    """Share a file as soon as no timed run has it; say whom it waits for, once that takes long.

    Raises:
        RunError: it has waited for LIMIT_S, as for a run that was stopped and not ended.
    """
    assert fcntl is not None, "asked only where the system has locks"
    began, told = time.monotonic(), False
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        waited_s = time.monotonic() - began
        if waited_s > LIMIT_S:
            raise RunError(f"waited {waited_s:.0f} s for {_holder(door)}, which has this host to itself")
        if waited_s > SAID_AFTER_S and not told:
            sys.stderr.write(f"waiting for {_holder(door)} to end its measurement\n")
            told = True
        time.sleep(LOOK_S)


def _holder(door: int) -> str:
    """The timed run that has the door, which notes its process there."""
    noted = os.pread(door, 32, 0).decode(errors="replace")
    return f"the timed run of process {noted}" if noted.isdigit() else "a timed run"


@contextlib.contextmanager
def exclusive(processes: int = 1, patience_s: float = PATIENCE_S) -> Iterator[Lease]:
    """Exclusive use of the host, for a timed run of so many processes.

    If other runs still use the host after `patience_s`, the timed run shares it, and its lease says so.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        granted = fcntl is not None and _granted(stack, began + patience_s)
        if not granted:
            stack.enter_context(shared())
        token = _alone.set(granted)
        stack.callback(_alone.reset, token)
        lease = Lease(granted, time.monotonic() - began, processes, attempt.get())
        stack.callback(lease.watch.close)
        yield lease


def _granted(stack: contextlib.ExitStack, until: float) -> bool:
    """Whether the room was empty in time. If so, both locks are held until the stack is unwound."""
    with contextlib.ExitStack() as held:
        for name in ("door", "room"):
            file = held.enter_context(_opened(name))
            if not _locked(file, until):
                return False
            _note_process(file)
        stack.push(held.pop_all())
    return True


def _note_process(file: int) -> None:
    """Note who has a file, for others to say whom they wait for."""
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)


def _locked(file: int, until: float) -> bool:
    assert fcntl is not None, "asked only where the system has locks"
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[int]:
    """A file to lock. Closing it gives the lock back; no process that is started meanwhile inherits it."""
    file = os.open(_folder() / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _folder() -> Path:
    """The folder of the files: this user's alone, for who can write there can keep others waiting.

    Raises:
        InputError: somebody else made it, or it is open to others.
    """
    given, own = os.environ.get(FOLDER), os.environ.get("XDG_RUNTIME_DIR", "")
    private = bool(own) and _is_private(Path(own))
    folder = Path(given or (Path(own) / "rebuttal-leases" if private else _temporary()))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(folder):
        allowed = f"a folder of this user's own with mode 700; or another one, named by {FOLDER}"
        raise refuse(FOLDER, str(folder), allowed)
    return folder


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"rebuttal-leases-{os.getuid()}"


def _is_private(folder: Path) -> bool:
    """Whether it is a folder and no link, is this user's, and can be written by nobody else."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not others
