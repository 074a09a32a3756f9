"""Rules, effects and words as a reader has them: what a verdict tested, for one who does not read YAML."""

import math
from collections.abc import Mapping
from typing import Any

from rebuttal.evidence.naming import number
from rebuttal.evidence.rules import rule_of

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


def rule(given: Mapping[str, Any]) -> str:
    """The rule of a verdict as one sentence without its full stop."""
    return rule_of(given).in_words()


def interval(row: Mapping[str, Any]) -> str:
    """'[0.95, 0.98]' of chance, '(0.95 to 0.98)' of a range; '[at least 0.95]' where misses leave an end open.

    Empty where there is none, as of what is exact. A ratio is never below 0, so a lower end of 0 says nothing.
    """
    low, high = row["interval"]
    if low == 0.0 and row["unit"].startswith("times"):
        low = None
    if (low is None and high is None) or not row["interval_kind"]:
        return ""
    if low is None or high is None:
        return f"[at most {rounded(high)}]" if low is None else f"[at least {rounded(low)}]"
    if row["interval_kind"].endswith("interval"):
        return f"[{rounded(low)}, {rounded(high)}]"
    return f"({rounded(low)} to {rounded(high)})"


def numbers(row: Mapping[str, Any]) -> str:
    """Effect and interval, rounded for people: '1.3 times [0.97, 1.85]'."""
    return " ".join(filter(None, (rounded(row["effect"]), row["unit"], interval(row))))


def rounded(value: float | None) -> str:
    """Three digits at most."""
    if value is None or not math.isfinite(value):
        return number(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−") if abs(value) >= 1e-4 or value == 0 else number(value)


def measured(given: Mapping[str, Any]) -> str:
    """What the effect is an effect on: 'seconds to the target: backup workers over asynchronous'."""
    return rule_of(given).measured()


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
