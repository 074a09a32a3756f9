"""Texts to model, read without torch: any UTF-8 file, or the help topics that come with Python."""

import sys
from importlib import import_module
from pathlib import Path

from rebuttal.base.errors import InputError, refuse
from rebuttal.base.own_code import resolved

LEAST = 4_000  # characters: fewer leave next to nothing to validate on


def read(path: str | Path) -> str:
    """The text of a UTF-8 file; a relative path starts at the project's root.

    Raises:
        InputError: one line that names the file: missing, not UTF-8, or too short.
    """
    place = resolved(path)
    if not place.is_file():
        raise refuse("text", str(path), "a UTF-8 text file; there is none")
    try:
        text = place.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise refuse(
            "text", str(path), f"a UTF-8 text file; byte {error.start} of this one is not"
        ) from error
    if len(text) < LEAST:
        raise refuse("text", str(path), f"at least {LEAST} characters; there are {len(text)}")
    return text


def python_topics() -> str:
    """The help topics that come with Python (its pydoc_data package), one after the other by name."""
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError as error:
        raise InputError(
            "workload pydoc_transformer: got a Python without pydoc_data; allowed: one with its help topics"
        ) from error
    return "\n".join(topics[name] for name in sorted(topics))


def python_version() -> str:
    """The version whose topics they are: each has its own text."""
    return ".".join(map(str, sys.version_info[:3]))
