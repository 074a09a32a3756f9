"""What figures of time lines share: tables of several runs up to one moment, and their axes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from rebuttal.core.timeline import Timeline

ROUNDING_S = 1e-9  # spans that overlap by less follow one another


def tables(
    runs: Mapping[str, Timeline], updates: int, table: Callable[[Timeline, float], Mapping[str, Any]]
) -> pd.DataFrame:
    """The tables of runs (label -> run) until the first of them has made so many updates.

    `attrs` has the clock and until_s, the moment at which the picture ends.
    """
    first = next(iter(runs.values()))
    until_s = float(first.updates["time_s"][: updates + 1][-1])
    parts = [pd.DataFrame(table(run, until_s)).assign(method=label) for label, run in runs.items()]
    found = pd.concat(parts, ignore_index=True)
    found.attrs = {"clock": str(first.about["clock"]), "until_s": until_s}
    return found


def axes(unit: str, end: float, row: str, title: str, order: Sequence[Any]) -> tuple[alt.X, alt.Y]:
    """Time from 0 to `end` in s or ms (the column start_UNIT), and a row for each value of the column `row`."""
    whole = alt.Scale(domain=[0, end], nice=False, clamp=True)
    x = alt.X(f"start_{unit}:Q", title=f"time ({unit})", scale=whole)
    return x, alt.Y(row, title=title, sort=list(order), axis=alt.Axis(grid=False, ticks=False))


def beside_work(table: Any, wire: np.ndarray, work: np.ndarray) -> bool:
    """Whether a node computes while one of its all-reduces is under way: these are then drawn thin.

    table: node, start_s and end_s of each row. wire, work: which rows are all-reduces, and which are computations.
    """
    node, start_s, end_s = (np.asarray(table[name]) for name in ("node", "start_s", "end_s"))
    for one in set(node[wire].tolist()):
        mine, its = work & (node == one), wire & (node == one)
        begun_before = start_s[mine][:, None] < end_s[its] - ROUNDING_S
        if (begun_before & (end_s[mine][:, None] > start_s[its] + ROUNDING_S)).any():
            return True
    return False
