"""The files of a folder or a zip, by name: what image_files reads from."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rebuttal.base.errors import InputError


@dataclass(frozen=True)
class Tree:
    """Names of the files below a folder or in a zip and of the folders there, and how to read a file."""

    root: Path
    files: tuple[str, ...]
    folders: frozenset[str]
    read: Callable[[str], bytes]


def tree_of(path: Path) -> Tree:
    """The files of a folder or zip. Raises InputError: nothing is there, or the zip is damaged."""
    return _folder(path) if path.is_dir() else _zip(path)


def stamp(path: Path) -> str:
    """A text that changes when a file below the path is added, removed or written to, whatever dates are given to it.

    Raises InputError.
    """
    if not path.exists():
        raise bad(path, "there is nothing")
    below = [path, *(Path(entry) for entry in _below(path))] if path.is_dir() else [path]
    states = [
        f"{place.relative_to(path)} {stat.st_size} {stat.st_ctime_ns}"
        for place in below
        for stat in [place.stat()]
    ]
    return hashlib.sha256("\n".join(sorted(states)).encode()).hexdigest()


def digest(path: Path) -> str:
    """The SHA-256 of a zip, or of the names and contents of all files below a folder. Raises InputError."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if not path.is_dir():
        raise bad(path, "there is nothing")
    tree = tree_of(path)
    lines = [f"{name}\0{hashlib.sha256(tree.read(name)).hexdigest()}" for name in tree.files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def bad(path: Path, what: str) -> InputError:
    """The one-line error for images that cannot be used."""
    return InputError(
        f"images: got '{path}', where {what}; allowed: a folder or a zip with train/CLASS/image and "
        "test/CLASS/image, or CLASS/image"
    )


def _folder(path: Path) -> Tree:
    found = [Path(entry) for entry in _below(path)]
    files, folders = [], set()
    for entry in found:
        name = entry.relative_to(path).as_posix()
        if entry.is_dir():
            folders.add(name)
        else:
            files.append(name)
    return Tree(path, tuple(sorted(files)), frozenset(folders), lambda name: (path / name).read_bytes())


def _below(path: Path, above: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every entry below a folder. Raises InputError for a link to nothing, and for one to a folder above it."""
    above |= {os.path.realpath(path)}
    with os.scandir(path) as found:
        entries = list(found)
    for entry in entries:
        if entry.is_symlink() and (not Path(entry.path).exists() or os.path.realpath(entry.path) in above):
            raise bad(Path(entry.path), "a link leads to nothing, or to a folder that it is in")
        yield entry.path
        if entry.is_dir():
            yield from _below(Path(entry.path), above)


def _zip(path: Path) -> Tree:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise bad(path, "the file is no whole zip") from error
    files = [name for name in archive.namelist() if not name.endswith("/")]
    folders = {name.rstrip("/") for name in archive.namelist() if name.endswith("/")}
    for name in files:  # a zip need not list its folders
        while (name := name.rpartition("/")[0]) and name not in folders:
            folders.add(name)
    return Tree(path, tuple(sorted(files)), frozenset(folders), archive.read)
