"""A unit of work on its way to another machine and back: what it reads goes with it, what it writes comes home.

No folder need be shared. On the worker a unit finds the project's results in a folder of its own, which is gone
afterwards; the files that it wrote there are handed back with its answer, and the study's own machine puts them in
their places, each whole or not at all. A worker that is killed leaves nothing half-written.
"""

import atexit
import contextlib
import functools
import hashlib
import os
import pickle
import platform
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rebuttal.base import code, devices, host_lease, paths
from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import RunError

Files = dict[str, bytes]  # path from the project's root -> content
READ = (paths.PARAMETERS, "papers/*/own/**/*")  # what units read, besides the costs of the device
SENT = ("papers", "reference")  # the folders that these are in
WRITTEN = ("results", ".cache/replays", ".cache/run_records", ".cache/timelines")  # where they write
MARKER = "dvc.yaml"  # what tells a project's root
PACKAGES = ("torch", "torchvision", "numpy", "numba", "scipy", "scikit-learn", "xarray")


@dataclass(frozen=True)
class Parcel:
    """One call. project: its root where it comes from, of which `profile` is run. code: the sender's `identity`.

    timed: it has the host alone.
    """

    function: Callable[..., Any]
    arguments: tuple
    files: Files
    project: Path
    profile: str
    code: str
    timed: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a parcel: its value, and the files that it wrote."""

    value: Any
    files: Files


def packed(function: Callable[..., Any], arguments: tuple, *, timed: bool = False) -> bytes:
    """A call as it is sent, with what it reads of this project."""
    root = paths.root()
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in read(root)}
    parcel = Parcel(function, arguments, files, root, paths.profile(), identity(), timed)
    return zlib.compress(pickle.dumps(parcel), level=1)


def read(root: Path) -> list[Path]:
    """The files of a project that units read."""
    found = {path for pattern in READ for path in root.glob(pattern) if "__pycache__" not in path.parts}
    return sorted(path for path in {paths.device_costs(), *found} if path.is_file())


def computed(content: bytes, attempt: int = 1, place: Path | None = None) -> bytes:
    """Compute a packed call here, which has been begun `attempt` times; the packed answer.

    place: where folders of work may be made (default: where the system has such).

    Raises:
        RunError: this machine has other code or other versions than the sender. Or whatever the call raises.
    """
    parcel: Parcel = pickle.loads(zlib.decompress(content))  # noqa: S301 - from the study's own machine
    if parcel.code != identity():
        raise RunError(
            "a worker has other code or other versions of packages than the study; allowed: the same"
        )
    folder = _folder(place)
    write(folder, parcel.files | {MARKER: b"stages: {}\n"})
    token = host_lease.attempt.set(attempt)
    # a timed call takes the host for itself, around what is timed
    lease = contextlib.nullcontext() if parcel.timed else host_lease.shared()
    try:
        with paths.within(folder, parcel.project), _profile(parcel.profile), lease:
            value = parcel.function(*parcel.arguments)
        files = {name: content for name, content in _written(folder) if parcel.files.get(name) != content}
    finally:
        host_lease.attempt.reset(token)
        _clear(folder)
    return zlib.compress(pickle.dumps(Answer(value, files)), level=1)


def unpacked(content: bytes) -> Any:
    """The value of a packed answer, once its files are in their places in this project."""
    answer: Answer = pickle.loads(zlib.decompress(content))  # noqa: S301 - from a worker of the study's scheduler
    write(paths.root(), answer.files)
    return answer.value


def write(root: Path, files: Files) -> None:
    """Put files where they belong below `root`; each appears whole or not at all."""
    for name, content in files.items():
        with replacing(root / name) as partial:
            partial.write_bytes(content)


@functools.cache
def identity() -> str:
    """A hash of the package's code, of Python and of the packages that values depend on."""
    about = [code.digest(code.everything()), platform.python_version()]
    about += [f"{name} {version(name)}" for name in PACKAGES]
    return hashlib.sha256(" ".join(about).encode()).hexdigest()


def described() -> dict[str, str]:
    """What a worker is asked before it is given work."""
    return {"identity": identity(), "processor": devices.cpu_model(), "host": platform.node()}


@contextlib.contextmanager
def _profile(name: str) -> Iterator[None]:
    """Run the profile that the sender runs, whatever params.yaml says."""
    before = os.environ.get(paths.PROFILE)
    os.environ[paths.PROFILE] = name
    try:
        yield
    finally:
        del os.environ[paths.PROFILE]
        if before is not None:
            os.environ[paths.PROFILE] = before


@functools.cache
def _folder(place: Path | None) -> Path:
    """This process's folder in a project's place: the same for every unit, so that what is known by path is kept."""
    made = tempfile.TemporaryDirectory(prefix="rebuttal-unit-", dir=place)
    atexit.register(made.cleanup)
    return Path(made.name)


def _clear(folder: Path) -> None:
    """Nothing of one unit is there for the next."""
    for place in (*WRITTEN, *SENT):
        shutil.rmtree(folder / place, ignore_errors=True)


def _written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file that a unit may have written, with its path from the root."""
    for place in WRITTEN:
        for path in sorted((folder / place).rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.read_bytes()
