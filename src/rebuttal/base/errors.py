"""Errors of one clear line: for bad input (key, what was given, what is allowed), and for runs that failed."""

import difflib
from collections.abc import Iterable

QUOTED = 400  # characters of what was given, in a message


class _OneLine(Exception):  # noqa: N818 - what the two errors below have in common
    """Shown in a notebook as its one line, without the calls that led to it."""

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class InputError(_OneLine, ValueError):
    """A parameter, file or data set that cannot be used. `str(error)` is one clear line."""


class NothingToDrawError(InputError):
    """Results in which no run has what a figure shows: a page says so in the figure's place."""


class RunError(_OneLine, RuntimeError):
    """A run that failed although its input was sound. `str(error)` is one clear line."""


def nearest(given: object, allowed: Iterable[object]) -> str:
    """'; did you mean ...?' for the allowed name closest to `given`, or an empty string."""
    close = difflib.get_close_matches(str(given), [str(name) for name in allowed], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def shown(given: object) -> str:
    """`given` as a message quotes it, in one line: its beginning, if it is long."""
    text = " ".join(repr(given).split("\n"))
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def refuse(key: str, given: object, allowed: str | Iterable[object]) -> InputError:
    """The error for `key` = `given`, where `allowed` is a sentence or the list of allowed names."""
    if isinstance(allowed, str):
        return InputError(f"{key}: got {shown(given)}; allowed: {allowed}")
    names = list(allowed)
    listed = ", ".join(map(str, names))
    return InputError(f"{key}: got {shown(given)}; allowed: {listed}{nearest(given, names)}")
