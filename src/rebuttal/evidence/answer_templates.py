"""Answers in one sentence: templates with slots for numbers, filled from evidence, and refused where they do not read.

A template is a clause such as "backup workers need {value} times the seconds of asynchronous training". What stands
before and after it ("Yes: ... in all 6 places", "Cannot tell: ...; about 20 seeds would tell") follows from the word.
A template for one word alone is the whole sentence. Slots: `SLOTS`, at[LABEL] for the effect in one place, and
PART.SLOT for another piece of evidence. A slot may have a format, as in {effect:percent}: `FORMATS`, or a number of
significant digits.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from rebuttal.base.errors import InputError, refuse
from rebuttal.evidence.judging import Word

MOST_WORDS = 45
SLOTS = ("value", "gap", "effect", "low", "high", "n", "epochs", "places", "yes", "no", "lowest", "highest", "start",
         "end", "lowest_at", "highest_at", "start_at", "end_at", "yes_at", "no_at", "at")  # fmt: skip
FORMATS = ("percent", "points", "whole")
UNFIT = (r"\bfractions?\b", r"\bnats?\b", r"_", r"\w\s*=\s*[\w.]")
LEADS: dict[str, dict[Word, str]] = {
    "question": {"supported": "Yes", "contradicted": "No"},
    "claim": {"supported": "It holds", "contradicted": "It does not hold"},
    "what": {"supported": "", "contradicted": "", "answered": "", "depends": "", "no difference": ""},
}
EITHER: dict[Word, str] = {
    "depends": "Depends",
    "no difference": "No difference",
    "cannot tell": "Cannot tell",
}


@dataclass(frozen=True)
class Quantity:
    """A number for a reader, in a unit: of ratios two digits, of accuracies percentage points with one decimal."""

    value: float
    unit: str = ""

    def __format__(self, given: str) -> str:
        if not math.isfinite(self.value):
            raise InputError("says: got a slot without a number; allowed: slots that the evidence has")
        value, kind = self.value, given or {"points": "points", "%": "percent"}.get(self.unit, "2")
        if self.unit in ("points", "%"):
            value /= 100
        if kind in ("points", "percent"):
            small = kind == "percent" and abs(value) >= 0.1
            return f"{100 * value:.{0 if small else 1}f}".replace("-", "−")
        return _digits(value, 0 if kind == "whole" else int(kind))


def _decimals(ratio: float) -> int:
    """How many decimals a ratio has: two about 1, where they tell most; fewer if it is large."""
    if 0 < ratio < 0.1:
        return 1 - math.floor(math.log10(ratio))
    return 2 if ratio < 2 else 1 if ratio < 20 else 0


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _digits(value: float, digits: int) -> str:
    """A value with so many significant digits, 0: as a whole number; thousands have commas."""
    if digits == 0 or abs(value) >= 10 ** max(digits, 2):
        return f"{_rounded(value, digits or 9):,.0f}".replace("-", "−")
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa} × 10{str(int(exponent)).translate(SUPERSCRIPT)}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(_rounded(value, digits)))))
    return f"{value:.{decimals}f}".replace("-", "−")


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


@dataclass(frozen=True)
class EffectSlot:
    """An effect with its interval, as one slot. kind: of what the interval is; empty where the effect is exact."""

    effect: float
    low: float
    high: float
    unit: str
    kind: str

    def __format__(self, given: str) -> str:
        return self.said(self.effect, self.low, self.high, given)

    def said(self, effect: float, low: float, high: float, given: str = "", after: str = "") -> str:
        """'1.9 [1.2, 2.9]', a range as '1.9 (1.2 to 2.9)', an open interval as '1.10 [at most 1.30]'."""
        written = self._written(effect, effect, given)
        number = f"{written}{after}"
        ends = [self._written(one, effect, given) if math.isfinite(one) else None for one in (low, high)]
        if self.unit == "times" and low <= 0:
            ends[0] = None
        if not self.kind or ends == [None, None] or ends[0] == ends[1] == written:
            return number
        if self.kind == "range":
            first, last = ends
            said = f"{first} to {last}"
            if None in ends:
                said = f"at most {last}" if first is None else f"at least {first}"
            return f"{number} ({said})"
        if None in ends:
            return f"{number} [{f'at most {ends[1]}' if ends[0] is None else f'at least {ends[0]}'}]"
        return f"{number} [{ends[0]}, {ends[1]}]"

    def _written(self, value: float, effect: float, given: str) -> str:
        """The effect, or an end of its interval: a ratio's ends have as many decimals as the ratio."""
        if given or self.unit != "times" or not math.isfinite(value):
            return format(Quantity(value, self.unit), given)
        return f"{value:,.{_decimals(effect)}f}"


class Gap(EffectSlot):
    """A difference, as '4.1 points [2.6, 5.5] higher'; of nothing at all, 'no higher and no lower'."""

    def __format__(self, given: str) -> str:
        if self.effect == self.low == self.high == 0:
            return "no higher and no lower"
        name = f" {'points' if given == 'points' else self.unit}".rstrip()
        if self.effect < 0:
            return f"{self.said(-self.effect, -self.high, -self.low, given, name)} lower"
        return f"{self.said(self.effect, self.low, self.high, given, name)} higher"


class _Slots(Formatter):
    """Fills a template; a slot without a value is refused."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        try:
            found, first = super().get_field(field_name, args, kwargs)
        except (KeyError, AttributeError):
            raise refuse("says", f"{{{field_name}}}", [f"{{{slot}}}" for slot in kwargs]) from None
        if found is None or found == "":
            raise InputError(
                f"says: got {{{field_name}}}, which has no number here; allowed: slots that have one"
            )
        return found, str(first)


def fill(template: str, slots: Mapping[str, Any]) -> str:
    """A template with its slots filled. Raises InputError for a slot that is not there, or has no number."""
    return _Slots().vformat(template, (), slots)


def clause(word: Word, text: str, asked: str) -> str:
    """A clause behind the lead that its word has. asked: "question", "claim" or "what"."""
    lead = LEADS[asked].get(word, EITHER.get(word, ""))
    return f"{lead}: {text}" if lead else text


def sentence(clauses: Sequence[tuple[str, str]], place: str) -> str:
    """The clauses of all parts, each behind its part's name, as one text. Raises InputError where it does not read."""
    text = _joined(clauses)
    _refuse_unfit(place, text)
    return text


def length(clauses: Iterable[tuple[str, str]]) -> int:
    """How many words the clauses of all parts have together."""
    return len(_joined(clauses).split())


def _joined(clauses: Iterable[tuple[str, str]]) -> str:
    return " ".join(
        f"{_capital(f'{part}: {_small(said)}' if part else said).rstrip('.')}." for part, said in clauses
    )


def check(key: str, says: str | Mapping[Word, str] | None, parts: Sequence[str]) -> None:
    """Refuse a template with an unknown slot or format, or a text that does not read, before anything is measured."""
    for template in [says] if isinstance(says, str) else (says or {}).values():
        try:
            pieces = list(Formatter().parse(template))
        except ValueError as error:
            raise InputError(
                f"{key}: got {template!r} ({error}); allowed: text with slots in braces"
            ) from None
        for _, field, given, _ in pieces:
            if field is not None:
                _check_slot(key, field, given or "", parts)
        _refuse_unfit(key, "".join(text + ("7" if field else "") for text, field, _, _ in pieces))


def _check_slot(key: str, field: str, given: str, parts: Sequence[str]) -> None:
    names = re.split(r"[.\[]", field)
    slot = names[1] if names[0] in parts and len(names) > 1 else names[0]
    if slot not in SLOTS:
        raise refuse(
            key, f"{{{field}}}", [f"{{{one}}}" for one in (*SLOTS, *(part for part in parts if part))]
        )
    if given and given not in FORMATS and not given.isdigit():
        raise refuse(key, f"{{{field}:{given}}}", [*FORMATS, "a number of digits"])


def _refuse_unfit(key: str, text: str) -> None:
    """Refuse a text that is too long, or that speaks of options or in units that readers do not have."""
    count = len(text.split())
    if count > MOST_WORDS:
        raise InputError(f"{key}: got {count} words, {text!r}; allowed: at most {MOST_WORDS}")
    for pattern in UNFIT:
        found = re.search(pattern, text)
        if found:
            raise InputError(
                f"{key}: got {found.group()!r} in {text!r}; allowed: no option names, units as readers say them"
            )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    """The lead within a sentence: 'Yes: ...' -> 'yes: ...'; names keep their capitals."""
    first, colon, rest = text.partition(":")
    if first in {*EITHER.values(), *(lead for some in LEADS.values() for lead in some.values())} and colon:
        return first[:1].lower() + first[1:] + "," + rest
    return text
