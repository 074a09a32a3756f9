"""Files of named arrays (.npz) that anybody may have made: read as data, whole, and within ceilings.

NumPy's format specification says what a member holds ("NumPy array header format, versions 1.0 and 2.0"). Nothing is
allocated before it is known that the file has it: a header that promises more numbers than follow is refused.
"""

import hashlib
import io
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rebuttal.base.errors import InputError

Arrays = dict[str, np.ndarray]
MEMBERS = 64  # more than any file of ours has
ENDING = ".npy"
READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
#: What a damaged or hostile file makes its readers raise.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    RuntimeError,
    MemoryError,
    AttributeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Ceiling:
    """The most that is read. bytes: of the file, and of its content unpacked. nodes, edges: of a graph in it."""

    bytes: int
    nodes: int
    edges: int


OWN = Ceiling(bytes=2**31, nodes=2**24, edges=2**26)
#: Of a file that a stranger made: less than 1 GiB of memory, and seconds.
STRANGER = Ceiling(bytes=2**25, nodes=400_000, edges=2**22)


def read(path: Path, ceiling: Ceiling = OWN, *, dims: int = 1) -> Arrays:
    """Every array of the file, by name: of at most so many dimensions, in C order, without objects.

    Raises:
        InputError: what is at `path` is no regular file, or a larger one.
        Whatever is in UNREADABLE: it is damaged, or no such file.
    """
    check_size(path, ceiling.bytes)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _check_members(members, ceiling.bytes)
        return {
            member.filename.removesuffix(ENDING): _array(archive.read(member), dims) for member in members
        }


def check_size(path: Path, most_bytes: int) -> None:
    """Raises InputError for what is no regular file, such as a pipe, which may never end, or a larger one."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: got no regular file; allowed: a file")
    size = path.stat().st_size
    if size > most_bytes:
        raise InputError(f"{path}: got {size:,} bytes; allowed: at most {most_bytes:,}")


def digest(arrays: Mapping[str, np.ndarray], text: bytes = b"") -> str:
    """The SHA-256 of `text` and of arrays: their names, types, lengths and bytes, in the order of their names."""
    found = hashlib.sha256(text)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _check_members(members: list[zipfile.ZipInfo], most_bytes: int) -> None:
    names = [member.filename for member in members]
    if len(members) > MEMBERS or len(set(names)) < len(names):
        raise ValueError(f"{len(members)} members, {len(set(names))} names; at most {MEMBERS}, each once")
    size = sum(member.file_size for member in members)
    if size > most_bytes:
        raise ValueError(f"{size:,} bytes unpacked; at most {most_bytes:,}")
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
            raise ValueError(f"{member.filename!r} is encrypted, or packed by another method than Deflate")
        if not member.filename.endswith(ENDING):
            raise ValueError(f"{member.filename!r} is no array")


def _array(content: bytes, dims: int) -> np.ndarray:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in READERS:
        raise ValueError(f"an array of format {version}")
    shape, columns_first, kind = READERS[version](stream)
    left = len(content) - stream.tell()
    if (
        kind.hasobject
        or kind.subdtype
        or kind.names
        or len(shape) > dims
        or (columns_first and len(shape) > 1)
    ):
        raise ValueError(f"an array of type {kind} with {len(shape)} dimensions")
    if kind.itemsize * int(np.prod(shape, dtype=object)) != left:
        raise ValueError(f"an array {shape} of {kind} in {left} bytes")
    return np.frombuffer(content, dtype=kind, offset=stream.tell()).reshape(shape)
