"""The answer to a question, in one sentence, from its parts and the templates of `answer_templates`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from rebuttal.base.errors import InputError
from rebuttal.evidence import answer_templates, places_apart, places_combined, power
from rebuttal.evidence.answer_templates import EffectSlot, Gap, Quantity
from rebuttal.evidence.judging import FEWEST_SEEDS, PlaceOutcome
from rebuttal.evidence.naming import named
from rebuttal.evidence.papers import Question
from rebuttal.evidence.readers_units import unit_of
from rebuttal.evidence.verdicts import Verdict

FEW, MANY_SEEDS = 2, 100  # names that a sentence lists; seeds beyond which none are counted
OPEN = "No evidence yet."
TOO_FEW = f"Cannot tell: with fewer than {FEWEST_SEEDS} seeds nothing is decided."


@dataclass(frozen=True)
class QuestionAnswer:
    """A question's sentence, and that of each of its parts."""

    whole: str
    parts: list[str]


def of(verdicts: Sequence[Verdict], question: Question) -> QuestionAnswer:
    """The answer to a question. Raises InputError where a sentence lacks a number or does not read."""
    deciding = [one for one in verdicts if one.evidence.role == "decides"]
    others = {one.evidence.part: SimpleNamespace(**_slots(one)) for one in verdicts if one.evidence.part}
    try:
        parts = [_clause(one, question, others, alone=len(deciding) == 1) for one in deciding]
        each = [answer_templates.sentence([("", said + after)], "answer") for said, after in parts]
        return QuestionAnswer(_whole(deciding, parts), each)
    except InputError as error:
        if any(map(_few_seeds, verdicts)):
            return QuestionAnswer(TOO_FEW, [TOO_FEW for _ in deciding])
        raise InputError(f"{question.id}: {error}") from None


def _whole(deciding: Sequence[Verdict], parts: Sequence[tuple[str, str]]) -> str:
    """All parts in one text, without what follows from their words where that would be too long."""
    if not deciding:
        return OPEN
    if all(map(_few_seeds, deciding)):
        return TOO_FEW
    names = [one.evidence.part for one in deciding]
    full = [said + after for said, after in parts]
    fits = answer_templates.length(zip(names, full, strict=True)) <= answer_templates.MOST_WORDS
    return answer_templates.sentence(
        list(zip(names, full if fits else [said for said, _ in parts], strict=True)), "answer"
    )


def _few_seeds(verdict: Verdict) -> bool:
    """Whether chance enters, and there are too few seeds to decide anything."""
    return any(one.p is not None for one in verdict.parts) and verdict.n < FEWEST_SEEDS


def needs(verdict: Verdict) -> str | None:
    """How many seeds would tell, where chance stands in the way; None elsewhere."""
    asked, pooled = verdict.found.asked, places_combined.pooled_over(verdict.parts)
    if verdict.word != "cannot tell" or asked is None or pooled is None or pooled.n < FEWEST_SEEDS:
        return None
    if pooled.at_least or pooled.at_most:
        return "runs that missed the target leave it open"
    tests = [
        (asked.low, asked.high, asked.better in ("equal", "within")),
        *([(*asked.same, True)] if asked.same else []),
    ]
    found = [power.seeds_needed(pooled, low, high, equal=equal) for low, high, equal in tests]
    least = min((n for n in found if n is not None), default=None)
    return power.in_words(least) if least is None or least > pooled.n else None


def _clause(
    verdict: Verdict, question: Question, others: Mapping[str, Any], *, alone: bool
) -> tuple[str, str]:
    """What a part says, with the lead of its word, and what may follow it."""
    says, word = verdict.evidence.says, verdict.word
    slots = {**_slots(verdict), **others}
    if isinstance(says, Mapping) and word in says:
        return answer_templates.fill(says[word], slots), ""
    if not says and word == "answered" and not verdict.parts:  # words are the answer
        return verdict.evidence.explain.rstrip("."), ""
    template = says if isinstance(says, str) else verdict.evidence.rule.says()
    asked = "what" if question.asks == "what" else "claim" if question.source else "question"
    if not np.isfinite(verdict.effect) and word == "cannot tell":
        return "Cannot tell: no run reached the target", ""
    if word == "depends" and alone:
        return _depends(verdict, template, slots), ""
    return answer_templates.clause(word, answer_templates.fill(template, slots), asked), _after(
        verdict, alone=alone
    )


def _after(verdict: Verdict, *, alone: bool) -> str:
    """How many seeds would tell; over how many places a word holds."""
    places = len(verdict.parts)
    if verdict.word == "cannot tell":
        more = needs(verdict)
        return f" (only {verdict.n} seeds)" if _few_seeds(verdict) else f"; {more}" if more else ""
    chance = any(one.p is not None for one in verdict.parts)
    if not alone or places < 2 or not chance or verdict.word == "answered":
        return ""
    same = {one.word for one in verdict.parts} == {verdict.word}
    return f", in all {places} places" if same else f", over {places} places"


def _depends(verdict: Verdict, template: str, slots: Mapping[str, Any]) -> str:
    """The clause where it holds, and the effect where it does not; what separates the two."""
    apart = places_apart.separating(verdict.parts)
    yes, no = (_group(verdict.parts, word) for word in places_apart.SIDES)
    unit = unit_of(verdict.found.unit)
    if not yes or not no:
        return answer_templates.clause("depends", answer_templates.fill(template, slots), "question")
    slot = "gap" if "{gap" in template else "value"
    kind = Gap if slot == "gap" else EffectSlot
    said = unit.name.split(" ", maxsplit=1)[0]
    values = [kind(_middle(some, unit.factor), np.nan, np.nan, said, "") for some in (yes, no)]
    text = answer_templates.fill(template, {**slots, slot: values[0]})
    total = len(verdict.parts)
    sides = (apart.yes, apart.no) if apart else [_where(some, verdict.parts, total) for some in (yes, no)]
    lead = f"Depends on the {apart.name}" if apart else "Depends"
    spec = re.search(r"\{" + slot + r":(\w+)\}", template)
    return f"{lead}: {text} {sides[0]}, {format(values[1], spec.group(1) if spec else '')} {sides[1]}"


def _where(some: Sequence[PlaceOutcome], everywhere: Sequence[PlaceOutcome], total: int) -> str:
    """'for MNIST and CIFAR-10', by the labels that differ between places; of many, how many."""
    names = list(dict.fromkeys(_name(one, everywhere) for one in some))
    return f"for {' and '.join(names)}" if len(names) <= FEW else f"in {len(some)} of {total} places"


def _name(one: PlaceOutcome, everywhere: Sequence[PlaceOutcome]) -> str:
    """The labels of a place that others do not share."""
    keys = [
        key
        for key, value in one.labels.items()
        if any(other.labels.get(key) != value for other in everywhere)
    ]
    said = [_label(key, one.labels[key]) for key in keys or one.labels]
    return " on ".join(said) or "everything"


def _label(key: str, value: Any) -> str:
    return f"{key.replace('_', ' ')} {value:,}" if isinstance(value, int | float) else named(value)


def _group(places: Sequence[PlaceOutcome], word: str) -> list[PlaceOutcome]:
    return [one for one in places if one.word == word]


def _middle(places: Sequence[PlaceOutcome], factor: float) -> float:
    effects = [one.effect for one in places if np.isfinite(one.effect)]
    return factor * float(np.median(effects)) if effects else np.nan


def _slots(verdict: Verdict) -> dict[str, Any]:
    """Every slot of `answer_templates.SLOTS`."""
    unit = unit_of(verdict.found.unit)
    name, factor = unit.name.split(" ")[0], unit.factor
    over, places = verdict.over_all, verdict.parts
    numbers = (factor * over.effect, factor * over.low, factor * over.high)
    there = sorted((one for one in places if np.isfinite(one.effect)), key=lambda one: one.effect)
    ends = {"lowest": there[0], "highest": there[-1]} if there else {}
    effects = {key: Quantity(factor * one.effect, name) for key, one in ends.items()}
    names = {f"{key}_at": _name(one, places) for key, one in ends.items()}
    sides = {"yes": _group(places, "supported"), "no": _group(places, "contradicted")}
    counts = {key: len(some) for key, some in sides.items()}
    at_sides = {
        f"{key}_at": " and ".join(dict.fromkeys(_name(one, places) for one in some))
        for key, some in sides.items()
    }
    levels = {label: Quantity(factor * level, name) for label, level in verdict.found.levels.items()}
    at: dict[str | int, Quantity] = {one.where: Quantity(factor * one.effect, name) for one in places}
    at |= levels
    at |= {
        int(label): value for label, value in at.items() if str(label).isdigit()
    }  # {at[2]} looks for a number
    return {"value": EffectSlot(*numbers, name, over.kind), "gap": Gap(*numbers, name, over.kind),
            **dict(zip(("effect", "low", "high"), [Quantity(one, name) for one in numbers], strict=True)),
            "n": verdict.n, "epochs": verdict.found.epochs, "places": len(places), "at": at, **effects, **names,
            **counts, **at_sides, **_ends_of(levels)}  # fmt: skip


def _ends_of(levels: Mapping[str, Quantity]) -> dict[str, Any]:
    """Of a trend, where it starts and where it ends."""
    if not levels:
        return {}
    first, last = next(iter(levels)), list(levels)[-1]
    return {"start": levels[first], "start_at": first, "end": levels[last], "end_at": last}
