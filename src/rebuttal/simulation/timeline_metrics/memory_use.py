"""How much memory a method takes on each node: weights, gradients, activations and messages, read off a timeline."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from rebuttal.base.garbage import not_collected
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD, Rule, remembered
from rebuttal.machines.costs import Costs
from rebuttal.simulation.timeline_metrics.dependency_chains import UPDATES, Chains
from rebuttal.simulation.timeline_metrics.memory_kinds import ACTIVATION_BYTES, KINDS, Sizes
from rebuttal.simulation.timeline_metrics.value_lifetimes import Holding, Shelf

if TYPE_CHECKING:
    import xarray as xr

Span = tuple[float, float, float]  # from, to, how much


@not_collected()
def memory(timeline: Timeline, costs: Costs, rule: Rule | None = None) -> "xr.Dataset":
    """The most that each node holds at a time.

    Along `node` and `kind`: peak_bytes. Kinds: weights (every version that will still be used, and once beside the
    newest what `rule`, SGD by default, remembers), gradients (a sum of several is one buffer), activations (records
    of forward passes that wait for their backward pass, and those within a whole gradient), buffers (messages that
    wait to be taken, and activations of other stages). Along `node`: total_peak_bytes, live_records (records of
    forward passes at a time) and live_versions (versions of one part of the weights at a time).
    """
    import xarray as xr  # noqa: PLC0415 - as in `gradient_table`

    chains = Chains(timeline.graph)
    sizes = Sizes(timeline.graph, chains, costs)
    shelves = Holding(timeline).shelves
    waiting, whole = _waiting(timeline, sizes), _within_gradients(timeline, costs)
    cells = _cells(timeline, sizes)
    nodes = sorted(shelves)
    peaks = np.zeros((len(nodes), len(KINDS) + 3))
    slots = remembered(rule or SGD())
    for row, node in enumerate(nodes):
        spans, records, versions = _spans(chains, sizes, shelves[node])
        spans["buffers"] += waiting[node]
        spans["activations"] += whole[node]
        spans["weights"] += cells[node]
        kept = slots * _updated(chains, sizes, shelves[node])
        peaks[row, : len(KINDS)] = [_peak(spans[kind]) for kind in KINDS]
        peaks[row, 0] += kept
        peaks[row, len(KINDS) :] = (
            _peak(span for some in spans.values() for span in some) + kept,
            _peak(records),
            max((_peak(some) for some in versions.values()), default=0),
        )
    names = ("total_peak_bytes", "live_records", "live_versions")
    found = {
        name: ("node", peaks[:, len(KINDS) + place].round().astype(int)) for place, name in enumerate(names)
    }
    by_kind = {"peak_bytes": (("node", "kind"), peaks[:, : len(KINDS)].round().astype(int))}
    return xr.Dataset(
        {**by_kind, **found}, coords={"node": nodes, "kind": list(KINDS)}, attrs=dict(timeline.about)
    )


def _spans(
    chains: Chains, sizes: Sizes, shelf: Shelf
) -> tuple[dict[str, list[Span]], list[Span], dict[tuple, list[Span]]]:
    """What a node holds, by kind; each of its records; each version, by part."""
    spans: dict[str, list[Span]] = {kind: [] for kind in KINDS}
    records, versions = [], defaultdict(list)
    for value, until_s in shelf.until_s.items():
        since_s = shelf.since_s[value]
        kind, size = sizes.held(value, here=value in shelf.computed)
        spans[kind].append((since_s, until_s, size))
        if chains.depth[value] is not None:
            versions[chains.part[value]].append((since_s, until_s, 1))
        elif kind == "activations":
            records.append((since_s, until_s, 1))
    return spans, records, versions


def _updated(chains: Chains, sizes: Sizes, shelf: Shelf) -> float:
    """Bytes of the weights that a node updates."""
    updated = (v for v in shelf.computed if chains.depth[v] and chains.graph.operations[v] in UPDATES)
    return sum({chains.part[value]: sizes.parameters(value) for value in updated}.values())


def _waiting(timeline: Timeline, sizes: Sizes) -> dict[int, list[Span]]:
    """Per node: the messages from when they are there until a program takes them."""
    found: dict[int, list[Span]] = defaultdict(list)
    m = timeline.messages
    taken_s = np.where(np.isnan(m["received_s"]), np.inf, m["received_s"])
    rows = np.flatnonzero(~np.isnan(m["arrived_s"]) & (m["value"] >= 0) & (taken_s > m["arrived_s"]))
    for row in rows.tolist():
        size = sizes.sent(int(m["value"][row]))
        found[int(m["destination"][row])].append((float(m["arrived_s"][row]), float(taken_s[row]), size))
    return found


def _cells(timeline: Timeline, sizes: Sizes) -> dict[int, list[Span]]:
    """Per node: the cells that others read, each with one content, from the start to the end."""
    m, contents = timeline.messages, {}
    read = [name.startswith("read ") for name in timeline.names]
    for source, tag, value in zip(*(m[name].tolist() for name in ("source", "tag", "value")), strict=True):
        if read[tag]:
            contents[source, tag] = sizes.parameters(value)
    found: dict[int, list[Span]] = defaultdict(list)
    for (source, _), size in contents.items():
        found[source].append((0.0, timeline.end_s, size))
    return found


def _within_gradients(timeline: Timeline, costs: Costs) -> dict[int, list[Span]]:
    """Per node: the activations of gradients that are computed in one piece."""
    found: dict[int, list[Span]] = defaultdict(list)
    c, each = timeline.computes, ACTIVATION_BYTES * costs.batch * costs.stage_saved(0, 1)
    named = [name == "gradient" for name in timeline.names]
    for row in range(len(c["node"])):
        if named[c["operation"][row]]:
            count = len(timeline.graph.arguments[int(c["value"][row])]) // 2
            found[int(c["node"][row])].append(
                (float(c["start_s"][row]), float(c["end_s"][row]), count * each)
            )
    return found


def _peak(spans: Iterable[Span]) -> float:
    """The most that is there at a time; what ends makes room for what begins in the same moment."""
    changes = np.array(list(_changes(spans))).reshape(-1, 2)
    if not len(changes):
        return 0.0
    order = np.lexsort((changes[:, 1], changes[:, 0]))
    return float(np.cumsum(changes[order, 1]).max())


def _changes(spans: Iterable[Span]) -> Iterator[tuple[float, float]]:
    for since_s, until_s, amount in spans:
        if until_s > since_s:
            yield since_s, amount
            yield until_s, -amount
