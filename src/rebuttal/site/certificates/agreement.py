"""Whether a rerun agrees with a reference: question by question, under tolerances that were fixed beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rebuttal.evidence.references.bundle import Row

Outcome = Literal["reproduced", "other size", "other verdict", "missing"]


@dataclass(frozen=True)
class Tolerances:
    """Fixed before any rerun, and written into every certificate.

    An effect agrees with another if either lies in the other's 95 % interval; failing that, if both are ratios within
    `ratio_factor` of each other (seconds differ between machines, and with them the order of updates); failing that,
    if they differ by at most `relative` of the larger one, or by `absolute`. Words must be equal.
    """

    ratio_factor: float = 1.5
    relative: float = 0.02
    absolute: float = 1e-6


TOLERANCES = Tolerances()


def compare(
    reference: Sequence[Row], rerun: Sequence[Row], given: Tolerances = TOLERANCES
) -> list[dict[str, Any]]:
    """One row for each concern and claim: id, paper, both words and answers, the outcome, and what differs.

    reproduced: equal word, as has every piece of evidence, and every effect agrees. other size: equal word, but
    some evidence or effect differs. other verdict: the word differs. missing: one side does not have the question.
    """
    sides = [{(row["paper"], row["id"]): row for row in rows} for rows in (reference, rerun)]
    return [
        _question(key, sides[0].get(key), sides[1].get(key), given)
        for key in dict.fromkeys([*sides[0], *sides[1]])
    ]


def outcome(
    questions: Sequence[Mapping[str, Any]],
) -> Literal["reproduced", "verdicts reproduced", "not reproduced"]:
    """Of a whole rerun: all questions reproduced, all verdicts at least, or not."""
    found = {question["outcome"] for question in questions}
    if found <= {"reproduced"}:
        return "reproduced"
    return "verdicts reproduced" if found <= {"reproduced", "other size"} else "not reproduced"


def _question(
    key: tuple[str, str], first: Row | None, second: Row | None, given: Tolerances
) -> dict[str, Any]:
    why = _differences(first, second, given)
    found: Outcome = "reproduced"
    if first is None or second is None:
        found = "missing"
    elif first["word"] != second["word"]:
        found = "other verdict"
    elif why:
        found = "other size"
    return {"id": key[1], "paper": key[0], "outcome": found, "reference": _shown(first), "rerun": _shown(second),
            "why": why}  # fmt: skip


def _shown(row: Row | None) -> dict[str, Any] | None:
    return row and {name: row[name] for name in ("word", "answer")}


def _differences(first: Row | None, second: Row | None, given: Tolerances) -> list[str]:
    """What differs, in words; empty if the question is reproduced."""
    if first is None or second is None:
        return [f"only the {'rerun' if first is None else 'reference'} has this question"]
    sides = [[*row["parts"], *row["more"]] for row in (first, second)]
    if len(sides[0]) != len(sides[1]):
        return ["another number of pieces of evidence"]
    found = [] if first["word"] == second["word"] else [f"{first['word']}, now {second['word']}"]
    for number, (one, other) in enumerate(zip(*sides, strict=True), 1):
        if one["word"] != other["word"]:
            found.append(f"evidence {number}: {one['word']}, now {other['word']}")
        if not agree(one, other, given):
            found.append(f"evidence {number}: {_said(one)}, now {_said(other)}")
    return found


def agree(one: Mapping[str, Any], other: Mapping[str, Any], given: Tolerances = TOLERANCES) -> bool:
    """Whether the effects of two rows agree; each has effect, interval and unit."""
    first, second = one["effect"], other["effect"]
    if first is None or second is None:
        return first is second
    if one["unit"] != other["unit"]:
        return False
    if _holds(one["interval"], second) or _holds(other["interval"], first):
        return True
    size = max(abs(first), abs(second))
    if one["unit"] == "times" and min(first, second) > 0 and size <= given.ratio_factor * min(first, second):
        return True
    return abs(first - second) <= max(given.absolute, given.relative * size)


def _holds(interval: Sequence[float | None], value: float) -> bool:
    """Whether an interval holds a value; an end that is None is open, and two of them are no interval."""
    low, high = interval
    if low is None and high is None:
        return False
    return (low is None or low <= value) and (high is None or value <= high)


def _said(row: Mapping[str, Any]) -> str:
    return "no effect" if row["effect"] is None else f"{row['effect']:.4g} {row['unit']}".rstrip()
