"""The gradients of a run: which weights each was computed on, and what became of it."""

from typing import TYPE_CHECKING

import numpy as np

from rebuttal.base.garbage import not_collected
from rebuttal.core.timeline import Timeline, checked
from rebuttal.simulation.timeline_metrics.dependency_chains import Chains, versions
from rebuttal.simulation.timeline_metrics.joined_passes import passes
from rebuttal.simulation.timeline_metrics.staleness import by_gradient, uses

if TYPE_CHECKING:
    import xarray as xr

NOT_USED = -1
GRADIENT = {
    "node": int,
    "value": int,
    "start_s": float,
    "end_s": float,
    "version_read": int,
    "update": int,
    "staleness": float,
    "batches": int,
    "late": bool,
}


def gradients(timeline: Timeline) -> "xr.Dataset":
    """One row per completed gradient, in the order of completion.

    A gradient that was computed stage by stage is one row, complete with its last stage. Variables along `gradient`:
    node (that completed it), value (graph node; of the last stage's), start_s, end_s, version_read (version of the
    weights that it was computed on; of the oldest part), update (the version it became part of, NOT_USED if none),
    staleness (updates between read and write, of the stalest part; NaN if not used), batches (how many batches it
    averages), late (delivered to a program, before the end, that did not use it).
    """
    import xarray as xr  # noqa: PLC0415 - slow to import, and who only counts needs no dataset

    found = columns(timeline)
    return xr.Dataset({name: ("gradient", found[name]) for name in GRADIENT}, attrs=dict(timeline.about))


@not_collected()
def columns(timeline: Timeline) -> dict[str, np.ndarray]:
    """The variables of `gradients`, as arrays."""
    chains = Chains(checked(timeline).graph)
    fates, version = by_gradient(uses(timeline, chains)), versions(timeline, chains)
    delivered = set(_delivered(timeline).tolist())
    rows = [_row(chains, fates, version, delivered, *row) for row in _completed(timeline)]
    found = zip(*rows, strict=True) if rows else [()] * len(GRADIENT)
    return {
        name: np.array(column, dtype=kind)
        for (name, kind), column in zip(GRADIENT.items(), found, strict=True)
    }


def _completed(timeline: Timeline) -> list[tuple[int, tuple[int, ...], float, float]]:
    """(node, graph nodes, start_s, end_s) of the gradients that were complete before the end, in that order."""
    c = timeline.computes
    rows = np.flatnonzero(_is_operation(timeline, "gradient") & c["completed"])
    whole = [
        (int(c["node"][row]), (int(c["value"][row]),), float(c["start_s"][row]), float(c["end_s"][row]))
        for row in rows.tolist()
    ]
    staged = [(one.node, tuple(one.sources), one.start_s, one.end_s) for one in passes(timeline)]
    return sorted((row for row in whole + staged if row[3] <= timeline.end_s), key=lambda row: row[3])


def _row(
    chains: Chains, fates: dict, version: list, delivered: set, node: int, values: tuple, *span: float
) -> tuple:
    """One row of `gradients`, in the order of GRADIENT."""
    known = [fates[value] for value in values if value in fates]
    update = max(made for made, _ in known) if len(known) == len(values) else NOT_USED
    stale = max(stale for _, stale in known) if update != NOT_USED else np.nan
    read = min(version[chains.read(value)[0]] for value in values)
    graph, last = chains.graph, values[-1]
    count = len(graph.arguments[last]) // 2 if graph.operations[last] == "gradient" else 1
    return node, last, *span, read, update, stale, count, update == NOT_USED and last in delivered


def _is_operation(timeline: Timeline, name: str) -> np.ndarray:
    if name not in timeline.names:
        return np.zeros(len(timeline.computes["operation"]), dtype=bool)
    return timeline.computes["operation"] == timeline.names.index(name)


def _delivered(timeline: Timeline) -> np.ndarray:
    """Values of messages that a program took before the run ended."""
    messages = timeline.messages
    return messages["value"][messages["received_s"] <= timeline.end_s]
