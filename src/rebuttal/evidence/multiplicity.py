"""Several claims of one paper, corrected together: Holm's step-down adjustment of one p-value for each claim.

A claim's p-value is that of its word over all places (`places_combined`), the largest of its parts.

Holm, S. (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
"""

from collections.abc import Sequence
from typing import Any

from rebuttal.evidence.judging import Word
from rebuttal.evidence.student import CONFIDENCE

DECIDED = ("supported", "contradicted", "depends", "no difference")


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the same order: at most 0.05 where a claim stands at a family-wise error of 5 %."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def corrected(found: Sequence[tuple[Word, float | None]]) -> list[dict[str, Any] | None]:
    """For each of a paper's claims: p_value, adjusted, the word that stands, and of how many claims; None: no chance.

    A word stays if the adjusted p-value is at most 5 %, and becomes "cannot tell" otherwise.
    """
    adjusted = iter(holm([p for _, p in found if p is not None]))
    claims = sum(p is not None for _, p in found)
    rows: list[dict[str, Any] | None] = []
    for word, p in found:
        if p is None:
            rows.append(None)
            continue
        after = next(adjusted)
        kept = word if word not in DECIDED or after <= 1 - CONFIDENCE else "cannot tell"
        rows.append({"p_value": _short(p), "adjusted": _short(after), "word": kept, "claims": claims})
    return rows


def _short(p: float) -> float:
    return float(f"{p:.3g}")
