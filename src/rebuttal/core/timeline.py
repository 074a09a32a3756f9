"""The record of a run: who did what, from when to when, on which value, and what each update was made of.

Clusters write it with a `Recorder`. `simulation.timeline_metrics` reads staleness, utilisation and more off it, and
`simulation.trace_events` exports it. Times are seconds since the start of the run on the cluster's own clock.
"""

import functools
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import InputError
from rebuttal.core.graph import Graph, Order, Symbol, flat, from_flat, order_of

Table = Mapping[str, np.ndarray]
NO_VALUE = -1
NEVER = float("nan")
SCHEMA = 2
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)

COMPUTES = {
    "node": "i4",
    "operation": "i2",
    "value": "i4",
    "start_s": "f8",
    "end_s": "f8",
    "completed": "?",
    "bytes": "i8",
}
MESSAGES = {
    "source": "i4",
    "destination": "i4",
    "tag": "i2",
    "value": "i4",
    "bytes": "i8",
    "sent_s": "f8",
    "arrived_s": "f8",
    "received_s": "f8",
}
UPDATES = {"node": "i4", "value": "i4", "time_s": "f8"}


@dataclass(frozen=True, eq=False)
class Timeline:
    """One run on one cluster.

    `computes`, `messages` and `updates` are tables (column name -> array of equal length). `updates` has one row per
    version of the weights, version 0 (the start) first. `names` decodes the operation and tag columns. `about` says
    what ran where: method, options, machine, workload, seed, nodes, servers, batch, clock ('modelled' or 'measured').
    """

    computes: Table
    messages: Table
    updates: Table
    names: tuple[str, ...]
    graph: Graph
    about: Mapping[str, Any]

    @functools.cached_property
    def order(self) -> Order:
        """The operations that the updates depend on; the clock plays no part in it."""
        return order_of(self.graph, [int(v) for v in self.updates["value"]])

    @property
    def end_s(self) -> float:
        """When the last update was made."""
        return float(self.updates["time_s"][-1])

    def save(self, path: Path) -> None:
        """Write to `path` (.npz); the file appears whole or not at all."""
        arrays = {f"{part}.{name}": column for part in PARTS for name, column in getattr(self, part).items()}
        header = {"schema": SCHEMA, "names": self.names, "about": dict(self.about)}
        arrays["header"] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
        arrays |= flat(self.graph)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @staticmethod
    def load(path: Path) -> "Timeline":
        """Read what `save` wrote. Raises InputError if the file is missing, damaged or of another schema."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            header = json.loads(arrays.pop("header").tobytes())
            parts = {
                part: {name: arrays[f"{part}.{name}"] for name in columns} for part, columns in PARTS.items()
            }
            graph = _decode(arrays)
        except UNREADABLE as error:
            why = " ".join(str(error).split())
            raise InputError(
                f"timeline {path}: cannot be read ({why}); allowed: a file written by this package"
            ) from error
        if header.get("schema") != SCHEMA:
            raise InputError(f"timeline {path}: got schema {header.get('schema')}; allowed: {SCHEMA}")
        return Timeline(**parts, names=tuple(header["names"]), graph=graph, about=header["about"])


PARTS = {"computes": COMPUTES, "messages": MESSAGES, "updates": UPDATES}


def _decode(arrays: Mapping[str, np.ndarray]) -> Graph:
    graph = Graph()
    for number, (operation, inputs, arguments) in enumerate(zip(*from_flat(arrays), strict=True)):
        if any(i >= number for i in inputs):
            raise ValueError(f"node {number} of the graph rests on a later one")
        if graph.node(operation, inputs, arguments) != number:
            raise ValueError(f"node {number} of the graph is there twice")
    return graph


class Recorder:
    """Collects the rows of a timeline while a run goes on."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._about = about
        self._computes: list[tuple] = []
        self._messages: list[tuple] = []
        self._arrived_s: list[float] = []
        self._received_s: list[float] = []
        self._updates: list[tuple] = []
        self._codes: dict[str, int] = {}

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
        row = (node, self._code(operation), _number(value), start_s, end_s, completed, size_bytes)
        self._computes.append(row)

    def collective(
        self, tag: str, nodes: Sequence[int], value: Any, start_s: float, seconds: float, size_bytes: int = 0
    ) -> None:
        """An all-reduce of `size_bytes` over `nodes`, as a row of each from the moment the last had come.

        Each of K nodes is noted to send 2 (K − 1) / K of the bytes: what a ring sends, and the least there is.
        """
        code, sent = self._code(f"all_reduce {tag}"), 2 * (len(nodes) - 1) * size_bytes // len(nodes)
        for node in nodes:
            self._computes.append((node, code, _number(value), start_s, start_s + seconds, True, sent))

    def message(
        self, source: int, destination: int, tag: str, value: Any, size_bytes: int, sent_s: float
    ) -> int:
        """A message on its way; the row number is for `arrived` and `received`."""
        self._messages.append((source, destination, self._code(tag), _number(value), size_bytes, sent_s))
        self._arrived_s.append(NEVER)
        self._received_s.append(NEVER)
        return len(self._messages) - 1

    def arrived(self, row: int, time_s: float) -> None:
        """The message's last byte is at its destination."""
        self._arrived_s[row] = time_s

    def received(self, row: int, time_s: float) -> None:
        """A program took the message."""
        self._received_s[row] = time_s

    def update(self, node: int, value: Any, time_s: float) -> None:
        """A new version of the weights (the first: version 0)."""
        self._updates.append((node, _number(value), time_s))

    def timeline(self, graph: Graph) -> Timeline:
        """The finished record."""
        messages = [
            (*row, arrived_s, received_s)
            for row, arrived_s, received_s in zip(
                self._messages, self._arrived_s, self._received_s, strict=True
            )
        ]
        return Timeline(
            computes=_table(self._computes, COMPUTES),
            messages=_table(messages, MESSAGES),
            updates=_table(self._updates, UPDATES),
            names=tuple(self._codes),
            graph=graph,
            about=self._about,
        )

    def _code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))


def _table(rows: list[tuple], columns: Mapping[str, str]) -> Table:
    """Rows of values as named columns, each an array of its own."""
    table = np.array(rows, dtype=list(columns.items()))
    return {name: np.ascontiguousarray(table[name]) for name in columns}


def _number(value: Any) -> int:
    """The graph node of the first symbol in a value, or NO_VALUE."""
    if isinstance(value, Symbol):
        return value.number
    if isinstance(value, tuple):
        for part in value:
            if isinstance(part, Symbol):
                return part.number
    return NO_VALUE
