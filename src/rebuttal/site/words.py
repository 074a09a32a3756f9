"""Rules and effects in words: what a verdict tested, for a reader who does not read YAML."""

from collections.abc import Mapping
from typing import Any

from rebuttal.evidence.naming import number
from rebuttal.evidence.rules import rule_of

WORDS = {
    "supported": "yes: the measurements say so, by more than chance",
    "contradicted": "no: they say the opposite, by more than chance",
    "depends": "yes in some places and no in others, by more than chance; the answer says where",
    "no difference": "equal within a margin that was fixed beforehand",
    "cannot tell": "too few seeds, or too much chance between them",
    "answered": "the question asks how, what or where, and the answer says it",
    "open": "no evidence yet; what is missing is said",
}


def rule(given: Mapping[str, Any]) -> str:
    """The rule of a verdict as one sentence without its full stop."""
    return rule_of(given).in_words()


def effect(row: Mapping[str, Any]) -> str:
    """'0.964 times', or '–' where there is no number."""
    return f"{number(row['effect'])} {row['unit']}" if row["effect"] is not None else "–"


def interval(row: Mapping[str, Any]) -> str:
    """'[0.95, 0.98]' of chance, '0.95 to 0.98' of a range; an end that misses leave open says so."""
    low, high = row["interval"]
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"[at most {number(high)}]" if low is None else f"[at least {number(low)}]"
    ends = f"{number(low)}, {number(high)}"
    return f"[{ends}]" if row["interval_kind"].endswith("interval") else f"({ends.replace(', ', ' to ')})"


def measured(given: Mapping[str, Any]) -> str:
    """What the effect is an effect on: 'seconds to the target: backup workers over asynchronous'."""
    return rule_of(given).measured()
