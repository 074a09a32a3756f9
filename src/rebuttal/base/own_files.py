"""What a Python file of a user's own brings in from beside it, read off its source: other Python files, and data.

A file is beside another where an import, or a string, of that one can mean it: in the same folder, in one above it
within the project, or in folders of either. Where Python looks besides (PYTHONPATH, installed packages) is not seen.
"""

import ast
import functools
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from rebuttal.base import paths
from rebuttal.base.errors import InputError

Name = tuple[int, str]  # how many folders up a relative import begins, and dotted parts
LONGEST = 256  # bytes of a string that names a file
PACKAGE = Path(__file__).resolve().parents[1]  # not walked: its code has a hash of its own, and it is large


def closure(path: Path) -> dict[Path, bytes]:
    """The file and the Python files beside it that it can bring in, each with its content; the file comes first."""
    found: dict[Path, bytes] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found[file] = file.read_bytes()
        names, strings = _names(found[file])
        for level, dotted in (*names, *((0, text) for text in map(_dotted, strings) if text)):
            folders = [file.parents[level - 1]] if level else _folders(file)
            beside = (one for folder in folders for one in _modules(folder, dotted))
            waiting += (one for one in beside if not one.is_relative_to(PACKAGE))
    return found


def digest(path: Path, found: Mapping[Path, bytes] | None = None) -> str:
    """The SHA-256 of a file of code; where it brings in others, of names and contents of all. found: its `closure`."""
    files = found or closure(path)
    if len(files) == 1:
        return hashlib.sha256(files[path]).hexdigest()
    return _of_all({os.path.relpath(file, path.parent): content for file, content in files.items()})


def digest_with_data(path: Path) -> str:
    """As `digest`, with the content of every other file that a string in the code names, patterns (`*`) included."""
    code = closure(path)
    named = {
        f"{text} {one.name}": one.read_bytes()
        for file, content in code.items()
        for text in _names(content)[1]
        for folder in _folders(file)
        for one in _files(folder, text)
        if one not in code
    }
    return _of_all(named | {"": digest(path, code).encode()})


def _of_all(contents: Mapping[str, bytes]) -> str:
    """A hash of contents under their names."""
    lines = sorted(f"{hashlib.sha256(content).hexdigest()} {name}" for name, content in contents.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _folders(file: Path) -> list[Path]:
    """The folder of a file, and those above it within the project."""
    try:
        root = paths.root()
    except InputError:  # a session outside of any checkout
        return [file.parent]
    return [folder for folder in file.parents if folder == file.parent or folder.is_relative_to(root)]


def _modules(folder: Path, dotted: str) -> Iterator[Path]:
    """The Python files that a dotted name leads through, from a folder on; a star means all in a package."""
    for part in dotted.split("."):
        if part == "*":
            yield from sorted(folder.glob("*.py"))
            return
        candidates = (folder / f"{part}.py", folder / part / "__init__.py")
        yield from (one for one in candidates if one.is_file())
        folder = folder / part
        if not folder.is_dir():
            return


def _files(folder: Path, text: str) -> list[Path]:
    """The files that a string may mean, from a folder on."""
    pattern = "*" in text and "**" not in text and not Path(text).is_absolute()
    found = folder.glob(text) if pattern else [folder / text]
    return [one for one in found if one.is_file()]


def _dotted(text: str) -> str:
    """The module that a string may name, as `helper`, `own.helper`, `helper.py` or `own/helper.py`; or nothing."""
    name = text.removesuffix(".py").replace("/", ".")
    return name if all(part.isidentifier() for part in name.split(".")) else ""


@functools.cache
def _names(source: bytes) -> tuple[frozenset[Name], frozenset[str]]:
    """(imports, short strings) of a source, wherever in it; none of one that cannot be read, which fails when run."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(), frozenset()
    imported = {(0, one.name) for node in nodes if isinstance(node, ast.Import) for one in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            imported |= {(node.level, f"{node.module or ''}.{one.name}".lstrip(".")) for one in node.names}
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return frozenset(imported), frozenset(
        one
        for one in constants
        if isinstance(one, str) and one.isprintable() and 0 < len(one.encode()) < LONGEST
    )
