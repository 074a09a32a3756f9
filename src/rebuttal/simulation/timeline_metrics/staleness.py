"""How old the weights were that each update's gradients were computed on, layer by layer.

The staleness of a gradient is the depth of the state that it updates, less the depth of the one that it was computed
on: the updates between read and write. The forward and the backward pass of one gradient may read different weights,
and each has its own staleness.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rebuttal.base.garbage import not_collected
from rebuttal.core.timeline import Timeline
from rebuttal.simulation.timeline_metrics.dependency_chains import (
    UPDATES,
    WHOLE,
    Chains,
    Depth,
    Part,
    at,
    consisting,
)
from rebuttal.simulation.timeline_metrics.update_sources import UpdateSources

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class Use:
    """One gradient in one update, at part l of n: the graph nodes of both, and the version it first belongs to.

    `update` counts the part's updates from 1. A negative staleness (a worker that went on by itself from the weights
    that it had fetched) is 0.
    """

    node: int
    source: int
    version: int
    l: int
    n: int
    update: int
    forward_staleness: int
    backward_staleness: int


def uses(timeline: Timeline, chains: Chains | None = None) -> list[Use]:
    """Every gradient of every update that the versions consist of, in the order of the versions.

    A version consists of the states on its chain; weights that merely took part in computing its gradients do not
    count, which matters where one stage of a pipeline is ahead of another.
    """
    chains = chains or Chains(timeline.graph)
    sources = UpdateSources(chains)
    found = [
        use
        for version, node in consisting(chains, timeline.updates["value"].tolist())
        if timeline.graph.operations[node] in UPDATES
        for use in _of_update(chains, sources.of(node), node, version)
    ]
    updated: dict[int, set[int]] = {}
    for use in found:
        updated.setdefault(use.source, set()).add(use.l)
    return [_with_unused_parts(chains, use, updated[use.source]) for use in found]


def _with_unused_parts(chains: Chains, use: Use, updated: set[int]) -> Use:
    """A gradient of the whole that only some parts take up is as stale as the oldest of the others that it read."""
    read = chains.depth[chains.read(use.source)[0]]
    if use.n == 1 or chains.part[use.source] != WHOLE or not isinstance(read, tuple) or len(read) != use.n:
        return use
    oldest = min((read[l] for l in range(use.n) if l not in updated), default=use.update)
    stale = max(use.forward_staleness, use.update - 1 - oldest)
    return replace(use, forward_staleness=stale, backward_staleness=stale)


def by_gradient(found: Iterable[Use]) -> dict[int, tuple[int, int]]:
    """Graph node of a gradient -> (the version that it became part of, its staleness).

    Of a gradient that parts of the model take up one by one: the version that has them all, and the stalest part.
    """
    first: dict[tuple[int, int], Use] = {}
    for use in found:
        first.setdefault((use.source, use.l), use)
    fates: dict[int, tuple[int, int]] = {}
    for (source, _), use in first.items():
        version, stale = fates.get(source, (0, 0))
        fates[source] = max(version, use.version), max(stale, use.forward_staleness)
    return fates


@not_collected()
def layer_staleness(timeline: Timeline) -> "xr.Dataset":
    """One row per gradient and updated part: which one, how stale, when.

    Variables along `row`: layer (part l of `layers`; 0 of 1 where the whole model is updated at once), layers (n),
    update (of this part, from 1), version (the first that has it), forward_staleness and backward_staleness (updates
    of the part between the read and the write), seconds (when the update was made; NaN if the clock does not say).
    """
    import xarray as xr  # noqa: PLC0415 - as in `gradient_table`

    made_s = _made_s(timeline)
    rows = [
        (u.l, u.n, u.update, u.version, u.forward_staleness, u.backward_staleness, made_s.get(u.node, np.nan))
        for u in uses(timeline)
    ]
    names = ("layer", "layers", "update", "version", "forward_staleness", "backward_staleness")
    table = np.array(rows, dtype=float).reshape(len(rows), len(names) + 1)
    columns = {name: ("row", table[:, place].astype(int)) for place, name in enumerate(names)}
    return xr.Dataset(
        {**columns, "seconds": ("row", table[:, -1], {"units": "s"})}, attrs=dict(timeline.about)
    )


def _made_s(timeline: Timeline) -> dict[int, float]:
    """Graph node -> when it was first computed, or its bytes first arrived."""
    made_s: dict[int, float] = {}
    rows = [
        *zip(timeline.computes["value"].tolist(), timeline.computes["end_s"].tolist(), strict=True),
        *zip(timeline.updates["value"].tolist(), timeline.updates["time_s"].tolist(), strict=True),
    ]
    for value, time_s in rows:
        made_s[value] = min(time_s, made_s.get(value, np.inf))
    return made_s


def _of_update(chains: Chains, sources: Iterable[int], update: int, version: int) -> Iterator[Use]:
    """How stale the gradients (`sources`) of one update are; a row for each part where parts differ in depth."""
    state = chains.depth[chains.graph.inputs[update][0]]
    assert state is not None
    for source in sources:
        reads = [chains.depth[node] or 0 for node in chains.read(source)]
        for l, n in _parts(chains.part[update], chains.part[source], [state, *reads]):
            before = at(state, l, n)
            forward, backward = (max(0, before - at(depth, l, n)) for depth in reads)
            yield Use(update, source, version, l, n, before + 1, forward, backward)


def _parts(updated: Part, source: Part, depths: Sequence[Depth]) -> list[Part]:
    """The parts to tell apart: the updated one, that of the gradient, or all where they are not equally deep."""
    if updated != WHOLE:
        return [updated]
    if source != WHOLE:
        return [source]
    most = max((len(depth) for depth in depths if isinstance(depth, tuple)), default=1)
    return [(l, most) for l in range(most)]
