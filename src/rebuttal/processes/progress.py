"""How far each node is, in memory that outlives it: what is said of a node that was killed."""

import mmap
import struct
from pathlib import Path

FORM = struct.Struct("<qq")


class Progress:
    """(computations, versions) that each of `nodes` nodes has made, in a file that all of them map."""

    def __init__(self, folder: Path, nodes: int) -> None:
        path = folder / "progress"
        with path.open("a+b") as file:
            file.truncate(nodes * FORM.size)
            self._memory = mmap.mmap(file.fileno(), nodes * FORM.size)

    def note(self, node: int, computations: int, versions: int) -> None:
        """A node is this far."""
        FORM.pack_into(self._memory, node * FORM.size, computations, versions)

    def of(self, node: int) -> tuple[int, int]:
        """How far a node was when it last said so."""
        computations, versions = FORM.unpack_from(self._memory, node * FORM.size)
        return computations, versions

    def all(self) -> bytes:
        """Something that changes when any node gets on."""
        return self._memory[:]
