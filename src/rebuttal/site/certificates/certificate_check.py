"""`rebuttal certify --check FILE`: a third party's view of a certificate or a reference, without training.

The file's hashes are computed again, every verdict is computed again from the results beside it, and so is what a
certificate says of its reference.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.errors import InputError, RunError, refuse
from rebuttal.evidence.references import bundle, ledgers, reference
from rebuttal.evidence.references.bundle import CERTIFICATE, FORMAT, LEDGER, MANIFEST, REFERENCE_LEDGER, Row
from rebuttal.site.certificates import agreement

KEYS = ("format", "outcome", "tolerances", "questions", "files")
ROUNDING = 1e-4  # relative: other versions of NumPy and SciPy may differ in the last of six digits


def check(path: Path) -> str:
    """What was checked, in one line. path: a certificate.json, a reference's manifest.json, or the folder of either.

    Raises:
        InputError: the file cannot be read, or is of another format or of other tolerances.
        RunError: a file or a verdict is not what it says; the message names the first.
    """
    path = _file(path)
    content = bundle.read_json(path, ("files",) if path.name != CERTIFICATE else KEYS)
    folder, files = path.parent, reference.files_of(content)
    _none(bundle.changed(folder, files), f"of {len(files)} files", "is not the file that was certified")
    found = ledgers.rows(ledgers.papers_in(folder), folder / "results")
    _none(_others(_rows(folder / LEDGER), found), f"of {len(found)} verdicts", "comes out otherwise")
    said = f"{len(files)} files have their hashes, {len(found)} verdicts come out as stated"
    return said if path.name != CERTIFICATE else f"{said}; {_outcome(path, content, found)}, as certified"


def _outcome(path: Path, content: dict[str, Any], found: Sequence[Row]) -> str:
    """What a certificate says of its reference, once it has come out again."""
    for key, allowed in (("format", FORMAT), ("tolerances", asdict(agreement.TOLERANCES))):
        if content[key] != allowed:
            raise refuse(f"{path}: {key}", content[key], str(allowed))
    questions = agreement.compare(_rows(path.parent / REFERENCE_LEDGER), found)
    stated, computed = (
        [(one["id"], one["outcome"]) for one in some] for some in (content["questions"], questions)
    )
    if stated != computed or content["outcome"] != agreement.outcome(questions):
        raise RunError(f"{path}: the outcome {content['outcome']!r} does not follow from its two ledgers")
    return content["outcome"]


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    for name in (CERTIFICATE, MANIFEST):
        if (path / name).is_file():
            return path / name
    raise InputError(f"--check: got {str(path)!r}; allowed: a {CERTIFICATE}, a {MANIFEST}, or the folder of "
                     "either")  # fmt: skip


def _rows(path: Path) -> list[Row]:
    """The rows of a ledger. Raises InputError if it is none."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        for row in rows:
            _ = row["paper"], row["id"], _verdict(row)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as a ledger ({type(error).__name__}); allowed: one that "
                         "`rebuttal certify` wrote") from error  # fmt: skip
    return rows


def _none(found: Sequence[str], of: str, what: str) -> None:
    if found:
        raise RunError(f"{found[0]} {what}; {len(found)} {of}")


def _others(stated: Sequence[Row], found: Sequence[Row]) -> list[str]:
    """The ids of rows whose verdicts are not what was stated, up to rounding."""
    names = [f"{row['paper']}: {row['id']}" for row in found]
    if names != [f"{row['paper']}: {row['id']}" for row in stated]:
        return ["the list of questions"]
    pairs = zip(names, map(_verdict, stated), map(_verdict, found), strict=True)
    return [name for name, one, other in pairs if not _same(one, other)]


def _verdict(row: Row) -> list[Any]:
    """What was measured and decided, everywhere, without the words around it."""
    evidence = [*row["parts"], *row["more"], *row["checks"]]
    measured = [*evidence, *(place for one in evidence for place in one["places"])]
    return [row["word"], *([one[name] for name in ("word", "effect", "interval", "n")] for one in measured)]


def _same(one: Any, other: Any) -> bool:
    """Whether two plain values are alike, numbers up to rounding."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol=ROUNDING, atol=1e-12))
    return one == other
