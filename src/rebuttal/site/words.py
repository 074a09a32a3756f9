"""Effects and words as a reader has them."""

import math
from collections.abc import Mapping
from typing import Any

from rebuttal.evidence.answer_templates import EffectSlot
from rebuttal.evidence.naming import number

#: Unit -> the format of its numbers; of the first three it is that of the answers. Others have three digits.
FORMAT_OF = {"times": "", "points": "", "%": "", "backups": "whole"}
#: Every word of a question, in the order in which they are counted -> what it means.
WORDS = {
    "supported": "the whole interval lies on the supporting side of the margin, everywhere",
    "contradicted": "the whole interval lies on the other side, everywhere",
    "depends": "places or parts differ; the answer says which and on what",
    "no difference": "the whole interval lies within a margin that was fixed before",
    "cannot tell": "the interval reaches over the margin, or there are too few seeds",
    "answered": "the question asks how, what or where, and has no truth value",
    "open": "no evidence yet; what is missing is said",
}


def numbers(row: Mapping[str, Any]) -> str:
    """Effect, unit and interval with the decimals of the answers: '1.30 times [0.97, 1.85]'.

    The interval is written '[0.95, 0.98]' if it is one of chance, '(0.95 to 0.98)' if it is a range, '[at least 0.95]'
    where misses leave an end open. It is left out where there is none.
    """
    effect, unit, kind = row["effect"], row["unit"], row.get("interval_kind", "")
    if effect is None or not math.isfinite(effect):
        return number(effect)
    low, high = (
        open_end if end is None else end
        for end, open_end in zip(row["interval"], (-math.inf, math.inf), strict=True)
    )
    first = unit.partition(" ")[0]
    slot = EffectSlot(effect, low, high, first, kind if not kind or kind.endswith("interval") else "range")
    return slot.said(effect, low, high, FORMAT_OF.get(first, "3"), f" {unit}".rstrip())


#: Word -> how one question, and how several, are counted with it.
COUNTED = {
    "supported": ("is supported", "are supported"),
    "contradicted": ("is contradicted", "are contradicted"),
    "depends": ("has a mixed answer, by part or by place", "have mixed answers, by part or by place"),
    "no difference": ("shows no difference", "show no difference"),
    "cannot tell": ("cannot be told", "cannot be told"),
    "answered": ("is answered in words or numbers", "are answered in words or numbers"),
    "open": ("is open", "are open"),
}
