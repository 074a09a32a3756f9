"""A bundle: a folder with everything that verdicts are computed from, and a list of its files with their hashes.

A bundle is laid out as the project is, for one profile: params.yaml, papers/PAPER/..., results/STUDY/..., the costs of
the device in devices/, and ledger.json with the verdicts. `reference/NAME` is one; a certificate holds code, notebooks
and pages too.
"""

import hashlib
import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from rebuttal.base import code, netcdf, paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.errors import InputError, refuse
from rebuttal.core import array_files
from rebuttal.core.results import UNREADABLE

# What the files of a bundle that are not copies are called, and the format of CERTIFICATE.
MANIFEST, LEDGER = "manifest.json", "ledger.json"
CERTIFICATE, REFERENCE_LEDGER, FORMAT = "certificate.json", "reference_ledger.json", 1

Role = Literal["code", "parameters", "rules", "results", "verdicts", "notebook", "page"]
Row = dict[str, Any]  # of a ledger
Chosen = tuple[Role, Path, str]  # what it is there for, where it is, and its path in the bundle

# Of a study's folder, all that verdicts and their provenance rest on; time lines and executed notebooks stay out.
OF_STUDY = ("training/*/*.nc", "training/*/*.json", "tuning/*.nc", "summaries/*.nc", "*.nc")
OF_ANALYSES = ("analyses/*.nc", "analyses/*.json")
OF_PAPER = ("paper.yaml", "study.yaml", "own/*.py", "own/*.json")
PUBLISHED: dict[Role, Sequence[str]] = {  # besides all of src/
    "code": ("pyproject.toml", "requirements.lock", "dvc.yaml", "Makefile", "LICENSE", "CITATION.cff"),
    "notebook": ("notebooks/*.ipynb", "papers/*/review.ipynb"),
    "page": ("*.html", "*.json", "assets/*"),
}


FOLDERS: dict[str, Role] = {
    "results": "results",
    "papers": "parameters",
    "devices": "parameters",
    "reports": "page",
}
#: Of one file, and of a whole bundle, in bytes: more is none of ours.
LARGEST, ALL_OF_THEM, MOST_FILES = 2**27, 2**30, 20_000
LARGEST_JSON = 2**24  # which takes thirty times as much memory once it is read
LARGEST_YAML = 2**22  # all of it together, which takes a second for each million
MOST_HELD = 2**28  # bytes, of all variables of its result files


@dataclass(frozen=True)
class BundleFile:
    """A file of a bundle: its path within, what it is there for, its size and its hash."""

    path: str
    role: Role
    bytes: int
    sha256: str


def sources(root: Path, rows: Sequence[Row], studies: Iterable[str]) -> Iterator[Chosen]:
    """What a bundle of a project's profile holds: its parameters, its rules, and the results behind `rows`."""
    results = paths.results()
    device = paths.device_costs()
    yield "parameters", root / paths.PARAMETERS, paths.PARAMETERS
    yield "parameters", device, f"devices/{device.name}"
    for paper in sorted({row["paper"] for row in rows} | set(studies)):
        folder = root / "papers" / paper
        for path in sorted({path for pattern in OF_PAPER for path in folder.glob(pattern)}):
            role: Role = "rules" if path.name == "paper.yaml" else "parameters"
            yield role, path, path.relative_to(root).as_posix()
    read = {results / name.removeprefix("results/") for row in rows for name in row["data_files"]}
    beside = {path for study in studies for pattern in OF_STUDY for path in (results / study).glob(pattern)}
    analyses = {path for pattern in OF_ANALYSES for path in results.glob(pattern)}
    for path in sorted(read | beside | analyses):
        yield "results", path, f"results/{path.relative_to(results).as_posix()}"


def published(root: Path) -> Iterator[Chosen]:
    """Code, notebooks and pages of a project, the pages of its profile."""
    for path in code.lying_in(root / "src"):
        yield "code", path, path.relative_to(root).as_posix()
    for role, patterns in PUBLISHED.items():
        base = paths.site() if role == "page" else root
        for path in sorted({path for one in patterns for path in base.glob(one)}):
            name = path.relative_to(base).as_posix()
            yield role, path, f"reports/{name}" if role == "page" else name


def copy(chosen: Iterable[Chosen], target: Path) -> list[BundleFile]:
    """Copy files of a project into a bundle; what they are."""
    found = []
    for role, path, name in chosen:
        if not path.is_file():
            raise InputError(f"{path}: no such file; allowed: a project whose pipeline has run (make repro)")
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        found.append(described(target, place, role))
    return found


def described(bundle: Path, path: Path, role: Role) -> BundleFile:
    """A file that is in the bundle already."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return BundleFile(path.relative_to(bundle).as_posix(), role, path.stat().st_size, found)


def changed(bundle: Path, files: Iterable[BundleFile]) -> list[str]:
    """The paths of files that are missing or differ from their hashes, each with which of the two."""
    found = []
    for file in files:
        path = bundle / file.path
        if not path.is_file() or path.is_symlink():
            found.append(f"{file.path} (missing)")
        elif path.stat().st_size != file.bytes or described(bundle, path, file.role) != file:
            found.append(f"{file.path} (changed)")
    return found


def unlisted(bundle: Path, files: Iterable[BundleFile], own: Iterable[str]) -> list[str]:
    """The paths of what lies in a bundle and is neither in its list nor among its `own` files; links are never."""
    known = {file.path for file in files} | set(own)
    places = list(itertools.islice(bundle.rglob("*"), 2 * MOST_FILES))
    found = []
    for path in sorted(places):
        name = path.relative_to(bundle).as_posix()
        if path.is_symlink() or (not path.is_dir() and name not in known):
            found.append(name)
    return found if len(places) < 2 * MOST_FILES else [*found, f"one of more than {len(places):,} entries"]


def check_held(bundle: Path, files: Iterable[BundleFile]) -> None:
    """Refuse result files that have too much in them. Raises InputError of one line, also for one that is broken."""
    size = 0
    for file in files:
        if not file.path.endswith(".nc"):
            continue
        try:
            size += netcdf.held_bytes(bundle / file.path)
        except UNREADABLE as error:
            raise InputError(
                f"{file.path}: cannot be read as netCDF ({_said(error)}); make it again"
            ) from error
        if size > MOST_HELD:
            raise refuse("files", f"{size:,} bytes of variables up to {file.path}", f"{MOST_HELD:,} at most")


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def check_list(files: Sequence[BundleFile]) -> None:
    """Refuse a list that leads outside of its bundle, that has a file twice, or files that are no data of ours.

    Raises:
        InputError: one line that names the file.
    """
    seen: set[str] = set()
    if len(files) > MOST_FILES:
        raise refuse("files", f"{len(files):,} files", f"{MOST_FILES:,} at most")
    for file in files:
        parts = file.path.split("/") if isinstance(file.path, str) else [".."]
        outside = any(part in ("", ".", "..") or "\\" in part for part in parts)
        if outside or not file.path.isprintable() or file.path in seen:
            raise refuse("files", file.path, "paths within the folder, each once")
        if file.role not in get_args(Role) or role_of(file.path) != file.role:
            raise refuse(f"files: {file.path}: role", file.role, role_of(file.path))
        if not (isinstance(file.bytes, int) and 0 <= file.bytes <= LARGEST):
            raise refuse(f"files: {file.path}: bytes", file.bytes, f"a whole number from 0 to {LARGEST}")
        seen.add(file.path)
    for ending, most in (("", ALL_OF_THEM), (".yaml", LARGEST_YAML)):
        if (total := sum(file.bytes for file in files if file.path.endswith(ending))) > most:
            raise refuse("files", f"{total:,} bytes{' of ' * bool(ending)}{ending}", f"{most:,} at most")


def role_of(name: str) -> Role:
    """What a file of a bundle is there for, by its path."""
    first, last = name.partition("/")[0], name.rpartition("/")[2]
    if name in (LEDGER, REFERENCE_LEDGER):
        return "verdicts"
    if last.endswith(".ipynb"):
        return "notebook"
    if first == "papers" and last == "paper.yaml":
        return "rules"
    return FOLDERS.get(first, "parameters" if name == paths.PARAMETERS else "code")


def digest(files: Iterable[BundleFile], role: Role) -> str:
    """One hash of all files of a role, whatever their order: SHA-256 over lines "hash  path", as sha256sum's."""
    lines = sorted(f"{file.sha256}  {file.path}\n" for file in files if file.role == role)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """JSON with a fixed layout; the file appears whole or not at all."""
    write_text(path, as_json(content))


def as_json(content: Any) -> str:
    """JSON with a fixed layout."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path, needed: Sequence[str]) -> dict[str, Any]:
    """One JSON object with the keys `needed`. Raises InputError of one line if it cannot be read, or lacks one."""
    return _with(path, _read(path), needed)


def read_rows(path: Path, needed: Sequence[str]) -> list[Row]:
    """The rows of a ledger, each with the keys `needed`. Raises InputError of one line if one lacks a key."""
    content = _read(path)
    if not isinstance(content, list):
        raise InputError(f"{path}: got a {type(content).__name__}; allowed: a list of verdicts")
    return [_with(path, row, needed) for row in content]


def _read(path: Path) -> Any:
    try:
        array_files.check_size(path, LARGEST_JSON)
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({type(error).__name__}); allowed: a file that "
                         "`rebuttal certify` wrote") from error  # fmt: skip


def _with(path: Path, content: Any, needed: Sequence[str]) -> dict[str, Any]:
    missing = [key for key in needed if not isinstance(content, dict) or key not in content]
    if missing:
        raise InputError(f"{path}: {missing[0]}: got nothing; allowed: a file that `rebuttal certify` wrote")
    return content
