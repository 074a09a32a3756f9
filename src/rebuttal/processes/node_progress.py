"""How far each node is, in memory that outlives it: what is said of a node that was killed."""

import mmap
import struct
from pathlib import Path

FORM = struct.Struct("<qqq")


class Progress:
    """(computations begun, computations made, versions made) of each of some nodes, in a file that all of them map."""

    def __init__(self, folder: Path, nodes: int) -> None:
        path = folder / "progress"
        with path.open("a+b") as file:
            file.truncate(nodes * FORM.size)
            self._memory = mmap.mmap(file.fileno(), nodes * FORM.size)

    def note(self, node: int, begun: int, made: int, versions: int) -> None:
        """A node is this far."""
        FORM.pack_into(self._memory, node * FORM.size, begun, made, versions)

    def of(self, node: int) -> tuple[int, int, int]:
        """How far a node was when it last said so."""
        begun, made, versions = FORM.unpack_from(self._memory, node * FORM.size)
        return begun, made, versions

    def all(self) -> bytes:
        """Something that changes when any node gets on."""
        return self._memory[:]
