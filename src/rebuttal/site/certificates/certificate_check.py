"""`rebuttal certify --check FILE`: a third party's view of a certificate or a reference, without training.

Nothing that can be computed is believed: hashes, verdicts, the comparison with the reference, devices, digests and the
page for readers are made again and compared. What this checkout knows beyond that is said: whether the reference, the
rules and the code are its own.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rebuttal.base.errors import InputError, RunError, refuse
from rebuttal.evidence.papers import Paper
from rebuttal.evidence.references import bundle, ledgers, reference
from rebuttal.evidence.references.bundle import (
    CERTIFICATE,
    FORMAT,
    LEDGER,
    MANIFEST,
    REFERENCE_LEDGER,
    BundleFile,
)
from rebuttal.site.certificates import agreement, certificate_page, checkout, codecheck, crate, ledger_rows

KEYS = ("format", "made", "outcome", "profile", "tolerances", "reference", "rerun", "questions", "files")
REFERENCE_KEYS, RERUN_KEYS = ("name", "machine", "files_sha256"), ("machine", "files_sha256", "code_sha256")
#: What is no copy of a file of the project, beside the ledgers: made by `rebuttal certify`, or a list itself.
OWN = (CERTIFICATE, MANIFEST, certificate_page.NAME, codecheck.NAME, crate.NAME)
WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
NOT_CHECKED = "not checked: when and by whom it was made, whether its code gives its results, its other pages"


def check(path: Path) -> str:
    """What was checked, in one line. path: a certificate.json, a reference's manifest.json, or the folder of either.

    Raises:
        InputError: the file cannot be read, or is of another format or of other tolerances, or leads outside.
        RunError: a file, a verdict or a statement is not what it says; the message names the first.
    """
    path = _file(path)
    certifies = path.name == CERTIFICATE
    content = _only(path, bundle.read_json(path, KEYS if certifies else reference.KEYS), certifies)
    folder, files = path.parent, reference.files_of(content)
    bundle.check_list(files)
    style = [] if any(file.path == certificate_page.STYLE for file in files) else [certificate_page.STYLE]
    _none(bundle.unlisted(folder, files, [*OWN, *style]), "in the folder", "is not in the list")
    _none(bundle.changed(folder, files), f"of {len(files)} files", "is not the file that was certified")
    bundle.check_held(folder, files)
    about = ledgers.papers_in(folder)
    stated = ledger_rows.read(folder / LEDGER)
    found = ledgers.rows(about, folder / "results")
    _none(ledger_rows.differing(stated, found), f"of {len(found)} verdicts", "comes out otherwise")
    _check_run(path, content, content.get("rerun", content)["machine"], about)
    said = f"{len(files)} files have their hashes, {len(found)} verdicts come out as stated"
    if not certifies:
        if content["name"] != path.resolve().parent.name:
            raise refuse(f"{path}: name", content["name"], f"{path.resolve().parent.name}, as its folder")
        return f"{said}; {checkout.rules(folder, files)}; not checked: who made it"
    _check_certificate(path, content, files, about)
    return (
        f"{said}; {content['outcome']}, as certified; {checkout.reference_of(folder, content)}; "
        f"{checkout.rules(folder, files)}; {checkout.code(content)}; {NOT_CHECKED}"
    )


def _only(path: Path, content: dict[str, Any], certifies: bool) -> dict[str, Any]:
    """The content, if it has no other keys than it must have. Raises InputError."""
    parts = {"": (content, KEYS if certifies else reference.KEYS)}
    if certifies:
        parts |= {
            "reference.": (content["reference"], REFERENCE_KEYS),
            "rerun.": (content["rerun"], RERUN_KEYS),
        }
    for place, (part, keys) in parts.items():
        if not isinstance(part, dict) or set(part) != set(keys):
            given = sorted(set(part) ^ set(keys)) if isinstance(part, dict) else part
            raise refuse(f"{path}: {place}keys", given, ", ".join(keys))
    return content


def _check_run(path: Path, content: dict[str, Any], machine: Any, about: Sequence[Paper]) -> None:
    """Profile and devices are those that the results say."""
    results, studies = path.parent / "results", ledgers.studies(about)
    for key, stated, found in (
        ("profile", content["profile"], reference.profile_of(results, studies)),
        ("machine", machine, reference.machine_of(results, studies)),
    ):
        if stated != found:
            raise RunError(f"{path}: {key}: the results say otherwise")


def _check_certificate(
    path: Path, content: dict[str, Any], files: Sequence[BundleFile], about: Sequence[Paper]
) -> None:
    """What a certificate says of its reference and shows to readers, once it has come out again."""
    for key, allowed in (("format", FORMAT), ("tolerances", asdict(agreement.TOLERANCES))):
        if content[key] != allowed:
            raise refuse(f"{path}: {key}", content[key], str(allowed))
    if not WHEN.fullmatch(str(content["made"])):
        raise refuse(f"{path}: made", content["made"], "a date and time such as 2026-01-31T12:00:00+00:00")
    held, again = (ledger_rows.read(path.parent / name) for name in (REFERENCE_LEDGER, LEDGER))
    questions = agreement.compare(held, again)
    for key, found in (("questions", questions), ("outcome", agreement.outcome(questions))):
        if content[key] != found:
            raise RunError(f"{path}: the {key} {_short(content[key])} does not follow from its two ledgers")
    for key in ("results", "code"):
        named = "files_sha256" if key == "results" else "code_sha256"
        if content["rerun"][named] != bundle.digest(files, key):
            raise RunError(f"{path}: rerun.{named} is not the hash of its files")
    _check_shown(path.parent, content, files, [paper.links[0] for paper in about])


def _check_shown(
    folder: Path, content: dict[str, Any], files: Sequence[BundleFile], links: Sequence[str]
) -> None:
    """The page, codecheck.yml and the crate are what comes out of the certificate, to the byte."""
    try:
        page = certificate_page.text(folder, content)
    except (AttributeError, LookupError, TypeError) as error:
        raise refuse("reference.machine", content["reference"]["machine"], "devices by study") from error
    texts = {certificate_page.NAME: page, codecheck.NAME: codecheck.text(content, files, links)}
    for name, text in texts.items():
        _compare(folder / name, text)
    made = [bundle.described(folder, folder / name, "verdicts") for name in (CERTIFICATE, *texts)]
    _compare(folder / crate.NAME, bundle.as_json(crate.metadata(content, [*files, *made])))


def _compare(path: Path, text: str) -> None:
    if not path.is_file() or path.is_symlink():
        raise RunError(f"{path.name}: no such file")
    if path.read_bytes() != text.encode():
        raise RunError(f"{path.name}: is not what this checkout makes of the certificate")


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    for name in (CERTIFICATE, MANIFEST):
        if (path / name).is_file():
            return path / name
    raise InputError(f"--check: got {str(path)!r}; allowed: a {CERTIFICATE}, a {MANIFEST}, or the folder of "
                     "either")  # fmt: skip


def _none(found: Sequence[str], of: str, what: str) -> None:
    if found:
        raise RunError(f"{found[0]} {what}; {len(found)} {of}")


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, str) else "as stated"
