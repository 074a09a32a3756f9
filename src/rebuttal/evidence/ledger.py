"""The ledger: every concern and claim of a paper with its words and its answer, in plain values, ready for JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.errors import InputError
from rebuttal.evidence import answers, multiplicity, papers, places_apart, result_files
from rebuttal.evidence.judging import FEWEST_SEEDS, PlaceOutcome, Word
from rebuttal.evidence.papers import Paper, Question
from rebuttal.evidence.readers_units import ReadersUnit, unit_of
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.verdicts import Verdict, judge


@dataclass(frozen=True)
class Judged:
    """A question with the verdict of every piece of its evidence."""

    question: Question
    verdicts: list[Verdict]

    def of_role(self, role: papers.Role) -> list[Verdict]:
        """The verdicts of the evidence of one role."""
        return [one for one in self.verdicts if one.evidence.role == role]

    @property
    def word(self) -> Word:
        """That of the deciding parts, if they agree, else depends; what asks for no truth is answered if a part is."""
        said: list[Word] = [self.said(one) for one in self.of_role("decides")]
        if not said:
            return "open"
        if "answered" in said:
            return "answered"
        return said[0] if len(set(said)) == 1 else "depends"

    def said(self, verdict: Verdict) -> Word:
        """The word of a part: where no truth is asked for, answered, if there is an answer."""
        if self.question.asks == "what" and verdict.word != "cannot tell":
            return "answered"
        return verdict.word


def ledger(paper: Paper | str | Path, study: Results | str | Path) -> list[dict[str, Any]]:
    """One row for every concern and claim of a paper, in their order: plain values, ready for JSON.

    study: its results, or its name or folder, from which they are read. `holm` of a claim is what stands of it when
    all of the paper's claims are corrected together (`multiplicity.corrected`); None for a concern.

    Raises:
        InputError: a rule that names what the results do not have, a check that does not hold, or a sentence that does
            not read; one line, with the question.
    """
    paper = paper if isinstance(paper, Paper) else papers.load(paper)
    data = replace(study if isinstance(study, Results) else result_files.read(study), known={})
    judged = [Judged(question, [judge(evidence, data) for evidence in question.answers])
              for question in (*paper.concerns, *paper.claims)]  # fmt: skip
    rows = [_row(one, paper) for one in judged]
    claims = range(len(paper.concerns), len(rows))
    corrected = multiplicity.corrected([(judged[at].word, _p_value(judged[at])) for at in claims])
    for at, holm in zip(claims, corrected, strict=True):
        rows[at]["holm"] = holm
    return rows


def _p_value(judged: Judged) -> float | None:
    """The largest of the parts into which chance enters; None if it enters into none."""
    found = [one.over_all.p for one in judged.of_role("decides") if one.over_all.p is not None]
    return max(found, default=None)


def _row(judged: Judged, paper: Paper) -> dict[str, Any]:
    question = judged.question
    checks = [_check(one, question.id) for one in judged.of_role("checks")]
    said = answers.of(judged.verdicts, question)
    parts = [_part(one, judged.said(one), answer, question)
             for one, answer in zip(judged.of_role("decides"), said.parts, strict=True)]  # fmt: skip
    files = dict.fromkeys(file for verdict in judged.verdicts for file in verdict.found.files)
    return {"id": question.id, "paper": paper.id, "kind": question.kind, "word": judged.word, "answer": said.whole,
            "holm": None, "text": question.text, "source": question.source, "concerns": list(question.concerns),
            "missing": question.missing, "parts": parts,
            "more": [_measured(one) for one in judged.of_role("explains")], "checks": checks,
            "data_files": list(files)}  # fmt: skip


def _part(verdict: Verdict, word: Word, answer: str, question: Question) -> dict[str, Any]:
    """What decides a part of a question."""
    apart = places_apart.separating(verdict.parts) if word == "depends" else None
    about = {"name": verdict.evidence.part, "word": word, "answer": answer}
    attribute = {"name": apart.name, "sentence": apart.sentence} if apart else None
    more = {"attribute": attribute, "needs": answers.needs(verdict)}
    return {**about, **_measured(verdict), "word": word, **more}


def _measured(verdict: Verdict) -> dict[str, Any]:
    """A piece of evidence: its word, its effect in the unit that readers have, and every place."""
    evidence, found, over_all = verdict.evidence, verdict.found, verdict.over_all
    unit = unit_of(found.unit)
    asked = found.asked
    margin = [_number(unit.of(edge)) for edge in (asked.margin if asked else [])]
    same = [_number(unit.of(edge)) for edge in (asked.same or ())] if asked else []
    places = [_place(one, unit) for one in found.places]
    return {"word": verdict.word, **_effect(over_all.effect, over_all.low, over_all.high, unit),
            "interval_kind": over_all.kind, "unit": unit.name, "n": verdict.n,
            "better": asked.better if asked else None, "margin": margin, "same": same,
            "rule": evidence.rule.model_dump(exclude_none=True), "figure": evidence.figure, "table": evidence.table,
            "conditions": found.conditions, "explain": evidence.explain, "data_files": list(found.files),
            "places": places}  # fmt: skip


def _place(one: PlaceOutcome, unit: ReadersUnit) -> dict[str, Any]:
    return {"where": one.where, "workload": one.labels.get("workload"), "machine": one.labels.get("machine"),
            "word": one.word, **_effect(one.effect, one.low, one.high, unit), "interval_kind": one.kind, "n": one.n,
            "note": one.note}  # fmt: skip


def _effect(effect: float, low: float, high: float, unit: ReadersUnit) -> dict[str, Any]:
    return {"effect": _number(unit.of(effect)), "interval": [_number(unit.of(low)), _number(unit.of(high))]}


def _check(verdict: Verdict, question: str) -> dict[str, Any]:
    """A check that holds. Raises InputError where one does not, of which there are enough numbers to tell."""
    for one in verdict.parts:
        enough = one.n >= FEWEST_SEEDS or one.p is None
        if enough and one.word != "supported" and not math.isnan(one.effect):
            rule = verdict.evidence.rule.in_words()
            raise InputError(
                f"{question}: a check does not hold on {one.where}: got {one.effect:.4g}; allowed: {rule}"
            )
    return {**_measured(verdict), "holds": True}


def _number(value: float) -> float | None:
    """Six digits, so that the ledger reads well; None where there is no number or no bound."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def evidence_of(row: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Every piece of evidence of a row: what decides, what explains, and the checks."""
    return [*row["parts"], *row["more"], *row["checks"]]
