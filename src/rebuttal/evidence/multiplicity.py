"""Several claims of one paper, corrected together: Holm's step-down adjustment of one p-value for each claim.

A claim must hold in every place where it is judged, so its p-value is the largest of its places' (an
intersection-union test, which needs no correction of its own); twice that, since support and contradiction are both
looked for. `mixed` says two things, that it holds somewhere and fails somewhere, among several places: there the
smallest p-value counts, times the number of places (Bonferroni), and the larger of the two directions.

Holm, S. (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
"""

from collections.abc import Sequence
from typing import Any

from rebuttal.evidence.judging import PlaceOutcome, Status, Tails
from rebuttal.evidence.student import CONFIDENCE

DECIDED = ("supported", "contradicted", "mixed")


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the same order: at most 0.05 where a claim stands at a family-wise error of 5 %."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def p_value(status: Status, parts: Sequence[PlaceOutcome]) -> float | None:
    """That of a question whose parts combine to `status`; None if chance enters into none of them.

    A part without chance is certain: 0 for its own status, 1 for the other.
    """
    if all(part.p is None for part in parts):
        return None
    tails = [
        part.p or Tails(float(part.status != "supported"), float(part.status != "contradicted"))
        for part in parts
    ]
    by_direction = list(zip(*tails, strict=True))
    if status == "mixed":
        return min(1.0, 2 * max(min(1.0, len(parts) * min(found)) for found in by_direction))
    return min(1.0, 2 * min(map(max, by_direction)))


def corrected(found: Sequence[tuple[Status, Sequence[PlaceOutcome]]]) -> list[dict[str, Any] | None]:
    """For each of a paper's claims: p_value, adjusted, the status that stands, and of how many claims; None: no chance.

    A status stays if the adjusted p-value is at most 5 %, and becomes undecided otherwise.
    """
    p_values = [p_value(status, parts) for status, parts in found]
    chance = [p for p in p_values if p is not None]
    adjusted = iter(holm(chance))
    rows: list[dict[str, Any] | None] = []
    for (status, _), p in zip(found, p_values, strict=True):
        if p is None:
            rows.append(None)
            continue
        after = next(adjusted)
        kept = status if status not in DECIDED or after <= 1 - CONFIDENCE else "undecided"
        rows.append({"p_value": _short(p), "adjusted": _short(after), "status": kept, "claims": len(chance)})
    return rows


def _short(p: float) -> float:
    return float(f"{p:.3g}")
