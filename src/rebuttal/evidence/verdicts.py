"""Verdicts: what a rule of a paper.yaml says about the result files of a study, over all places together.

A verdict is computed and never written by hand. docs/verdicts.md has the procedure.
"""

from dataclasses import dataclass

from rebuttal.evidence import places_combined
from rebuttal.evidence.judging import PlaceOutcome, Word
from rebuttal.evidence.papers import Evidence
from rebuttal.evidence.places_combined import Combined
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.rule import Found


@dataclass(frozen=True)
class Verdict:
    """What a piece of evidence says: in every place, and over all of them."""

    evidence: Evidence
    found: Found
    over_all: Combined

    @property
    def word(self) -> Word:
        """The word over all places."""
        return self.over_all.word

    @property
    def parts(self) -> tuple[PlaceOutcome, ...]:
        """The outcome of every place."""
        return self.found.places

    @property
    def effect(self) -> float:
        """The effect over all places."""
        return self.over_all.effect

    @property
    def n(self) -> int:
        """The fewest pairs of seeds, or numbers, behind any place."""
        return min((place.n for place in self.found.places), default=0)


def judge(evidence: Evidence, data: Results) -> Verdict:
    """The verdict of one piece of evidence. Raises InputError if the rule names what the results do not have."""
    found = evidence.rule.judge(data)
    if evidence.rule.kind == "explained":
        return Verdict(evidence, found, Combined("answered", *places_combined.NOTHING, "", None))
    return Verdict(evidence, found, places_combined.combine(found.places, found.asked))
