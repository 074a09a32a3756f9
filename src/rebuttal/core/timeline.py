"""The record of a run: who did what, from when to when, on which value, and what each update was made of.

Clusters write it with a `Recorder`. `simulation.timeline_metrics` reads staleness, utilisation and more off it, and
`simulation.trace_events` exports it. Times are seconds since the start of the run on the cluster's own clock.
"""

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base import arguments
from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import InputError
from rebuttal.base.garbage import not_collected
from rebuttal.core import array_files, timeline_arrays
from rebuttal.core.array_files import Ceiling
from rebuttal.core.graph import Graph, Order, Symbol, flat, order_of
from rebuttal.core.timeline_arrays import COLUMNS, COMPUTES, MESSAGES, NO_VALUE, PARTS, UPDATES, Table

NEVER = float("nan")
ARRIVED, RECEIVED = (list(MESSAGES).index(name) for name in ("arrived_s", "received_s"))


@dataclass(frozen=True, eq=False)
class Timeline:
    """One run on one cluster.

    `computes`, `messages` and `updates` are tables (column name -> array of equal length). `updates` has one row per
    version of the weights, version 0 (the start) first. `names` decodes the operation and tag columns. `about` says
    what ran where: method, options, machine, workload, seed, nodes, servers, batch, clock ('modelled' or 'measured').
    `came_from`: the file that it was read from, whose author may be a stranger; empty for a run of this process.
    """

    computes: Table
    messages: Table
    updates: Table
    names: tuple[str, ...]
    graph: Graph
    about: Mapping[str, Any]
    came_from: str = ""

    @functools.cached_property
    @not_collected()
    def order(self) -> Order:
        """The operations that the updates depend on; the clock plays no part in it."""
        return order_of(self.graph, [int(v) for v in self.updates["value"]])

    @property
    def end_s(self) -> float:
        """When the last update was made."""
        return float(self.updates["time_s"][-1])

    def save(self, path: str | Path) -> None:
        """Write to `path` (.npz), whole or not at all; the header has a hash over all that the file holds."""
        arrays = {name: self._column(name) for name in COLUMNS} | flat(self.graph)
        with replacing(arguments.path("path", path)) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file, allow_pickle=False, **timeline_arrays.sealed(arrays, self.names, self.about)
            )

    def _column(self, name: str) -> np.ndarray:
        part, _, column = name.partition(".")
        return np.asarray(getattr(self, part)[column], dtype=COLUMNS[name])

    @staticmethod
    def load(path: str | Path, ceiling: Ceiling = array_files.OWN) -> "Timeline":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing, damaged or of another schema, or larger than the ceiling.
        """
        try:
            arrays = array_files.read(arguments.path("path", path), ceiling)
            header = timeline_arrays.header_of(arrays)
            timeline_arrays.check_schema(path, header)
            timeline_arrays.check(arrays, header)
            graph = timeline_arrays.graph_of(arrays, ceiling)
        except InputError:
            raise
        except array_files.UNREADABLE as error:
            why = " ".join(str(error).split())
            raise InputError(
                f"timeline {path}: cannot be read ({why}); allowed: a file written by this package"
            ) from error
        tables = {
            part: {name: arrays[f"{part}.{name}"] for name in columns} for part, columns in PARTS.items()
        }
        return Timeline(
            **tables, names=tuple(header["names"]), graph=graph, about=header["about"], came_from=str(path)
        )


def checked(given: Any, key: str = "timeline") -> Timeline:
    """A timeline. Raises InputError for anything else."""
    return arguments.instance(
        key, given, Timeline, "a Timeline, such as rebuttal.simulate or Timeline.load gives"
    )


class Recorder:
    """Collects the rows of a timeline while a run goes on: those of each table in one list, end to end."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = about
        self._computes: list[float] = []
        self._messages: list[float] = []
        self._updates: list[float] = []
        self._codes: dict[str, int] = defaultdict(count().__next__)  # by the order of first use

    def compute(
        self,
        node: int,
        operation: str,
        value: Any,
        start_s: float,
        end_s: float,
        completed: bool,
        size_bytes: int = 0,
    ) -> None:
        """One computation on one node; `completed` is False for one that was abandoned.

        `size_bytes` are what it sent, if it is one node's share of a collective.
        """
        code, number = self._codes[operation], _number(value)
        self._computes += (node, code, number, start_s, end_s, completed, size_bytes)

    def collective(
        self, tag: str, nodes: Sequence[int], value: Any, start_s: float, seconds: float, size_bytes: int = 0
    ) -> None:
        """An all-reduce of `size_bytes` over `nodes`, as a row of each from the moment the last had come.

        Each of K nodes is noted to send 2 (K − 1) / K of the bytes: what a ring sends, and the least there is.
        """
        code, sent = self._codes[f"all_reduce {tag}"], 2 * (len(nodes) - 1) * size_bytes // len(nodes)
        number, end_s = _number(value), start_s + seconds
        for node in nodes:
            self._computes += (node, code, number, start_s, end_s, True, sent)

    def message(
        self, source: int, destination: int, tag: str, value: Any, size_bytes: int, sent_s: float
    ) -> int:
        """A message on its way. Returns what `arrived` and `received` know it by."""
        row, code, number = len(self._messages), self._codes[tag], _number(value)
        self._messages += (source, destination, code, number, size_bytes, sent_s, NEVER, NEVER)
        return row

    def arrived(self, row: int, time_s: float) -> None:
        """The message's last byte is at its destination."""
        self._messages[row + ARRIVED] = time_s

    def received(self, row: int, time_s: float) -> None:
        """A program took the message."""
        self._messages[row + RECEIVED] = time_s

    def handed_over(self, row: int, time_s: float) -> None:
        """The message's last byte is at its destination, where a program took it at once."""
        self._messages[row + ARRIVED] = self._messages[row + RECEIVED] = time_s

    def update(self, node: int, value: Any, time_s: float) -> None:
        """A new version of the weights (the first: version 0)."""
        self._updates += (node, _number(value), time_s)

    def timeline(self, graph: Graph) -> Timeline:
        """The finished record."""
        return Timeline(
            computes=_table(self._computes, COMPUTES),
            messages=_table(self._messages, MESSAGES),
            updates=_table(self._updates, UPDATES),
            names=tuple(self._codes),
            graph=graph,
            about=self._about,
        )


def _table(rows: list[float], columns: Mapping[str, str]) -> Table:
    """Rows end to end as named columns. A float64 holds each of their numbers, of bytes up to 2^53."""
    table = np.array(rows, dtype=np.float64).reshape(-1, len(columns))
    return {name: table[:, place].astype(kind) for place, (name, kind) in enumerate(columns.items())}


def _number(value: Any) -> int:
    """The graph node of the first symbol in a value, or NO_VALUE."""
    if isinstance(value, Symbol):
        return value.number
    if isinstance(value, tuple):
        for part in value:
            if isinstance(part, Symbol):
                return part.number
    return NO_VALUE
