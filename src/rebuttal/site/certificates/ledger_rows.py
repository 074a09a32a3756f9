"""The rows of a ledger that somebody sent, against those that come out here: alike, up to the last digit."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.errors import InputError
from rebuttal.evidence.references import bundle
from rebuttal.evidence.references.bundle import Row

ROUNDING = 1e-4  # relative: other versions of NumPy and SciPy may differ in the last of six digits
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")
COMPARED = ("word", "answer", "parts", "more", "checks")  # what a comparison of two ledgers reads


def read(path: Path) -> list[Row]:
    """The rows of a ledger. Raises InputError if it is none."""
    rows = bundle.read_rows(path, ("paper", "id", *COMPARED))
    try:
        for row in rows:
            for one in (*row["parts"], *row["more"], *row["checks"]):
                _ = one["word"], one["effect"], one["unit"], [*one["interval"]], [*one["places"]]
    except (LookupError, TypeError) as error:
        raise InputError(f"{path}: cannot be read as a ledger ({type(error).__name__}); allowed: one that "
                         "`rebuttal certify` wrote") from error  # fmt: skip
    return rows


def differing(stated: Sequence[Row], found: Sequence[Row]) -> list[str]:
    """The ids of rows that are not what was stated, in any of their fields."""
    found = json.loads(json.dumps(found))
    names = [f"{row['paper']}: {row['id']}" for row in found]
    if names != [f"{row['paper']}: {row['id']}" for row in stated]:
        return ["the list of questions"]
    return [name for name, one, other in zip(names, stated, found, strict=True) if not _same(one, other)]


def _same(one: Any, other: Any) -> bool:
    """Whether two plain values are alike, numbers up to rounding, in texts too."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return bool(np.isclose(one, other, rtol=ROUNDING, atol=1e-12))
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _same_text(one, other)
    return type(one) is type(other) and one == other


def _same_text(one: str, other: str) -> bool:
    """Equal words, and numbers that differ by one in their last printed digit at most."""
    if NUMBER.sub("", one) != NUMBER.sub("", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= 1.01 * max(_last_digit(a), _last_digit(b)) for a, b in pairs)


def _last_digit(number: str) -> float:
    digits, _, power = number.partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
