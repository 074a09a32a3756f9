"""What figures of both clocks share: where runs were made, and which of their seconds support a claim about time."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd
import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.panel import Entry, method_key
from rebuttal.figures.theme import words

PLACE = ("nodes", "workload", "stragglers")
AGAINST = "measured clock against modelled clock"


def support(data: xr.Dataset) -> str:
    """Which of the seconds support a claim about time: a sentence."""
    supported, count = json.loads(data.attrs["supports_timing"]), int(data.attrs["cores"])
    lost = [int(nodes) for nodes in data.nodes.values if nodes > 1 and nodes not in supported]
    if not lost:
        return "The machine had a core for each process, and no other program used them meanwhile."
    listed = " and ".join(processes(nodes) for nodes in lost)
    more = [processes(nodes) for nodes in lost if nodes > count]
    crowded = (
        f" {' and '.join(more)} are more processes than cores: they wait for each other." if more else ""
    )
    said = f"Seconds of {listed} support no claim about time: the machine has {count} cores."
    return f"{said}{crowded}{_lease(data)}"


def _lease(data: xr.Dataset) -> str:
    """What took the run the right to support a claim, as its lease of the host says; nothing of cores, told before."""
    reasons = json.loads(data.attrs.get("lease", "{}")).get("why_not", [])
    told = [reason for reason in reasons if not reason.startswith("more processes")]
    return f" The measurement was {'; '.join(told)}." if told else ""


def by_place(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """('2 processes, small messages', its rows)."""
    for columns, part in frame.groupby(list(PLACE), sort=False):
        nodes, workload, stragglers = map(str, columns if isinstance(columns, tuple) else (columns,))
        more = "" if stragglers == "none" else f", {words(stragglers)} stragglers"
        place = f"{processes(int(nodes))}, {workload} messages{more}"
        yield place, pd.DataFrame(part.drop(columns=list(PLACE)))


def key_of(data: xr.Dataset, frame: pd.DataFrame, definitions: Mapping[str, str] | None) -> tuple[Entry, ...]:
    """The methods' key; those of PyTorch say what they are."""
    own = dict(zip(map(str, data.method.values), map(str, data.about.values), strict=True))
    known = dict(definitions or {}) | {name: line for name, line in own.items() if line}
    return tuple(replace(entry, mark="point") for entry in method_key(list(frame["method"]), known))


def repetitions(frame: pd.DataFrame) -> str:
    """How many there were: '5 repetitions'."""
    return chart_rows.seeds(frame).replace("seed", "repetition")


def processes(nodes: int) -> str:
    """'1 process', '2 processes'."""
    return f"{nodes} process{'es' * (nodes != 1)}"
