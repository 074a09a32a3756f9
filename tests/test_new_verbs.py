"""Collectives that do not block, cells, and versions made of parts or shared: every event worked out by hand."""

import pytest
from programs import FAST, NARROW, SLOW, Run

from rebuttal.core.verbs import AllReduce, Compute, Modify, Read, Report, Wait, Write

PAIR = (0, 1)


def computed(run, seconds=1):
    """Seconds of computing on this node."""
    for step in range(seconds):
        yield Compute(run.task.gradient, (run.task.start(), (step, 0)))


def last(run, w):
    yield Compute(run.task.update, (w, run.task.gradient(w, (0, 0))))
    yield Report(w)


def overlapping(names, channels):
    """Begins an all-reduce of 1 byte (0.2 s latency, 1 s on the wire) for each name, then waits for each."""

    def program(run, w):
        yield Report(w)
        handles = []
        for number, name in enumerate(names):
            value = (run.task.gradient(w, (number, 0)),)
            handles.append((yield AllReduce(name, value, PAIR, blocking=False, channel=number % channels)))
        run.note("begun")
        for name, handle in zip(names, handles, strict=True):
            yield Wait(handle)
            run.note(name)
        yield from last(run, w)

    return program


@pytest.fixture
def one_byte(monkeypatch):
    monkeypatch.setattr("programs.Prices.size_bytes", lambda *_: 1)


def times(run):
    return [second for second, what in run.log if what != "begun"][::2]


def test_one_channel_carries_one_collective_after_the_other(one_byte):
    found = Run()(overlapping("abc", 1), overlapping("abc", 1))
    assert [what for what in found.log if what[1] == "begun"] == [(0.0, "begun")] * 2
    assert times(found) == [1.2, 2.4, 3.6]


def test_channels_share_the_wire_and_overlap_their_latencies(one_byte):
    found = Run()(overlapping("abc", 3), overlapping("abc", 3))
    assert times(found) == [1.2, 2.2, 3.2]


def test_a_node_computes_while_its_channel_works(one_byte):
    def program(run, w):
        yield Report(w)
        handle = yield AllReduce("a", run.task.gradient(w, (0, 0)), PAIR, blocking=False)
        yield from computed(run, 2)
        run.note("computed")
        yield Wait(handle)
        run.note("there")
        yield from last(run, w)

    found = Run()(program, program)
    assert found.log[:4] == [(2.0, "computed"), (2.0, "there")] * 2


def test_a_tuple_is_averaged_part_by_part():
    def program(run, w):
        yield Report(w)
        pair = tuple(run.task.gradient(w, (number, 0)) for number in (0, 1))
        one, two = yield AllReduce("bucket", pair, PAIR)
        run.note([run.graph.operations[g.number] for g in (one, two)])
        assert one.number != two.number
        yield from last(run, w)

    found = Run()(program, program)
    assert found.log[0][1] == ["mean", "mean"]


def test_an_unfinished_collective_that_does_not_block_is_named_when_nothing_can_happen():
    def program(run, w):
        yield Report(w)
        handle = yield AllReduce("a", w, PAIR, blocking=False)
        yield Wait(handle)

    def absent(run, w):
        yield Report(w)

    with pytest.raises(Exception, match="all-reduce a"):
        Run()(program, absent)


# --- cells ----------------------------------------------------------------------------------------------------


def test_a_read_of_shared_memory_waits_for_the_first_content_and_takes_no_time():
    def writer(run, w):
        yield from computed(run)
        yield Write("c", "first")
        yield from last(run, w)

    def reader(run, w):
        run.note((yield Read("c")))
        run.note((yield Read("c")))

    found = Run(updates=1)(lambda run, w: _then(Report(w), writer(run, w)), reader)
    assert found.log == [(1.0, "first"), (1.0, "first")]


def _then(first, rest):
    yield first
    yield from rest


def test_a_modification_of_shared_memory_takes_its_time_and_loses_nothing():
    """Two nodes update one cell at once: both take 0.25 s, and the second is applied to what the first left."""

    def program(run, w):
        if (yield Report(w)):
            yield Write("w", w)
        w = yield Modify("w", run.task.update, (run.task.gradient(w, (0, 0)),))
        run.note("written")
        yield Report(w)

    def other(run, w):
        yield Modify("w", run.task.update, (run.task.gradient(w, (1, 0)),))
        w = yield Read("w")
        run.note(len([o for o in run.graph.operations if o == "update"]))
        yield Report(w)

    found = Run(updates=1)(program, other)
    assert found.log[0] == (0.25, "written")
    updates = [n for n, o in enumerate(found.graph.operations) if o == "update"]
    if len(updates) == 2:
        assert found.graph.inputs[updates[1]][0] == updates[0]
    assert {row[1] for row in found.computes()} >= {"update"}


def test_a_remote_cell_is_read_and_modified_without_its_owner():
    """Owner 0 (free link) computes all the time. Reader 1 has 0.5 s latency and 10 bytes/s: 'abcdefghij' takes 1 s."""

    def owner(run, w):
        yield Report(w)
        yield Write("c", "abcdefghij", at=0)
        yield from computed(run, 9)
        yield from last(run, w)

    def reader(run, w):
        run.note((yield Read("c", at=0)))
        run.note((yield Modify("c", lambda content, more: content + more, ("x" * 10,), at=0)))
        run.note((yield Read("c", at=0)))

    found = Run(links={0: FAST, 1: SLOW})(owner, reader)
    # ask 0.5 s, no latency at the owner, 1 s to take it in; then 0.5 + 1 s there and 0.5 s back; then 0.5 + 2 s
    assert found.log[0] == (1.5, "abcdefghij")
    assert found.log[1] == (1.5 + 0.5 + 1.0 + 0.5, "abcdefghij" + "x" * 10)
    assert found.log[2] == (3.5 + 0.5 + 2.0, "abcdefghij" + "x" * 10)
    assert found.messages("source", "destination", "bytes") == [(0, 1, 10), (1, 0, 10), (0, 1, 20)]


def test_readers_of_one_owner_contend_for_its_link():
    def owner(run, w):
        yield Report(w)
        yield Write("c", "abcdefghij", at=0)
        yield from computed(run, 9)
        yield from last(run, w)

    def reader(run, w):
        yield Read("c", at=0)
        run.note("read")

    found = Run(links={0: NARROW})(owner, reader, reader)
    assert sorted(found.log) == [(1.0, "read"), (2.0, "read")]


# --- versions -------------------------------------------------------------------------------------------------


def test_a_version_is_there_when_all_its_parts_are():
    def stage(l):
        def program(run, w):
            part = run.task.stage(l, 2).part(w)
            yield Report(part, part=(l, 2))
            for step in range(3):
                yield from computed(run, 1 + l)
                part = run.task.update(part, run.task.stage(l, 2).part(run.task.gradient(w, (0, step))))
                if not (yield Report(part, part=(l, 2))):
                    return

        return program

    run = Run(updates=2)
    run.task = type(run.task)(run.graph.symbol, (4, 4))
    found = run(stage(0), stage(1))
    assert found.timeline.updates["time_s"].tolist() == [0.0, 2.0, 4.0]
    ends = [found.graph.operations[v] for v in found.timeline.updates["value"].tolist()]
    assert ends == ["joined"] * 3


def test_every_report_of_nodes_that_share_the_weights_is_a_version():
    def program(run, w):
        step = 0
        while (yield Report(run.task.update(w, run.task.gradient(w, (id(program), step))), shared=True)):
            yield from computed(run)
            step += 1

    found = Run(updates=5)(program, program, program)
    assert found.timeline.updates["time_s"].tolist() == [0.0] * 3 + [1.0] * 3
    assert found.timeline.updates["node"].tolist() == [0, 1, 2, 0, 1, 2]
