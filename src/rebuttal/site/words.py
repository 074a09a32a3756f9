"""Rules and effects in words: what a verdict tested, for a reader who does not read YAML."""

from collections.abc import Mapping
from typing import Any

from rebuttal.evidence.naming import number
from rebuttal.evidence.rules import rule_of

STATUSES = {
    "supported": "the whole interval lies on the supporting side of the margin, on every workload and machine",
    "contradicted": "the whole interval lies on the other side, on every workload and machine",
    "mixed": "supported in one place and contradicted in another",
    "undecided": "an interval crosses the margin, or there are fewer than five seeds",
    "answered": "the question asks for words or a diagram; nothing is measured",
    "open": "no evidence yet; what is missing is said",
}


def rule(given: Mapping[str, Any]) -> str:
    """The rule of a verdict as one sentence without its full stop."""
    return rule_of(given).in_words()


def effect(row: Mapping[str, Any]) -> str:
    """'0.964 times', or '–' where there is no number."""
    return f"{number(row['effect'])} {row['unit']}" if row["effect"] is not None else "–"


def interval(row: Mapping[str, Any]) -> str:
    """'[0.95, 0.98]'; '[0.95, open)' where misses leave an end open; empty where there is none."""
    low, high = row["interval"]
    if low is None and high is None:
        return ""
    return (
        f"{'(open' if low is None else f'[{number(low)}'}, {'open)' if high is None else f'{number(high)}]'}"
    )


def measured(given: Mapping[str, Any]) -> str:
    """What the effect is an effect on: 'seconds to the target: backup workers over asynchronous'."""
    return rule_of(given).measured()
