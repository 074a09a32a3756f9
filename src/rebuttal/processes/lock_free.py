"""Memory of the machine that all nodes read and write as they please: no lock, neither around reads nor around writes.

A cell is a file in memory that every node maps: the label of the last write that was finished, then the numbers. A
node copies what is there, though another may be writing. It adds what it has computed, number by number, whether or
not others have added to them since (Niu et al. 2011); what two nodes add to one number at the same moment may be lost.

A label says who wrote, and is one word, written whole. By it a reader knows the last write that it surely sees, which
is what the timeline has; how much of a later one it sees too, nobody can say.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rebuttal.processes.journal import Journal
from rebuttal.processes.process_memory import LOOK_AGAIN_S, file_of
from rebuttal.processes.values import Name, Named, NamedTask, name_of

HEADER = np.dtype(np.int64)  # label, then the shape [tensors, numbers of each]
HEADER_WORDS = 3
NODE_BITS = 40  # of a label, what is above them is the node, what is below its count of writes


@dataclass(frozen=True, slots=True)
class _Cell:
    """The words of the header, and the numbers [tensors, P], both mapped."""

    header: np.ndarray
    numbers: Tensor

    @staticmethod
    def of(path: Path) -> "_Cell":
        header = np.memmap(path, HEADER, "r+", shape=(HEADER_WORDS,))
        shape = (int(header[1]), int(header[2]))
        numbers = np.memmap(path, np.float32, "r+", offset=HEADER_WORDS * HEADER.itemsize, shape=shape)
        return _Cell(header, torch.from_numpy(numbers))

    def copy(self) -> tuple[Tensor, ...]:
        """The tensors [1, P] of the state that is found."""
        return tuple(row.clone() for row in self.numbers.split(1))


class LockFreeCells:
    """One node's view of the memory in `folder`. `go_on` is called while it waits, and raises to end that."""

    def __init__(self, folder: Path, task: NamedTask, journal: Journal, go_on: Callable[[], None]) -> None:
        self._folder, self._task, self._journal, self._go_on = folder, task, journal, go_on
        self._cells: dict[str, _Cell] = {}
        self._writes = 0

    def read(self, cell: str, at: int | None = None) -> Named:
        """A state as it was found, perhaps torn; waits for the cell's first content."""
        found = self._awaited(cell)
        state, label = self._seen(found)
        self._count(found, label)
        return state

    def write(self, cell: str, at: int | None, state: Named) -> None:
        """Put a state over whatever is there."""
        numbers, label = torch.cat(state.value), self._label(state)
        if self._created(cell, label, numbers):
            return
        found = self._awaited(cell)
        found.numbers.copy_(numbers)
        found.header[0] = label

    def modify(self, cell: str, at: int | None, change: Callable[[Named], Named], args: tuple = ()) -> Named:
        """The new content of the cell: each number has moved by what `change` adds to it, whatever it was before."""
        found = self._awaited(cell)
        old, label = self._seen(found)
        new = change(old)
        to, was = torch.cat(new.value), torch.cat(old.value)
        step = to - was
        found.numbers.add_(step)
        found.numbers.add_(
            to - (was + step)
        )  # what rounding left: alone, a node writes what it computed, to the bit
        self._count(found, label)
        found.header[0] = self._label(new)
        return Named(new.name, found.copy(), self._task.derive)

    def _seen(self, cell: _Cell) -> tuple[Named, int]:
        """A copy of a cell's numbers, and the label of the last write that is certainly in it."""
        label = int(cell.header[0])
        return Named(_name(label), cell.copy(), self._task.derive), label

    def _count(self, cell: _Cell, label: int) -> None:
        """One more access; whether another node's write ended in it."""
        self._journal.log.accesses += 1
        self._journal.log.overtaken += int(cell.header[0]) != label

    def _label(self, state: Named) -> int:
        """For this node's next write."""
        self._writes += 1
        label = self._journal.log.node << NODE_BITS | self._writes
        self._journal.log.labels[_name(label)] = state.name
        return label

    def _awaited(self, cell: str) -> _Cell:
        path = self._folder / file_of(cell, None)
        while cell not in self._cells:
            if path.exists():
                self._cells[cell] = _Cell.of(path)
            else:
                self._go_on()
                time.sleep(LOOK_AGAIN_S)
        return self._cells[cell]

    def _created(self, cell: str, label: int, numbers: Tensor) -> bool:
        """Whether this is the cell's first content, which appears whole."""
        path, new = self._folder / file_of(cell, None), self._folder / f"{label}.new"
        header = np.array([label, *numbers.shape], HEADER)
        new.write_bytes(header.tobytes() + numbers.numpy().tobytes())
        try:
            os.link(new, path)
        except FileExistsError:
            return False
        finally:
            new.unlink()
        return True


def _name(label: int) -> Name:
    """By which the state that was written with this label is known until it is known what it was."""
    return name_of("labelled", (), (label >> NODE_BITS, label & ((1 << NODE_BITS) - 1)))
