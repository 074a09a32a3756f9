"""What the file of a timeline holds: columns, a graph and a header, sealed by a hash and checked when read."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.errors import InputError
from rebuttal.core import array_files
from rebuttal.core.array_files import Arrays, Ceiling
from rebuttal.core.graph import Graph, flat, from_flat

Table = Mapping[str, np.ndarray]
SCHEMA = 3
NO_VALUE = -1
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
PARTS = {"computes": COMPUTES, "messages": MESSAGES, "updates": UPDATES}
COLUMNS = {f"{part}.{name}": kind for part, columns in PARTS.items() for name, kind in columns.items()}
GRAPH = tuple(flat(Graph()))


def sealed(arrays: Arrays, names: Sequence[str], about: Mapping[str, Any]) -> Arrays:
    """These arrays, and a header with names, facts and a hash over all of it."""
    said = {
        "schema": SCHEMA,
        "names": list(names),
        "about": dict(about),
        "sha256": seal(arrays, names, about),
    }
    return {**arrays, "header": np.frombuffer(json.dumps(said, sort_keys=True).encode(), dtype=np.uint8)}


def seal(arrays: Arrays, names: Sequence[str], about: Mapping[str, Any]) -> str:
    """The SHA-256 of everything that a timeline's file holds."""
    return array_files.digest(arrays, json.dumps([SCHEMA, list(names), dict(about)], sort_keys=True).encode())


def header_of(arrays: Arrays) -> dict[str, Any]:
    """The header of a file's arrays, which is taken out of them. Raises ValueError or LookupError if it is none."""
    header = json.loads(arrays.pop("header").tobytes(), parse_constant=_no_number)
    if not isinstance(header, dict):
        raise TypeError("a header that is no record")
    return header


def check_schema(path: str | Path, header: Mapping[str, Any]) -> None:
    """Raises InputError for a file of another schema than ours."""
    if header.get("schema") != SCHEMA:
        raise InputError(f"timeline {path}: got schema {header.get('schema')}; allowed: {SCHEMA}")


def check(arrays: Arrays, header: Mapping[str, Any]) -> None:
    """Raise ValueError, TypeError or LookupError unless all is there, of its type, and refers to what is there.

    The graph is checked by `graph_of`.
    """
    names, about = header["names"], header["about"]
    if not (isinstance(about, dict) and isinstance(names, list) and all(isinstance(n, str) for n in names)):
        raise TypeError("a header without names and facts")
    nodes = len(arrays["graph.operation"])
    for part in PARTS:
        _check_table(arrays, part, nodes, len(names))
    states = arrays["updates.value"]
    if not len(states) or states.min() < 0:
        raise ValueError("updates.value without the weights of a version")
    if missing := set(GRAPH) - set(arrays):
        raise LookupError(f"without {min(missing)}")
    if unknown := set(arrays) - set(COLUMNS) - set(GRAPH):
        raise ValueError(f"{min(unknown)} has no place in a timeline")
    if header.get("sha256") != seal(arrays, names, about):
        raise ValueError("its content has not the hash that its header states")


def _check_table(arrays: Arrays, part: str, nodes: int, names: int) -> None:
    """Columns are equally long, and refer to values and names that are there."""
    most = {"value": nodes, "operation": names, "tag": names}
    for name, kind in PARTS[part].items():
        column = arrays[f"{part}.{name}"]
        if column.dtype != np.dtype(kind) or column.shape != arrays[f"{part}.value"].shape:
            raise TypeError(f"{part}.{name} of type {column.dtype} {column.shape}")
        least = NO_VALUE if name == "value" else 0
        if name in most and len(column) and not (column.min() >= least and column.max() < most[name]):
            raise ValueError(f"{part}.{name} with a number of nothing that is there")


def graph_of(arrays: Arrays, ceiling: Ceiling) -> Graph:
    """The graph. Raises ValueError: too large, or one in which a node rests on a later one or is there twice."""
    nodes, edges = len(arrays["graph.operation"]), len(arrays["graph.input"]) + len(arrays["graph.argument"])
    if nodes > ceiling.nodes or edges > ceiling.edges:
        raise ValueError(
            f"a graph of {nodes:,} nodes; at most {ceiling.nodes:,}, with {ceiling.edges:,} inputs"
        )
    _check_counts(arrays)
    graph = Graph()
    for number, (operation, inputs, arguments) in enumerate(zip(*from_flat(arrays), strict=True)):
        if any(i >= number for i in inputs):
            raise ValueError(f"node {number} of the graph rests on a later one")
        if graph.node(operation, inputs, arguments) != number:
            raise ValueError(f"node {number} of the graph is there twice")
    return graph


def _check_counts(arrays: Arrays) -> None:
    """Codes and inputs are those of something, and counts add up to what there is."""
    for name in ("graph.operation", "graph.input"):
        if arrays[name].dtype.kind != "i" or (arrays[name] < 0).any():
            raise ValueError(f"{name} below 0")
    for name in ("graph.input", "graph.argument"):
        counts = arrays[f"{name}_count"]
        if counts.dtype.kind != "i" or (counts < 0).any() or counts.sum() != len(arrays[name]):
            raise ValueError(f"{name}_count, which does not add up to {len(arrays[name])}")
    if not np.isfinite(arrays["graph.argument"]).all():
        raise ValueError("graph.argument without a finite number")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} in the header")
