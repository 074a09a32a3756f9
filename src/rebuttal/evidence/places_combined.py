"""From the outcomes of several places to one word, and the number that decided it: docs/verdicts.md has the procedure.

Holm, S. (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rebuttal.evidence import judging, multiplicity
from rebuttal.evidence.judging import Asked, PlaceOutcome, Tails, Word
from rebuttal.evidence.places import OverPlaces, over
from rebuttal.evidence.student import NOTHING, Interval

ONE_SIDED = 0.025
RANGE = "range"
OPPOSITE: dict[Word, Word] = {"supported": "contradicted", "contradicted": "supported"}
HELD = ("supported", "contradicted", "no difference", "answered")  # words that places can agree on


@dataclass(frozen=True)
class Combined:
    """A word over places, with the effect and the interval that decided it. p: None where no chance enters."""

    word: Word
    effect: float
    low: float
    high: float
    kind: str
    p: float | None


def combine(places: Sequence[PlaceOutcome], asked: Asked | None) -> Combined:
    """Depends, if places differ beyond chance; else what they say together, or what they all say; else cannot tell."""
    if len(places) == 1:
        one = places[0]
        return Combined(one.word, one.effect, one.low, one.high, one.kind, _p_of(one, asked))
    if asked is None or all(one.p is None for one in places):
        return _without_chance(places)
    apart = _apart(places)
    if apart is not None:
        return Combined("depends", *_hull(places), RANGE, apart)
    return _together(places, asked)


def _together(places: Sequence[PlaceOutcome], asked: Asked) -> Combined:
    """What the places say together, if none says the opposite; else what all of them say; else cannot tell."""
    pooled, said = pooled_over(places), {one.word for one in places}
    word: Word = "cannot tell"
    interval, kind, p = _hull(places), RANGE, 1.0
    if pooled is not None:
        word, interval, kind = judging.judged(pooled, asked)
        p = _p_value(judging.tails(pooled, asked), word, asked)
    if word != "cannot tell" and OPPOSITE.get(word) not in said:
        return Combined(word, *interval, kind, p)
    if len(said) == 1 and said <= set(HELD):
        return Combined(
            places[0].word, *_hull(places), RANGE, max(_p_of(one, asked) or 0.0 for one in places)
        )
    if word != "cannot tell":  # together they say what one of them denies
        return Combined("cannot tell", *_hull(places), RANGE, 1.0)
    return Combined("cannot tell", *interval, kind, p)


def pooled_over(places: Sequence[PlaceOutcome]) -> OverPlaces | None:
    """The effect over workloads and machines; None for other places, which stand for themselves, or without any."""
    if not all("workload" in one.labels for one in places) and len(places) > 1:
        return None
    there = [(one.effects, str(one.labels.get("workload", one.where))) for one in places]
    known = [(effects, name) for effects, name in there if effects is not None and effects.n]
    return over([effects for effects, _ in known], [name for _, name in known]) if known else None


def _without_chance(places: Sequence[PlaceOutcome]) -> Combined:
    """What all of them say; depends, if they say different things; cannot tell, if one of them has no number."""
    if not places:
        return Combined("cannot tell", *NOTHING, "", None)
    said = {one.word for one in places}
    word: Word = places[0].word if len(said) == 1 else "cannot tell" if "cannot tell" in said else "depends"
    return Combined(word, *_hull(places), RANGE, None)


def _apart(places: Sequence[PlaceOutcome]) -> float | None:
    """The p-value of being supported somewhere and contradicted elsewhere, Holm over the places; None: not shown."""
    tails = [one.p or judging.NO_EVIDENCE for one in places]
    least = [
        min(multiplicity.holm([getattr(one, name) for one in tails]))
        for name in ("supported", "contradicted")
    ]
    return min(1.0, 2 * max(least)) if max(least) <= ONE_SIDED else None


def _p_of(one: PlaceOutcome, asked: Asked | None) -> float | None:
    return None if one.p is None else _p_value(one.p, one.word, asked)


def _p_value(tails: Tails, word: Word, asked: Asked | None) -> float:
    """Of the word's own test; of a difference twice the tail, since both sides are looked at; of equality once."""
    if word == "no difference":
        return tails.same
    supported = tails.supported if asked is not None and asked.better == "equal" else 2 * tails.supported
    return min(1.0, supported, 2 * tails.contradicted)


def _hull(places: Sequence[PlaceOutcome]) -> Interval:
    """The middle of the places' effects, and the range of their intervals, or of the effects where they have none."""
    there = [one for one in places if np.isfinite(one.effect)]
    if not there:
        return NOTHING
    lows = [one.effect if np.isnan(one.low) else one.low for one in there]
    highs = [one.effect if np.isnan(one.high) else one.high for one in there]
    return Interval(float(np.median([one.effect for one in there])), min(lows), max(highs))
