"""The strip of a question: one line for each place, its interval against the margin, coloured by its word.

Positions are per cent of the width, so that a page lays the lines out at any width.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rebuttal.evidence import naming
from rebuttal.site import words

MANY = 8  # places from which on they are gathered by word
PAD = 0.06  # of the width that is left free at each end
RATIO = "times"


@dataclass(frozen=True)
class StripLine:
    """One line of a strip. low, high: the ends of its interval (None: it has none); marks: the points on it."""

    where: str
    word: str
    said: str
    low: float | None
    high: float | None
    marks: tuple[float, ...]
    edges: tuple[float, ...]


def of(part: Mapping[str, Any]) -> list[StripLine]:
    """The lines of a part: of its places, or of itself where it has none; nothing where there is no number."""
    places = [one for one in part["places"] if one["effect"] is not None]
    some: Sequence[Mapping[str, Any]] = places or ([part] if part["effect"] is not None else [])
    if not some:
        return []
    scale = _Scale(part, some)
    if len(some) > MANY:
        return _gathered(some, scale, part["unit"])
    return [
        StripLine(_where(one), one["word"], words.numbers({**one, "unit": part["unit"]}), *scale.interval(one),
             (scale(one["effect"]),), scale.edges)
        for one in some
    ]  # fmt: skip


def glyph(row: Mapping[str, Any]) -> StripLine | None:
    """The first part that has a number, all places together, as one line."""
    part = next((one for one in row["parts"] if one["effect"] is not None), None)
    if part is None:
        return None
    scale = _Scale(part, [part])
    return StripLine(
        "", part["word"], words.numbers(part), *scale.interval(part), (scale(part["effect"]),), scale.edges
    )


def distance(part: Mapping[str, Any]) -> float:
    """How far an effect is from the nearest edge of its margin, in widths of its interval; 0 without an interval."""
    low, high = part["interval"]
    if part["effect"] is None or low is None or high is None or not _edges(part):
        return 0.0
    log = part["unit"].split(" ")[0] == RATIO and min(low, part["effect"], *_edges(part)) > 0
    change = math.log if log else float
    width = change(high) - change(low)
    gap = min(abs(change(part["effect"]) - change(edge)) for edge in _edges(part))
    return gap / width if width > 0 else 0.0


def _edges(part: Mapping[str, Any]) -> list[float]:
    return [edge for edge in part["margin"] if edge is not None]


def _where(one: Mapping[str, Any]) -> str:
    return naming.place(one["where"]) or "all together"


class _Scale:
    """From a number to per cent of the width: logarithmic for ratios, with room for every end and edge."""

    def __init__(self, part: Mapping[str, Any], some: Sequence[Mapping[str, Any]]) -> None:
        ends = [end for one in some for end in (one["effect"], *one["interval"]) if end is not None]
        edges = _edges(part)
        every = [*ends, *edges]
        self._log = part["unit"].split(" ")[0] == RATIO and sum(one > 0 for one in every) > 1
        kept = [self._of(one) for one in every if not self._log or one > 0]
        low, high = min(kept), max(kept)
        room = (high - low) * PAD or 1.0
        self._low, self._high = low - room, high + room
        self.edges = tuple(self(edge) for edge in edges)

    def __call__(self, value: float) -> float:
        if self._log and value <= 0:
            return 0.0
        place = (self._of(value) - self._low) / (self._high - self._low)
        return round(100 * min(max(place, 0.0), 1.0), 2)

    def interval(self, one: Mapping[str, Any]) -> tuple[float | None, float | None]:
        """The ends of an interval; an open one reaches the end of the strip."""
        low, high = one["interval"]
        if low is None and high is None:
            return None, None
        return (0.0 if low is None else self(low)), (100.0 if high is None else self(high))

    def _of(self, value: float) -> float:
        return math.log(value) if self._log else float(value)


def _gathered(some: Sequence[Mapping[str, Any]], scale: _Scale, unit: str) -> list[StripLine]:
    """A line for each word: every place is a mark on it."""
    of_word: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in some:
        of_word[one["word"]].append(one)
    lines = []
    for word in [word for word in words.WORDS if word in of_word]:
        effects = sorted(one["effect"] for one in of_word[word])
        ends = words.numbers({"effect": effects[0], "interval": [None, None], "unit": ""})
        last = words.numbers({"effect": effects[-1], "interval": [None, None], "unit": unit})
        said = last if len(effects) == 1 else f"{ends} to {last}"
        count = f"{len(effects)} of {len(some)} places"
        lines.append(StripLine(count, word, said, None, None, tuple(map(scale, effects)), scale.edges))
    return lines
