"""The ledger of all papers, computed from a folder of results: of this project, of a reference, of a certificate."""

from collections.abc import Sequence
from pathlib import Path

from rebuttal.base.errors import InputError
from rebuttal.evidence import papers, result_files
from rebuttal.evidence.ledger import ledger
from rebuttal.evidence.papers import Paper
from rebuttal.evidence.references.bundle import Row
from rebuttal.evidence.result_files import Results

MOST_EVIDENCE = 1000  # pieces, of all papers together: each takes a moment to judge


def papers_in(folder: Path) -> list[Paper]:
    """The papers of a project or bundle, by name. Raises InputError if there is none, or one is broken."""
    found = [papers.load(folder / "papers" / name / "paper.yaml") for name in papers.reviewed(folder)]
    if not found:
        raise InputError(
            f"{folder}: no papers/*/paper.yaml; allowed: a project or a bundle with at least one paper"
        )
    pieces = sum(len(question.answers) for paper in found for question in (*paper.claims, *paper.concerns))
    if pieces > MOST_EVIDENCE:
        raise InputError(f"{folder}: got {pieces:,} pieces of evidence; allowed: {MOST_EVIDENCE:,} at most")
    return found


def held_by(about: Sequence[Paper], results: Path) -> list[Paper]:
    """The papers whose results a folder has: a paper that came later is in no older reference."""
    return [paper for paper in about if paper.study is None or (results / paper.study).is_dir()]


def studies(about: Sequence[Paper]) -> list[str]:
    """The studies that papers rest on, each once."""
    return list(dict.fromkeys(paper.study for paper in about if paper.study))


def rows(about: Sequence[Paper], results: Path) -> list[Row]:
    """One row for each concern and claim of every paper, from the studies and analyses in a folder of results.

    Raises:
        InputError: a result file that a rule needs is missing or broken; the message names the paper.
    """
    found: list[Row] = []
    for paper in about:
        try:
            found += ledger(paper, _data(paper, results))
        except InputError as error:
            raise InputError(f"{paper.id}: {error}") from None
    return found


def _data(paper: Paper, results: Path) -> Results:
    """A paper's results; of a paper without a study, the analyses alone."""
    if paper.study is None:
        return result_files.without_runs(results)
    if not (results / paper.study).is_dir():
        raise InputError(
            f"{results / paper.study}: no such folder; allowed: results of the study {paper.study}"
        )
    return result_files.read(results / paper.study)
