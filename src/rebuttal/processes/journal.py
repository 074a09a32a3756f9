"""A node's notes in a file of its own, in memory that outlives the node. No torch.

They are written before anybody hears of what they are about, so whatever a node that was killed has sent can be proved.
"""

import pickle
from collections.abc import Callable
from pathlib import Path

from rebuttal.processes.log import Definition, Log, Name


class Journal:
    """The journal of one node. `log` holds the notes since the last write.

    `defined` and `arrived` give what there is new of definitions and of arrivals, which others note.
    """

    def __init__(
        self,
        folder: Path,
        node: int,
        defined: Callable[[], dict[Name, Definition]],
        arrived: Callable[[], dict[tuple[int, int], float]],
    ) -> None:
        self.log = Log(node)
        self._defined, self._arrived = defined, arrived
        self._path = _path(folder, node)
        self._file = self._path.open("ab")

    def write(self) -> None:
        """Write what is new; when this returns, it outlives the node."""
        self.log.definitions, self.log.arrived_s = self._defined(), self._arrived()
        pickle.dump(self.log, self._file, pickle.HIGHEST_PROTOCOL)
        self._file.flush()
        self.log = Log(self.log.node)

    def close(self) -> None:
        """Write what is new, for the last time."""
        self.write()
        self._file.close()

    def content(self) -> bytes:
        """All that is written, for a launcher that cannot see the file."""
        return self._path.read_bytes()


def keep(folder: Path, node: int, content: bytes) -> None:
    """Put the notes of a node on another host where `written` finds them."""
    _path(folder, node).write_bytes(content)


def written(folder: Path, node: int) -> Log:
    """All that a node wrote. A note that was cut off when the node was killed is left out: no other node saw it."""
    found = Log(node)
    with _path(folder, node).open("rb") as file:
        while True:
            try:
                found.extend(pickle.load(file))  # noqa: S301 - our own node's, in a folder of this user's alone
            except (EOFError, pickle.UnpicklingError):
                return found


def _path(folder: Path, node: int) -> Path:
    return folder / f"{node}.notes"
