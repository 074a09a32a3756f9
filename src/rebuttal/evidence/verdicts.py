"""Verdicts: what a rule of a paper.yaml says about the result files of a study.

A verdict is computed and never written by hand: `supported` if the interval lies on the supporting side of the
rule's margin on every workload and machine, `contradicted` if on the other side on every one, `mixed` if it is split,
`undecided` otherwise or with fewer than five seeds. A question that asks for words is `answered`, one without evidence
`open`. See docs/verdicts.md.
"""

from dataclasses import dataclass

from rebuttal.evidence import judging
from rebuttal.evidence.judging import PlaceOutcome, Status
from rebuttal.evidence.papers import Evidence
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Rule


@dataclass(frozen=True)
class Verdict:
    """What a rule found. effect, low, high: over all parts; n: the fewest pairs of seeds behind any part."""

    status: Status
    effect: float
    low: float
    high: float
    n: int
    unit: str
    conditions: str
    parts: tuple[PlaceOutcome, ...]
    figure: str | None
    data_files: tuple[str, ...]


def judge(evidence: Evidence, data: Results) -> Verdict:
    """The verdict of one piece of evidence. Raises InputError if the rule names what the results do not have."""
    found = evidence.rule.judge(data)
    status = (
        judging.combine(place.status for place in found.places) if found.places else _without(evidence.rule)
    )
    return Verdict(status, *found.overall, min((place.n for place in found.places), default=0), found.unit,
                   found.conditions, found.places, evidence.figure, found.files)  # fmt: skip


def _without(rule: Rule) -> Status:
    """Of a rule that found no place: nothing was to be measured, or nothing was run."""
    return "answered" if rule.kind == "explained" else "undecided"
