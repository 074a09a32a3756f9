"""reference/NAME: a committed bundle of results that reruns are held against."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rebuttal.base import netcdf, paths
from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import InputError, refuse
from rebuttal.core.results import UNREADABLE
from rebuttal.evidence.references import bundle, ledgers
from rebuttal.evidence.references.bundle import LEDGER, MANIFEST, BundleFile, Row

KEYS = ("name", "profile", "machine", "files")


@dataclass(frozen=True)
class Reference:
    """A bundle of results. machine: what its provenance says of device, commit and versions, by study."""

    folder: Path
    name: str
    profile: str
    machine: dict[str, Any]
    files: tuple[BundleFile, ...]


def write(name: str) -> Path:
    """Write reference/NAME from the project's present results; its manifest.

    Raises:
        InputError: an unfit name, or results that are missing or broken.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise refuse("--write-reference", name, "a name of letters, digits, - and _, such as standard")
    root, results = paths.root(), paths.results()
    about = ledgers.papers_in(root)
    studies = ledgers.studies(about)
    content: dict[str, Any] = {"name": name, "profile": profile_of(results, studies)}
    content["machine"] = machine_of(results, studies)
    target = root / "reference" / name
    with replacing(target) as partial:
        content["files"] = [
            asdict(file) for file in gather(root, ledgers.rows(about, results), studies, partial)
        ]
        bundle.write_json(partial / MANIFEST, content)
    return target / MANIFEST


def gather(root: Path, rows: Sequence[Row], studies: Sequence[str], target: Path) -> list[BundleFile]:
    """Copy what the rows rest on into a bundle, and write its ledger."""
    files = bundle.copy(bundle.sources(root, rows, studies), target)
    bundle.write_json(target / LEDGER, rows)
    return [*files, bundle.described(target, target / LEDGER, "verdicts")]


def find(folder: Path | None, profile: str) -> Reference:
    """The reference in a folder; or, of those in reference/, the one whose results have this profile.

    Raises:
        InputError: there is none, several have the profile, it is broken, or its profile is another.
    """
    if folder is None:
        folder = _only_one(profile)
    elif not (folder / MANIFEST).is_file():
        raise InputError(f"--reference: got {str(folder)!r}; allowed: a folder with {MANIFEST}, as "
                         "`rebuttal certify --write-reference NAME` writes it")  # fmt: skip
    found = read(folder)
    if found.profile != profile:
        raise InputError(
            f"--reference: {folder} has the profile {found.profile}; allowed: {profile}, as the results"
        )
    bundle.check_list(found.files)
    broken = bundle.changed(folder, found.files)
    if broken:
        raise InputError(
            f"{folder}: {broken[0]}, of {len(broken)} files; allowed: the files of its {MANIFEST}"
        )
    made = profile_of(folder / "results", _studied(folder / "results"))
    if made != profile:
        raise InputError(
            f"{folder}: its results have the profile {made}; allowed: {profile}, as its {MANIFEST} says"
        )
    return found


def _studied(results: Path) -> list[str]:
    """The studies that a folder of results has."""
    return sorted({path.parents[2].name for path in results.glob("*/training/*/curves.nc")})


def read(folder: Path) -> Reference:
    """What the manifest of a reference says; its files are not looked at."""
    content = bundle.read_json(folder / MANIFEST, KEYS)
    return Reference(folder, content["name"], content["profile"], content["machine"], files_of(content))


def files_of(content: dict[str, Any]) -> tuple[BundleFile, ...]:
    """The files that a manifest or a certificate lists."""
    try:
        return tuple(BundleFile(**file) for file in content["files"])
    except TypeError as error:
        raise InputError(
            f"files: got {str(error)!r}; allowed: path, role, bytes and sha256 of each"
        ) from None


def profile_of(results: Path, studies: Sequence[str]) -> str:
    """The profile that the studies' curves were made with. Raises InputError if there are none, or they differ."""
    files = [path for study in studies for path in sorted((results / study).glob("training/*/curves.nc"))]
    if studies and not files:
        raise InputError(f"{results}: no training/*/curves.nc of {', '.join(studies)}; allowed: the results of a run "
                         "(make repro)")  # fmt: skip
    found = {_profile(path) for path in files}
    if len(found) > 1:
        raise InputError(
            f"{results}: results of the profiles {', '.join(sorted(found))}; allowed: of one profile"
        )
    return found.pop() if found else "unknown"


def _profile(path: Path) -> str:
    try:
        return str(netcdf.load(path).attrs.get("profile", "unknown"))
    except UNREADABLE as error:
        raise InputError(
            f"{path}: cannot be read as netCDF ({type(error).__name__}); make it again"
        ) from error


def machine_of(results: Path, studies: Sequence[str]) -> dict[str, Any]:
    """By study, what its first provenance.json says: device, commit, versions; nothing where there is none."""
    files = {study: sorted((results / study).glob("training/*/provenance.json")) for study in studies}
    return {study: bundle.read_json(some[0], ()) for study, some in files.items() if some}


def _only_one(profile: str) -> Path:
    manifests = sorted((paths.root() / "reference").glob(f"*/{MANIFEST}"))
    known = {path.parent: read(path.parent).profile for path in manifests}
    fitting = [folder for folder, its in known.items() if its == profile]
    if len(fitting) != 1:
        listed = ", ".join(f"{folder.name} ({its})" for folder, its in known.items()) or "none"
        raise InputError(f"reference/: {len(fitting)} of the profile {profile} among {listed}; allowed: one, or "
                         "--reference FOLDER")  # fmt: skip
    return fitting[0]
