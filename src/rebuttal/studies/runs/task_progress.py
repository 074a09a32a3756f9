"""How far a list of tasks is: a bar in a notebook's cell, a line now and then elsewhere; and a note for who watches.

Notes are small files in .cache/progress/PROFILE, which `rebuttal.watch` shows while a pipeline runs. Nothing reads them
for a result.
"""

import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.errors import InputError
from rebuttal.studies.runs.provenance import say

REPORT_EVERY_S = 2.0
LINES = "REBUTTAL_LINES"  # in the environment of a notebook that a command executes: nobody looks at its cells yet
CURVES_SHOWN = 12  # the last so many, of a study that trains


def progress(title: str, costs: Sequence[float]) -> "Lines | Bar":
    """What is told of every task that is done, by its number; `costs` are the tasks' relative costs."""
    return Bar(title, costs) if _in_a_cell() and not os.environ.get(LINES) else Lines(title, costs)


def _in_a_cell() -> bool:
    """Whether this is the process of a notebook's kernel."""
    shell = sys.modules.get("IPython")
    return shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None


class Lines:
    """Prints how far it is, and what is left, at most every REPORT_EVERY_S."""

    def __init__(self, title: str, costs: Sequence[float]) -> None:
        self._title, self._costs, self._total = title, costs, sum(costs)
        self._done, self._count = 0.0, 0
        self._began = self._said = time.monotonic()

    def done(self, number: int) -> None:
        """One more task is done."""
        self._count += 1
        self._done += self._costs[number]
        now = time.monotonic()
        last = self._count == len(self._costs)
        if last or now - self._said >= REPORT_EVERY_S:
            self._said = now
            taken = now - self._began
            left = taken * (self._total / self._done - 1) if self._done else 0.0
            of = len(self._costs)
            say(f"{self._title}: {self._count} of {of} runs, {taken:.0f} s, about {left:.0f} s left")
            note(self._title, {"done": self._count, "of": of, "seconds": taken, "left_s": left})


class Bar:
    """A progress bar in the cell, which counts runs and weighs them by their costs."""

    def __init__(self, title: str, costs: Sequence[float]) -> None:
        whole = sum(costs) or 1.0
        self._shares = [100 * cost / whole for cost in costs]
        self._left = len(costs)
        self._bar: Any = _bar(title) if costs else None

    def done(self, number: int) -> None:
        """One more task is done."""
        self._left -= 1
        of = len(self._shares)
        self._bar.set_postfix_str(f"{of - self._left} of {of} runs", refresh=False)
        self._bar.update(self._shares[number] if self._left else self._bar.total - self._bar.n)
        if not self._left:
            self._bar.close()


def _bar(title: str) -> Any:
    # Imported here because only notebooks need it.
    from tqdm.auto import tqdm  # noqa: PLC0415

    form = "{desc}: {percentage:3.0f}%|{bar}| {postfix} [{elapsed}<{remaining}]"
    return tqdm(total=100, desc=title, bar_format=form)


def note(title: str, content: Mapping[str, Any]) -> None:
    """Leave what is known of a list of tasks for whoever watches; nothing outside of a project."""
    try:
        paths.root()
    except InputError:
        return
    about = {"title": title, "process": os.getpid(), "at": time.time()}
    path = folder() / f"{re.sub(r'[^a-z0-9]+', '-', title.lower())}.json"
    write_text(path, json.dumps({**about, **content}))  # in one line: each run writes all curves anew


def note_curve(title: str, label: str, versions: Sequence[int], losses: Sequence[float]) -> None:
    """Add the curve of a run that has just been trained, in the place of the oldest if there are many."""
    name = f"curves of {title}"
    path = folder() / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.json"
    known = json.loads(path.read_text()).get("curves", []) if path.is_file() else []
    new = {"label": label, "version": list(versions), "loss": list(losses)}
    note(name, {"curves": [*known, new][-CURVES_SHOWN:]})


def folder() -> Path:
    """Where the notes of the profile are."""
    return paths.root() / ".cache" / "progress" / paths.profile()
