"""The files behind a report: which there are, with their hashes, and what is noted in the JSON ones."""

import hashlib
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.schemas import STRAGGLERS
from rebuttal.site import html

HASHED = ("training/*/*.nc", "tuning/*.nc", "summaries/*.nc", "training/*/*.json")


def files(folder: Path, patterns: Sequence[str] = HASHED, within: Path | None = None) -> list[dict[str, Any]]:
    """Every result file of a study: name, bytes, SHA-256. A page that lists them changes with any of them.

    within: the folder of all results (default: the one that `folder` is in).
    """
    found = sorted({path.resolve() for pattern in patterns for path in folder.glob(pattern)})
    root = (within or folder.parent).resolve()
    return [
        {"file": f"results/{path.relative_to(root).as_posix()}", "bytes": path.stat().st_size,
         "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in found
    ]  # fmt: skip


def behind(folder: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """The files of a study and those of the analyses beside it that are named."""
    analyses = sorted({(ANALYSES | {STRAGGLERS.name: STRAGGLERS})[name].pattern for name in names})
    return files(folder) + (files(folder.parent / "analyses", analyses) if analyses else [])


def notes(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """The JSON files `name` of every method's training folder: method -> content."""
    return {path.parent.name: read_json(path) for path in sorted(folder.glob(f"training/*/{name}"))}


def read_json(path: Path) -> dict[str, Any]:
    """One JSON object. Raises InputError if it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({type(error).__name__}); make it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: got a {type(content).__name__}; allowed: a JSON object")
    return content


def reviewed() -> list[dict[str, Any]]:
    """What the review of each paper left behind (paper, rows, files), in the order of the papers' names."""
    found = [read_json(path) for path in sorted((paths.site() / "rows").glob("*.json"))]
    if not found:
        raise InputError(f"{paths.site()}: no rows/*.json; allowed: at least one paper whose page was made")
    return sorted(found, key=lambda review: review["paper"])


def linked(name: str) -> str:
    """The name of a result file as a link to its copy in the site."""
    return f'<a href="{escape(address(name))}"><code>{escape(name)}</code></a>'


def address(name: str) -> str:
    """Where a site has the copy of a result file that is called results/STUDY/..."""
    return f"data/{name.removeprefix('results/')}"


def files_table(found: Sequence[dict[str, Any]]) -> str:
    """Name, size and hash of result files."""
    cells = [
        (
            linked(one["file"]),
            html.number(one["bytes"]),
            f"<code>{one['sha256'][:16]}</code>",
        )
        for one in found
    ]
    return html.table(
        ("File", "Bytes", "SHA-256 (first 16 digits)"),
        cells,
        "Result files that this page was made from",
        "cards files",
    )
