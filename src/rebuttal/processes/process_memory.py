"""Memory that all nodes of a host see: cells of one-sided access and of threads, and a counter of shared versions.

A cell is a file in memory, and its lock is the file's. A lock of the system's is given back when its holder dies, so
a killed node leaves nobody waiting. Locks make each access to a cell whole: what a read gives has one name. Tearing
between cells, which is what methods are about, is real.
"""

import contextlib
import fcntl
import os
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rebuttal.base.errors import InputError, refuse
from rebuttal.processes.values import NamedTask, packed, unpacked

LOOK_AGAIN_S = 0.0002
COUNTER, COUNTER_BYTES = "versions", 8


class ProcessCells:
    """One node's view of the memory in `folder`. `go_on` is called while it waits, and raises to end that.

    `unowned`: what has the cells that no node owns, if not this.
    """

    def __init__(self, folder: Path, task: NamedTask, go_on: Callable[[], None], unowned: Any = None) -> None:
        self._folder, self._task, self._go_on, self._unowned = folder, task, go_on, unowned or self
        self._files: dict[str, int] = {}

    def of(self, at: int | None) -> Any:
        """What reads, writes and modifies the cells of this owner."""
        return self._unowned if at is None else self

    def read(self, cell: str, at: int | None) -> Any:
        """The content of the cell; waits for its first content."""
        while True:
            with self._locked(file_of(cell, at), fcntl.LOCK_SH) as file:
                content = _content(file)
            if content:
                return unpacked(content, self._task)
            self._go_on()
            time.sleep(LOOK_AGAIN_S)

    def write(self, cell: str, at: int | None, value: Any) -> None:
        """Put a value over whatever is there."""
        with self._locked(file_of(cell, at), fcntl.LOCK_EX) as file:
            _fill(file, packed(value))

    def modify(self, cell: str, at: int | None, change: Callable[[Any], Any]) -> Any:
        """The new content, `change` of the old, with no other change in between; waits for the cell's first content."""
        while True:
            with self._locked(file_of(cell, at), fcntl.LOCK_EX) as file:
                content = _content(file)
                if content:
                    value = change(unpacked(content, self._task))
                    _fill(file, packed(value))
                    return value
            self._go_on()
            time.sleep(LOOK_AGAIN_S)

    def counted(self) -> tuple[int, float]:
        """(0, 1, 2, … over all nodes that ask; when), so that the times are in the order of the numbers."""
        with self._locked(COUNTER, fcntl.LOCK_EX) as file:
            number = int.from_bytes(os.pread(file, COUNTER_BYTES, 0), "little")
            os.pwrite(file, (number + 1).to_bytes(COUNTER_BYTES, "little"), 0)
            return number, time.monotonic()

    @contextlib.contextmanager
    def _locked(self, name: str, how: int) -> Iterator[int]:
        if name not in self._files:
            self._files[name] = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        file = self._files[name]
        fcntl.flock(file, how)
        try:
            yield file
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


class NoCells:
    """In the place of cells, where nodes are on several hosts: whoever asks for one is refused."""

    def __init__(self, method: str) -> None:
        self._method = method

    def of(self, at: int | None) -> Any:
        """Raises InputError."""
        raise self._refusal()

    def counted(self) -> tuple[int, float]:
        """Raises InputError."""
        raise self._refusal()

    def _refusal(self) -> InputError:
        allowed = "one host for a method that shares memory, or a method that sends messages"
        return refuse("nnodes", f"several hosts for {self._method}", allowed)


def file_of(cell: str, at: int | None) -> str:
    """The name of a cell's file."""
    return f"cell-{'all' if at is None else at}-{urllib.parse.quote(cell, safe='')}"


def _content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _fill(file: int, content: bytes) -> None:
    os.pwrite(file, content, 0)
    os.ftruncate(file, len(content))
