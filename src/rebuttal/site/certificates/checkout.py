"""What the checkout that checks a certificate knows of it: whether reference, rules and code are its own, in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.errors import RunError
from rebuttal.evidence.references import bundle, ledgers, reference
from rebuttal.evidence.references.bundle import MANIFEST, REFERENCE_LEDGER, BundleFile
from rebuttal.site.certificates import ledger_rows


def reference_of(folder: Path, content: dict[str, Any]) -> str:
    """Which reference of this checkout a certificate is held against, if any.

    Raises:
        RunError: the reference is ours, and its name, its devices or its verdicts are not what the certificate says.
    """
    for manifest in sorted((paths.root() / "reference").glob(f"*/{MANIFEST}")):
        ours = reference.read(manifest.parent)
        if bundle.digest(ours.files, "results") != content["reference"]["files_sha256"]:
            continue
        _check(folder, content, ours)
        return f"its reference is this checkout's {ours.name}"
    return "its reference is none of this checkout's, so what it says of it is not checked"


def _check(folder: Path, content: dict[str, Any], ours: reference.Reference) -> None:
    broken = bundle.changed(ours.folder, ours.files)
    if broken:
        raise RunError(f"reference/{ours.name}: {broken[0]}: this checkout's own reference is damaged")
    for key, found in (("name", ours.name), ("machine", ours.machine)):
        if content["reference"][key] != found:
            raise RunError(f"reference.{key} is not that of this checkout's reference {ours.name}")
    about = ledgers.papers_in(folder)
    older = ours.folder / "results"
    rows = ledgers.rows(ledgers.held_by(about, older), older)
    differing = ledger_rows.differing(ledger_rows.read(folder / REFERENCE_LEDGER), rows)
    if differing:
        raise RunError(f"{REFERENCE_LEDGER}: {differing[0]} comes out otherwise of the reference {ours.name}")


def rules(folder: Path, files: Sequence[BundleFile]) -> str:
    """Whether the rules are those of papers/ here."""
    root = paths.root()
    others = [
        file.path for file in files
        if file.role == "rules" and not _equal(folder / file.path, root / file.path)
    ]  # fmt: skip
    if not others:
        return "its rules are this checkout's"
    return f"its rules are not this checkout's: {others[0]} differs" + (
        ", as others do" if others[1:] else ""
    )


def code(content: dict[str, Any]) -> str:
    """Whether the code is that of this checkout."""
    root = paths.root()
    here = [bundle.described(root, path, role) for role, path, _ in bundle.published(root) if role == "code"]
    same = bundle.digest(here, "code") == content["rerun"]["code_sha256"]
    return f"its code is {'' if same else 'not '}this checkout's"


def _equal(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()
