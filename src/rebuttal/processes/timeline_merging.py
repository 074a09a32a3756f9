"""One timeline of the notes of all nodes: their values are known by name, so equal ones are one node of the graph."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rebuttal.base.errors import RunError
from rebuttal.core.graph import Graph, Symbol
from rebuttal.core.timeline import Recorder, Timeline
from rebuttal.processes.clocks import Offset
from rebuttal.processes.log import Definition, Log, Name, Reported
from rebuttal.processes.members import Loss
from rebuttal.processes.setup import Setup
from rebuttal.processes.values import name_of

UNKNOWN = (
    "A read is noted with the last write that had ended before it, as the reader saw it. How much of a later write it "
    "held is not known, nor which numbers were lost where two writes met: the weights need not follow from this order."
)
Version = tuple[int, Name, float]  # (node that made it, its name, when on the launcher's clock)


def merged(
    setup: Setup,
    logs: Sequence[Log],
    begin_s: float,
    offsets: Mapping[int, Offset],
    losses: Sequence[Loss] = (),
) -> Timeline:
    """The timeline of all nodes' `logs`, by number; its seconds count from `begin_s` on the launcher's clock."""
    definitions = {name: made for log in logs for name, made in log.definitions.items()}
    definitions |= {label: definitions[name] for log in logs for label, name in log.labels.items()}
    late_s = {log.node: begin_s + offsets[log.node].correction_s for log in logs}
    versions, reports = _versions(setup, logs, late_s, definitions)
    about = setup.about() | _about(setup, logs, reports, begin_s, offsets, losses)
    graph, recorder = Graph(), Recorder(about)
    numbers: dict[Name, int] = {}

    def symbol(name: Name | None) -> Symbol | None:
        return None if name is None else Symbol(graph, _numbered(name, definitions, numbers, graph))

    for node, name, time_s in versions:
        recorder.update(node, symbol(name), time_s)
    for start_s, node, row in sorted(
        ((row.start_s - late_s[log.node], log.node, row) for log in logs for row in log.computed),
        key=lambda found: found[:2],
    ):
        end_s = row.end_s - late_s[node]
        recorder.compute(node, row.operation, symbol(row.name), start_s, end_s, row.completed, row.size_bytes)
    _add_messages(recorder, logs, late_s, symbol)
    for name in definitions:  # also what was computed and never used, such as one half of a backward pass
        symbol(name)
    return recorder.timeline(graph)


def _add_messages(
    recorder: Recorder,
    logs: Sequence[Log],
    late_s: Mapping[int, float],
    symbol: Callable[[Name | None], Symbol | None],
) -> None:
    """The rows of what was sent, then of what went to cells of another node and from them."""
    for sent_s, source, row in sorted(
        ((row.sent_s - late_s[log.node], log.node, row) for log in logs for row in log.sent),
        key=lambda found: found[:2],
    ):
        number = recorder.message(source, row.to, row.tag, symbol(row.name), row.size_bytes, sent_s)
        there = logs[row.to]
        if (source, row.number) in there.arrived_s:
            recorder.arrived(number, there.arrived_s[source, row.number] - late_s[row.to])
        if (source, row.number) in there.taken_s:
            recorder.received(number, there.taken_s[source, row.number] - late_s[row.to])
    for sent_s, node, row in sorted(
        ((row.sent_s - late_s[log.node], log.node, row) for log in logs for row in log.carried),
        key=lambda found: found[:2],
    ):
        number = recorder.message(row.source, row.to, row.tag, symbol(row.name), row.size_bytes, sent_s)
        recorder.arrived(number, row.arrived_s - late_s[node])
        recorder.received(number, row.arrived_s - late_s[node])


def _about(
    setup: Setup,
    logs: Sequence[Log],
    reports: Sequence[Reported],
    begin_s: float,
    offsets: Mapping[int, Offset],
    losses: Sequence[Loss],
) -> dict[str, Any]:
    """The facts that only a real run has."""
    found = {
        "clock_offsets": {str(node): [offset.seconds, offset.error_s] for node, offset in offsets.items()},
        "checksums": [
            [r.version, *(r.part or r.replica or (0, 1)), r.checksum] for r in reports if r.checksum
        ],
        "lost": [_told(setup, loss, logs, begin_s) for loss in losses],
    }
    averaged = {r.replica[1] for r in reports if r.replica}
    if averaged:
        (found["replicas"],) = averaged
    if setup.lock_free:
        counts = {name: sum(getattr(log, name) for log in logs) for name in ("accesses", "overtaken")}
        found["memory"] = {"locks": False, **counts, "unknown": UNKNOWN}
    return found


def _told(setup: Setup, loss: Loss, logs: Sequence[Log], begin_s: float) -> dict[str, Any]:
    """A lost node, and what was lost with it: computations that it had begun, and messages on their way."""
    log = logs[loss.node]
    arrived = sum((loss.node, row.number) in logs[row.to].arrived_s for row in log.sent)
    return {
        "node": loss.node,
        "role": setup.role(loss.node),
        "how": loss.how,
        "noticed_s": loss.noticed_s - begin_s,
        "version": loss.version,
        "computations": len(log.computed),
        "computations_lost": loss.begun - len(log.computed),
        "messages_lost": len(log.sent) - arrived,
    }


def _versions(
    setup: Setup, logs: Sequence[Log], late_s: Mapping[int, float], definitions: dict[Name, Definition]
) -> tuple[list[Version], list[Reported]]:
    """Every version, and the reports that they are made of; what joins or averages is added to `definitions`.

    Of replicas, which report the same versions, the first node that made all of them counts.
    """
    found: dict[int, list[tuple[int, Reported]]] = defaultdict(list)
    chosen = [log for log in logs if any(r.shared or r.part or r.replica for r in log.reported)]
    whole = [log for log in logs if log.reported and log.reported[-1].version == setup.updates]
    for log in chosen or whole[:1]:
        for report in log.reported:
            found[report.version].append((log.node, report))
    newest = _newest([report for version in sorted(found) for _, report in found[version]])
    if sorted(version for version in found if version >= 0) != list(range(setup.updates + 1)):
        raise RunError(f"{len(found)} of {setup.updates + 1} versions of the weights were reported")
    versions = []
    for version in range(setup.updates + 1):
        parts = sorted(found[version], key=lambda row: row[1].part or row[1].replica or (0, 1))
        made = [(report.time_s - late_s[node], node) for node, report in parts]
        names = newest.get(version) or [report.name for _, report in parts]
        operation = "averaged" if parts[0][1].replica else "joined"
        versions.append((max(made)[1], _of_all(operation, names, definitions), max(made)[0]))
    return versions, [report for version in range(setup.updates + 1) for _, report in found[version]]


def _newest(reports: Sequence[Reported]) -> dict[int, list[Name]]:
    """Version -> what each node reported last, of replicas that are reported at any time: as on a virtual cluster."""
    found: dict[int, list[Name]] = {}
    last: list[Name] = []
    for report in reports:
        if report.shared and report.replica:
            k, K = report.replica
            last = last or [report.name] * K
            last[k] = report.name
            found[report.version] = list(last)
    return found


def _of_all(operation: str, names: list[Name], definitions: dict[Name, Definition]) -> Name:
    if len(names) == 1:
        return names[0]
    name = name_of(operation, names, ())
    definitions[name] = (operation, tuple(names), ())
    return name


def _numbered(
    name: Name, definitions: Mapping[Name, Definition], numbers: dict[Name, int], graph: Graph
) -> int:
    """The graph node of a name; it and what it rests on are added, inputs first."""
    stack = [name]
    while stack:
        operation, inputs, arguments = definitions[stack[-1]]
        missing = [i for i in inputs if i not in numbers]
        if missing:
            stack.extend(reversed(missing))
        else:
            current = stack.pop()
            numbers[current] = graph.node(operation, tuple(numbers[i] for i in inputs), arguments)
    return numbers[name]
