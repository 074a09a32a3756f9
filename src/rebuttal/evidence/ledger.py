"""The ledger: every concern and claim of a paper with its verdict, in plain values, ready for JSON."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.evidence import judging, multiplicity, papers, result_files
from rebuttal.evidence.papers import Evidence, Paper, Question
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.verdicts import Verdict, judge

NO_EVIDENCE: dict[str, Any] = {
    "effect": None, "interval": [None, None], "n": 0, "unit": "", "rule": None, "figure": None, "conditions": "",
}  # fmt: skip


def ledger(paper: Paper | str | Path, study: Results | str | Path) -> list[dict[str, Any]]:
    """One row for every concern and claim of a paper, in their order: plain values, ready for JSON.

    study: its results, or its name or folder, from which they are read. `holm` of a claim is what stands of it when
    all of the paper's claims are corrected together (`multiplicity.corrected`); None for a concern.
    """
    paper = paper if isinstance(paper, Paper) else papers.load(paper)
    data = replace(study if isinstance(study, Results) else result_files.read(study), known={})
    judged = [(question, [judge(evidence, data) for evidence in question.answers])
              for question in (*paper.concerns, *paper.claims)]  # fmt: skip
    rows = [_row(question, paper, verdicts) for question, verdicts in judged]
    of_claims = range(len(paper.concerns), len(rows))
    parts = [(rows[at]["status"], [part for one in judged[at][1] for part in one.parts]) for at in of_claims]
    for at, holm in zip(of_claims, multiplicity.corrected(parts), strict=True):
        rows[at]["holm"] = holm
    return rows


def _row(question: Question, paper: Paper, verdicts: list[Verdict]) -> dict[str, Any]:
    """The first piece of evidence that measures gives the effect; the status is that of all of them together."""
    evidence = [_evidence(one, verdict) for one, verdict in zip(question.answers, verdicts, strict=True)]
    files = dict.fromkeys(file for verdict in verdicts for file in verdict.data_files)
    first = next((one for one in evidence if one["status"] != "answered"), (evidence or [NO_EVIDENCE])[0])
    shown = {key: first[key] for key in ("effect", "interval", "n", "unit", "rule", "figure", "conditions")}
    status = judging.combine(verdict.status for verdict in verdicts)
    return {"id": question.id, "paper": paper.id, "kind": question.kind, "status": status, "holm": None, **shown,
            "data_files": list(files), "text": question.text, "source": question.source,
            "concerns": list(question.concerns), "missing": question.missing, "evidence": evidence}  # fmt: skip


def _evidence(evidence: Evidence, verdict: Verdict) -> dict[str, Any]:
    parts = [{"where": part.where, "status": part.status, "effect": _number(part.effect),
              "interval": [_number(part.low), _number(part.high)], "n": part.n, "note": part.note}
             for part in verdict.parts]  # fmt: skip
    return {"status": verdict.status, "effect": _number(verdict.effect),
            "interval": [_number(verdict.low), _number(verdict.high)], "n": verdict.n, "unit": verdict.unit,
            "conditions": verdict.conditions, "rule": evidence.rule.model_dump(exclude_none=True),
            "figure": verdict.figure, "table": evidence.table, "data_files": list(verdict.data_files),
            "explain": evidence.explain, "parts": parts}  # fmt: skip


def _number(value: float) -> float | None:
    """Six digits, so that the ledger reads well; None where there is no number or no bound."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
