"""Kinds of tampering with a recorded run: what is changed, and what `rebuttal verify` says of it.

Those of RESEALED are made by somebody who has this package: the hash in the header is that of what was changed. What
nothing in the record can show is named, in words of the line that `verify` prints.
"""

import json
from dataclasses import dataclass, replace

import numpy as np

from rebuttal.core.graph import Graph

RESEALED, RAW = {}, {}
SECONDS = {"computes": ("start_s", "end_s"), "messages": ("sent_s", "arrived_s", "received_s"),
           "updates": ("time_s",)}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """Of tampering. change: timeline -> timeline, or (arrays, header) in place. says: a pattern of the refusal, or,
    where nobody can tell, `untold`: what the line of a verification names."""

    what: str
    change: object
    says: str = ""
    untold: str = ""


def kind(what, says="", untold="", table=RESEALED):
    def of(change):
        table[change.__name__] = Kind(what, change, says, untold)
        return change

    return of


def fact(name, what, value, says="", untold=""):
    """A fact of the header becomes another: `value`, or what it makes of the old one."""

    def change(timeline):
        found = value(timeline.about[name]) if callable(value) else value
        return replace(timeline, about={**timeline.about, name: found})

    RESEALED[f"{name}: {what}"] = Kind(f"`{name}`: {what}", change, says, untold)


def column(table, name, what, edit, says="", untold=""):
    """A column of a table becomes another: `edit` changes a copy of it in place."""

    def change(timeline):
        found = getattr(timeline, table)[name].copy()
        edit(found, timeline)
        return replace(timeline, **{table: {**getattr(timeline, table), name: found}})

    RESEALED[f"{table}.{name}: {what}"] = Kind(f"`{table}.{name}`: {what}", change, says, untold)


def rows(timeline, table, kept):
    """The timeline with some rows of a table, by number."""
    return replace(timeline, **{table: {name: c[kept] for name, c in getattr(timeline, table).items()}})


def altered(timeline, changes):
    """The timeline with other contents, (operation, inputs, arguments), of some graph nodes."""
    graph, old, numbers = Graph(), timeline.graph, {}

    def number(node):
        if node not in numbers:
            kept = (old.operations[node], old.inputs[node], old.arguments[node])
            operation, inputs, arguments = changes.get(node, kept)
            numbers[node] = graph.node(operation, tuple(number(i) for i in inputs), arguments)
        return numbers[node]

    states = np.array([number(state) for state in timeline.updates["value"].tolist()])
    new = {table: np.array([number(v) if v >= 0 else v for v in getattr(timeline, table)["value"].tolist()])
           for table in ("computes", "messages")}  # fmt: skip
    return replace(
        timeline, graph=graph, updates={**timeline.updates, "value": states},
        computes={**timeline.computes, "value": new["computes"]},
        messages={**timeline.messages, "value": new["messages"]},
    )  # fmt: skip


def of_version(timeline, version):
    """(the update, its gradient, the state that it updates) of a version of an asynchronous run."""
    update = int(timeline.updates["value"][version])
    state, gradient = timeline.graph.inputs[update]
    return update, gradient, state


RUN, CANNOT = "the record is not one of", "the record cannot be"
fact("method", "another of the catalogue", "synchronous", RUN)
fact("method", "an unknown name", "mine", untold="its method, which is none of ours")
fact("options", "one that the method has not", {"n": 3}, "option")
fact("options", "an endless number", {"n": 10**12}, "options.n: got")
fact("machine", "a machine of the catalogue", "paper_cluster", "machine: got")
fact("workload", "another of the catalogue", "digits_mlp", "a value of|do not follow")
fact("workload", "an unknown name", "mine", "workload: got 'mine'")
fact("workload", "a file of code", "file:evil.py", "trust: got 'no file")
fact("workload", "a folder of images", "images:resnet:/etc", "trust: got 'no file")
fact("workload", "a text", "text:/etc/passwd", "trust: got 'no file")
fact("workers", "more", 64, "nodes: got")
fact("nodes", "fewer", 3, "nodes: got")
fact("servers", "none", 0, "servers: got")
fact("seed", "another", lambda one: one + 1, "do not follow|straggler asks")
fact("batch", "doubled", lambda one: 2 * one, "do not follow")
fact("batch", "an endless number", 2**40, "batch: got")
fact("clock", "modelled", "modelled", "clock: got")
fact("learning_rate", "larger by a millionth", lambda one: one * (1 + 1e-6), "do not follow")
fact("learning_rate", "no number", "fast", "learning_rate: got")
fact("rule", "another", {"name": "momentum", "momentum": 0.5}, "do not follow|a value of")
fact("rule", "an unknown name", {"name": "mine"}, "rule: got")
fact("stragglers", "of no known distribution", "none to speak of", "stragglers: got")
fact("pace_s", "ten times as long", lambda one: 10 * one, "straggler asks")
fact("pace_s", "a tenth", lambda one: one / 10, untold="waits that were longer than stated")
fact("threads", "more", 8, "threads: got")
fact("cores", "others", [0, 1], untold="cores, hosts and clock offsets")
fact("checksums_every", "rarer than there are checksums", lambda one: 2 * one, "checksums: got")
fact("checksums", "one of the middle is left out", lambda found: found[:3] + found[4:], "checksums: got")
fact("checksums", "the last is left out", lambda found: found[:-1], "the last checksum: got")
fact(
    "checksums", "one is altered", lambda found: [[*found[0][:3], "0" * 64], *found[1:]], "version 0, stage 0"
)
fact(
    "checksums",
    "one of a stage that is not there",
    lambda found: [*found, [2, 1, 2, "0" * 64]],
    "of its parts",
)
fact("checksums", "words instead of rows", lambda _: ["all"], "checksums: got 'all'")
LOST = {"node": 1, "role": "worker 0", "how": "killed", "noticed_s": 0.0, "version": 1, "computations": 1,
        "computations_lost": 0, "messages_lost": 0}  # fmt: skip
fact("lost", "a node that was not lost", [LOST], "lost: got")
fact("clock_offsets", "a node's is left out", {"0": [0.0, 0.0]}, CANNOT)
fact("clock_offsets", "clocks that nobody knows", lambda all_: {n: [0.0, 1e6] for n in all_}, CANNOT)
fact("clock_offsets", "others", lambda all_: {n: [s + 1e-7, e] for n, (s, e) in all_.items()},
     untold="cores, hosts and clock offsets")  # fmt: skip


@kind("a fact that no run has", "an unknown key")
def more_facts(timeline):
    return replace(timeline, about={**timeline.about, "award": "best paper"})


def scaled(timeline, factor):
    for table, names in SECONDS.items():
        new = {name: getattr(timeline, table)[name] * factor for name in names}
        timeline = replace(timeline, **{table: {**getattr(timeline, table), **new}})
    return timeline


@kind("all seconds halved, with stragglers", "straggler asks")
def halved(timeline):
    return scaled(timeline, 0.5)


@kind("all seconds doubled", untold="the unit of its seconds")
def doubled(timeline):
    return scaled(timeline, 2.0)


def times(factor):
    def edit(found, _):
        found *= factor

    return edit


def at(row, value):
    def edit(found, _):
        found[row] = value(found[row]) if callable(value) else value

    return edit


def exchanged(one, other):
    def edit(found, _):
        found[[one, other]] = found[[other, one]]

    return edit


def of_gradient(change):
    """In the row of a gradient that an update of the middle of the run used."""

    def edit(found, timeline):
        _, gradient, _ = of_version(timeline, 12)
        row = np.flatnonzero((timeline.computes["value"] == gradient) & timeline.computes["completed"])[0]
        found[row] = change(found[row])

    return edit


def of_message(change):
    """In the row of the message that brought this gradient."""

    def edit(found, timeline):
        _, gradient, _ = of_version(timeline, 12)
        row = np.flatnonzero(timeline.messages["value"] == gradient)[0]
        found[row] = change(found[row])

    return edit


column("computes", "node", "another", of_gradient(lambda node: node % 3 + 1), f"{CANNOT}|{RUN}")
column("computes", "node", "none that there is", of_gradient(lambda _: 9), CANNOT)
column("computes", "operation", "another name", of_gradient(lambda code: 1 - min(code, 1)), RUN)
column("computes", "value", "of another computation", of_gradient(lambda value: value - 1), f"{CANNOT}|{RUN}")
column("computes", "start_s", "before its weights were there", of_gradient(lambda _: -1.0), CANNOT)
column("computes", "end_s", "after it was used", of_gradient(lambda s: s + 1.0), CANNOT)
column("computes", "end_s", "no number", of_gradient(lambda _: np.nan), CANNOT)
column("computes", "end_s", "a tenth", times(0.1), CANNOT)
column(
    "computes",
    "completed",
    "all negated",
    lambda found, _: np.logical_not(found, out=found),
    f"{CANNOT}|{RUN}",
)
column("computes", "completed", "one negated", of_gradient(lambda _: False), f"{CANNOT}|{RUN}")
column("computes", "bytes", "of what sends none", of_gradient(lambda _: 10**6), RUN)
column("messages", "source", "another", of_message(lambda node: node % 3 + 1), f"{CANNOT}|{RUN}")
column("messages", "destination", "another", of_message(lambda _: 3), RUN)
column("messages", "tag", "another", of_message(lambda tag: tag + 1 if tag == 0 else tag - 1), RUN)
column("messages", "value", "another", of_message(lambda value: value - 1), f"{CANNOT}|{RUN}")
column("messages", "bytes", "none", times(0), CANNOT)
column("messages", "bytes", "doubled", times(2), "bytes on the wire")
column(
    "messages", "bytes", "one more", lambda found, _: np.add(found, 1, out=found), untold="bytes to within"
)
column("messages", "sent_s", "before its value was made", of_message(lambda _: -1.0), CANNOT)
column("messages", "sent_s", "after it arrived", of_message(lambda s: s + 1.0), CANNOT)
column("messages", "arrived_s", "after it was received", of_message(lambda s: s + 1.0), CANNOT)
column("messages", "received_s", "at once", of_message(lambda _: 0.0), CANNOT)
column("messages", "received_s", "never", of_message(lambda _: np.nan), RUN)
column("updates", "node", "another", at(12, 1), CANNOT)
column("updates", "time_s", "a tenth", times(0.1), CANNOT)
column("updates", "time_s", "before the gradient ends", at(12, 0.0), CANNOT)
column("updates", "time_s", "two exchanged", exchanged(5, 25), CANNOT)
column("updates", "value", "two exchanged", exchanged(5, 25), f"{CANNOT}|{RUN}|do not follow")


@kind("a computation is left out", f"{CANNOT}|{RUN}")
def without_a_computation(timeline):
    return rows(timeline, "computes", [n for n in range(len(timeline.computes["node"])) if n != 20])


@kind("a computation is there twice", f"{CANNOT}|{RUN}")
def computed_twice(timeline):
    return rows(timeline, "computes", [*range(len(timeline.computes["node"])), 20])


@kind("a message is left out", RUN)
def without_a_message(timeline):
    return rows(timeline, "messages", [n for n in range(len(timeline.messages["tag"])) if n != 20])


@kind("a message is there twice", f"{CANNOT}|{RUN}")
def sent_twice(timeline):
    return rows(timeline, "messages", [*range(len(timeline.messages["tag"])), 20])


@kind("no messages at all", f"{CANNOT}|{RUN}")
def without_messages(timeline):
    return rows(timeline, "messages", [])


@kind("the run ends earlier, its checksums do not", "the last checksum")
def shorter(timeline):
    return rows(timeline, "updates", range(20))


@kind("what a node made at the very end, and nobody used, is left out", untold="what nodes did at the end")
def without_the_end(timeline):
    c, used = timeline.computes, {v for update in range(1, 31) for v in of_version(timeline, update)}
    late = [n for n in range(len(c["node"])) if int(c["value"][n]) not in used]
    last = late[int(np.argmax(c["end_s"][late]))]
    kept = [n for n in range(len(c["node"])) if n != last]
    value = c["value"][last]
    messages = [n for n, v in enumerate(timeline.messages["value"].tolist()) if v != value]
    return rows(rows(timeline, "computes", kept), "messages", messages)


@kind("a gradient of another batch", f"{RUN}|do not follow")
def another_batch(timeline):
    _, gradient, _ = of_version(timeline, 12)
    return altered(timeline, {gradient: ("gradient", timeline.graph.inputs[gradient], (0.0, 99.0))})


@kind("a gradient at other weights", f"{CANNOT}|{RUN}|do not follow")
def other_weights(timeline):
    _, gradient, _ = of_version(timeline, 20)
    start = int(timeline.updates["value"][0])
    return altered(timeline, {gradient: ("gradient", (start,), timeline.graph.arguments[gradient])})


@kind("two updates in the other order", f"{CANNOT}|{RUN}|do not follow")
def other_order(timeline):
    states = timeline.updates["value"].tolist()
    free = [v for v in range(1, 30) if timeline.graph.inputs[of_version(timeline, v + 1)[1]][0] in states[:v]]
    (first, one, start), (second, two, _) = (of_version(timeline, free[-1] + n) for n in (0, 1))
    return altered(timeline, {first: ("update", (start, two), ()), second: ("update", (first, one), ())})


HASH = "has not the hash"


@kind("one number of a table", HASH, table=RAW)
def one_number(arrays, _):
    arrays["updates.time_s"][-1] *= 0.5


@kind("one argument of the graph", HASH, table=RAW)
def one_argument(arrays, _):
    arrays["graph.argument"][-1] += 1


@kind("a fact of the header", HASH, table=RAW)
def one_fact(_, header):
    header["about"]["machine"] = "several hosts"


@kind("a name in the header", HASH, table=RAW)
def one_name(_, header):
    header["names"][0] += "s"


@kind("the hash itself", HASH, table=RAW)
def the_hash(_, header):
    header["sha256"] = "0" * 64


@kind("no hash", HASH, table=RAW)
def no_hash(_, header):
    del header["sha256"]


@kind("an older schema, which has no hash", "schema 2", table=RAW)
def older(_, header):
    header["schema"] = 2


@kind("something that is no part of a timeline", "has no place", table=RAW)
def more_arrays(arrays, _):
    arrays["notes"] = np.zeros(3)


@kind("a table without one of its columns", "messages.bytes", table=RAW)
def fewer_arrays(arrays, _):
    del arrays["messages.bytes"]


def rewritten(path, change):
    """Change a file as somebody would who knows its format and leaves the hash as it is."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    header = json.loads(arrays.pop("header").tobytes())
    change(arrays, header)
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), dtype=np.uint8)
    np.savez_compressed(path, allow_pickle=False, **arrays, header=text)
