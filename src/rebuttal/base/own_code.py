"""Python files of a user's own, by names `file:PATH.py`: found, loaded once for each content, told apart by it.

A file's content is that of the Python files beside it, too, that it brings in (`own_files`).
"""

import contextlib
import hashlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from rebuttal.base import own_files, paths
from rebuttal.base.errors import InputError, nearest, refuse

PREFIX = "file:"
FORM = "file:PATH.py"
FINGERPRINT = "__fingerprint__"  # in a module of a user's own: its `fingerprint`, while it runs and after
NONE_HERE = "a Python file; there is none at this path"


@dataclass(frozen=True)
class Loaded:
    """A file that was run: `fingerprint` is that of what it held and brought in then."""

    path: Path
    fingerprint: str
    module: ModuleType


_loading = threading.RLock()  # a file may name another one
_loaded: dict[tuple[Path, str], Loaded] = {}
_beside: dict[Path, bytes] = {}  # what files brought in when they were run -> its content then


def is_named(name: str) -> bool:
    """Whether a name stands for a file of a user's own."""
    return name.startswith(PREFIX)


def resolved(path: str | Path) -> Path:
    """An absolute path; a relative one starts at the project's root.

    Work that came from another machine looks among the files that came with it first, then at the sender's path.
    """
    place = Path(path).expanduser()
    if place.is_absolute():
        return place
    came = paths.root() / place
    return came if came.exists() else paths.given() / place


def path_of(name: str, key: str) -> Path:
    """The file of a name `file:PATH.py`, where `key` is what the name is given for.

    Raises:
        InputError: a name of another form, or no such file.
    """
    given = name.removeprefix(PREFIX)
    if not (is_named(name) and given.endswith(".py")):
        raise refuse(key, name, FORM)
    path = resolved(given)
    if not path.is_file():
        beside = [one.name for one in path.parent.glob("*.py")]
        raise InputError(f"{key}: got {name!r}; allowed: {NONE_HERE}{nearest(path.name, beside)}")
    return path


def short(name: str) -> str:
    """A name for readers: `file:own/dpsgd.py` is dpsgd, and every other name is itself."""
    return Path(name.removeprefix(PREFIX)).stem if is_named(name) else name


def file_of(kind: type) -> str | None:
    """The name of the file of a user's own that a class stands in; None for any other class."""
    module = sys.modules.get(kind.__module__)
    if module is None or not hasattr(module, FINGERPRINT):
        return None
    return name_of(Path(str(module.__file__)))


def name_of(path: Path) -> str:
    """The name of a file of a user's own: in the project, from its root."""
    root = paths.root()
    return f"{PREFIX}{path.relative_to(root) if path.is_relative_to(root) else path}"


def fingerprint(name: str, key: str) -> str:
    """The SHA-256 of the file, and of the Python files beside it that it brings in. Raises InputError as `path_of`."""
    return own_files.digest(path_of(name, key))


def fingerprints(named: Mapping[str, str | None]) -> dict[str, str]:
    """Name -> its `fingerprint`, of those that stand for a file; `named` maps what a name is given for to the name."""
    return {name: fingerprint(name, key) for key, name in named.items() if name and is_named(name)}


def loaded(name: str, key: str) -> Loaded:
    """The file, run once in a process for each content that it has.

    Raises:
        InputError: as `path_of`, or the file fails: one line with the line and the error.
    """
    path = path_of(name, key)
    contents = own_files.closure(path)
    digest = own_files.digest(path, contents)
    with _loading:
        if (path, digest) not in _loaded:
            content = contents.pop(path)
            _forget_changed()
            for (
                beside
            ) in contents:  # Python takes what it compiled for current if size and second of change are
                with contextlib.suppress(OSError):  # in a folder where nothing may be written
                    Path(importlib.util.cache_from_source(str(beside))).unlink(missing_ok=True)
            _beside.update(contents)
            _loaded[path, digest] = Loaded(path, digest, _run(path, content, digest, name, key))
        return _loaded[path, digest]


def _forget_changed() -> None:
    """Have Python read all files beside files again, if one of them has changed since it was brought in."""
    if all(path.is_file() and path.read_bytes() == content for path, content in _beside.items()):
        return
    files = {path.resolve() for path in _beside}
    for name, module in list(sys.modules.items()):
        if (file := getattr(module, "__file__", None)) and Path(file).resolve() in files:
            del sys.modules[name]
    _beside.clear()


def _run(path: Path, content: bytes, digest: str, name: str, key: str) -> ModuleType:
    """A new module from this content; among the modules of the process, as dataclasses ask for theirs."""
    place = hashlib.sha256(str(path).encode()).hexdigest()
    module = ModuleType(f"rebuttal_own_{path.stem}_{place[:8]}_{digest[:8]}")
    module.__file__ = str(path)
    setattr(module, FINGERPRINT, digest)
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - what its user named it for
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        why = " ".join(f"{type(error).__name__}: {error}".split())
        allowed = "a Python file that runs without an error"
        raise InputError(
            f"{key}: got {name!r}, which fails{_at(error, path)} with {why}; allowed: {allowed}"
        ) from error
    return module


def _at(error: BaseException, path: Path) -> str:
    """' in line 3', of this file; empty where none of its lines is known."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f" in line {error.lineno}" if error.lineno else ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f" in line {lines[-1]}" if lines else ""
