"""What `rebuttal check` looks at in papers before anything has run: their folders, and every name in their rules."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rebuttal.base.config import parameter_files
from rebuttal.base.errors import InputError, nearest, refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence import papers
from rebuttal.evidence.papers import Paper
from rebuttal.machines import MACHINES
from rebuttal.machines.stragglers import STRAGGLERS

PAPER = "paper.yaml"
#: What makes a folder of papers/ one: a paper, or the study of a paper that is to come.
FILES = (PAPER, parameter_files.STUDY)


def load_all(project: Path) -> list[Paper]:
    """Every paper of papers/, also those that are not run.

    Raises:
        InputError: a folder that is none of a paper, a file that is wrong, or an id other than its folder's name.
    """
    found = []
    for folder in sorted(path for path in (project / "papers").glob("[!._]*") if path.is_dir()):
        if not any((folder / name).is_file() for name in FILES):
            there = [path.name for path in folder.iterdir() if nearest(PAPER, [path.name])]
            given = there[0] if there else "no such file"
            raise InputError(f"papers/{folder.name}: got {given}; allowed: {' or '.join(FILES)}")
        if (folder / PAPER).is_file():
            paper = papers.load(folder / PAPER)
            if paper.id != folder.name:
                raise refuse(f"papers/{folder.name}/{PAPER}: id", paper.id, f"{folder.name}, as its folder")
            found.append(paper)
    return found


def check_names(rule: dict[str, Any], machines: Sequence[str]) -> None:
    """Refuse a rule, as written, that names an analysis, a variable, a dim or a label that there is not.

    Labels are known before a run where they mean the same everywhere: machines (those of a study may be its own) and
    straggler models.
    """
    known = {"machine": [*MACHINES, *machines], "straggler": list(STRAGGLERS)}
    _check_labels("rule.stragglers", rule.get("stragglers") or (), known["straggler"])
    if "data" in rule:
        _check_reading(rule, known)


def _check_reading(rule: dict[str, Any], known: Mapping[str, Sequence[str]]) -> None:
    dims = _dims(rule["data"], rule["variable"])
    for key in ("each", "along"):
        if rule.get(key) is not None and rule[key] not in dims:
            raise refuse(f"rule.{key}", rule[key], dims)
    for dim, labels in rule["where"].items():
        if dim not in dims:
            raise refuse("rule.where", dim, dims)
        _check_labels(f"rule.where.{dim}", labels if isinstance(labels, list) else [labels], known.get(dim))


def _dims(data: str, variable: str) -> Sequence[str]:
    """The dims of a variable of an analysis. Raises InputError if there is none."""
    if data not in ANALYSES:
        raise refuse("rule.data", data, ANALYSES)
    described = ANALYSES[data].described
    if variable not in described:
        raise refuse("rule.variable", variable, described)
    return described[variable].dims


def _check_labels(key: str, labels: Sequence[Any], known: Sequence[str] | None) -> None:
    for label in labels:
        if known is not None and label not in known:
            raise refuse(key, label, known)
