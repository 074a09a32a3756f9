"""Commands that rewrite what follows from the code in a file; with --check they only say whether it is current."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rebuttal.base import paths


def rewrite(name: str, again: Callable[[str], str], command: str, arguments: Sequence[str]) -> int:
    """Rewrite a file of the project, or check it; the exit status.

    name: relative to the project's root. again: its text to the current one. command: what a stale file asks for.
    """
    file: Path = paths.root() / name
    before = file.read_text(encoding="utf-8")
    after = again(before)
    if "--check" in arguments:
        sys.stderr.write("" if before == after else f"{name}: run `{command}`\n")
        return int(before != after)
    file.write_text(after, encoding="utf-8")
    return 0
