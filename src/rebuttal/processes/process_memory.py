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
from rebuttal.processes.journal import Journal
from rebuttal.processes.log import Carried
from rebuttal.processes.values import NamedTask, first_name, packed, unpacked

LOOK_AGAIN_S = 0.0002
COUNTER, COUNTER_BYTES = "versions", 8


class ProcessCells:
    """One node's view of the memory in `folder`. `go_on` is called while it waits, and raises to end that.

    What goes between two nodes is noted in the journal, as a virtual cluster's record has it. `unowned`: what has the
    cells that no node owns, if not this.
    """

    def __init__(
        self, folder: Path, task: NamedTask, journal: Journal, go_on: Callable[[], None], unowned: Any = None
    ) -> None:
        self._folder, self._task, self._journal, self._go_on = folder, task, journal, go_on
        self._unowned, self._node = unowned or self, journal.log.node
        self._files: dict[str, int] = {}

    def of(self, at: int | None) -> Any:
        """What reads, writes and modifies the cells of this owner."""
        return self._unowned if at is None else self

    def read(self, cell: str, at: int | None) -> Any:
        """The content of the cell; waits for its first content."""
        while True:
            with self._locked(file_of(cell, at), fcntl.LOCK_SH) as file:
                content, found_s = _content(file), time.monotonic()
            if content:
                value = unpacked(content, self._task)
                self._note(at, self._node, f"read {cell}", value, len(content), found_s)
                return value
            self._go_on()
            time.sleep(LOOK_AGAIN_S)

    def write(self, cell: str, at: int | None, value: Any) -> None:
        """Put a value over whatever is there."""
        start_s, content = time.monotonic(), packed(value)
        with self._locked(file_of(cell, at), fcntl.LOCK_EX) as file:
            _fill(file, content)
        self._note(self._node, at, f"write {cell}", value, len(content), start_s)

    def modify(self, cell: str, at: int | None, change: Callable[[Any], Any], args: tuple = ()) -> Any:
        """The new content, `change` of the old with `args`, and no other change in between; waits for the first one."""
        start_s = time.monotonic()
        while True:
            with self._locked(file_of(cell, at), fcntl.LOCK_EX) as file:
                content = _content(file)
                if content:
                    value = change(unpacked(content, self._task))
                    _fill(file, packed(value))
                    break
            self._go_on()
            time.sleep(LOOK_AGAIN_S)
        if at not in (None, self._node):
            self._note(self._node, at, f"write {cell}", args, len(packed(args)), start_s)
        return value

    def _note(
        self, source: int | None, to: int | None, tag: str, value: Any, size: int, sent_s: float
    ) -> None:
        if source is not None and to is not None and source != to:
            row = Carried(source, to, tag, first_name(value), size, sent_s, time.monotonic())
            self._journal.log.carried.append(row)

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
