"""What is read off a timeline, on runs that were worked out by hand."""

import numpy as np
import pytest
from runs import FREE, Fixed, machine, run

from rebuttal.base.errors import InputError
from rebuttal.core.graph import Graph
from rebuttal.core.timeline import Recorder
from rebuttal.machines.hardware import Link
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import NOT_USED, gantt, gradients, progress, summary, utilisation


def by_hand():
    """Two workers and a server: version 1 of (a, b), b one old; c comes too late; d is given up, e is never finished.

    seconds     0        1        2        3        4        5        6
    node 1      a a a a a a a a a c c c c c c c c c c c c c c
    node 2      b b b b b b b b b b b b b b b b b b d d d d d e e e e …
    versions    0        1                 2                 3
    """
    graph, record = Graph(), Recorder({"servers": 1, "clock": "modelled", "seed": 0})
    w0 = graph.symbol("start")
    a, b = (graph.symbol("gradient", (w0,), (float(k), 0.0)) for k in (0, 1))
    w1 = graph.symbol("update", (w0, a))
    w2 = graph.symbol("update", (w1, b))
    c, d = (graph.symbol("gradient", (w,), (float(k), 1.0, 5.0, 1.0)) for k, w in ((0, w1), (1, w2)))
    f = graph.symbol("gradient", (w2,), (2.0, 0.0))
    w3 = graph.symbol("update", (w2, f))
    e = graph.symbol("gradient", (w2,), (1.0, 2.0))
    for node, value, start_s, end_s, completed in [
        (1, a, 0, 1, True), (2, b, 0, 2, True), (1, c, 1, 2.5, True), (2, d, 2, 2.5, False), (0, f, 2, 4, True),
        (2, e, 2.5, 9, True),
    ]:  # fmt: skip
        record.compute(node, "gradient", value, start_s, end_s, completed)
    for source, value, size, sent_s, received_s in [(1, a, 10, 1, 1), (2, b, 10, 2, 2), (1, c, 20, 2.5, 3)]:
        row = record.message(source, 0, "gradient", value, size, sent_s)
        record.arrived(row, received_s)
        record.received(row, received_s)
    for value, time_s in ((w0, 0), (w1, 1), (w2, 2), (w3, 4)):
        record.update(0, value, time_s)
    return record.timeline(graph)


def test_each_gradient_has_its_versions_its_staleness_and_its_fate():
    table = gradients(by_hand())
    assert table.attrs == {"servers": 1, "clock": "modelled", "seed": 0}
    columns = ("node", "start_s", "end_s", "version_read", "update", "batches", "late")
    rows = list(zip(*(table[name].values.tolist() for name in columns), strict=True))
    assert rows == [
        (1, 0, 1, 0, 1, 1, False),
        (2, 0, 2, 0, 2, 1, False),
        (1, 1, 2.5, 1, NOT_USED, 2, True),  # over two batches; delivered, and no update rests on it
        (0, 2, 4, 2, 3, 1, False),
    ]  # neither the one given up nor the one that was still computed at the end
    np.testing.assert_array_equal(table["staleness"].values, [0, 1, np.nan, 0])


def test_the_summary_counts():
    found = summary(by_hand())
    assert found == pytest.approx({
        "updates": 3, "seconds_per_update": 4 / 3, "gradients_computed": 4, "gradients_applied": 3,
        "gradients_dropped": 1, "gradients_abandoned": 1, "bytes_sent": 40, "utilisation": (2.5 + 4 + 2) / 3 / 4,
        "staleness_mean": 1 / 3, "staleness_max": 1, "staleness_q95": np.quantile([0, 1, 0], 0.95),
    })  # fmt: skip


def test_utilisation_is_the_share_of_the_run_with_unfinished_work_cut_at_its_end():
    assert utilisation(by_hand()) == {0: 0.5, 1: 2.5 / 4, 2: 1.0}


def test_progress_counts_batches_when_a_version_was_made():
    found = progress(by_hand())
    assert found["seconds"].values.tolist() == [0, 1, 2, 4]
    assert found["batches_applied"].values.tolist() == [0, 1, 2, 3]
    assert found["batches_computed"].values.tolist() == [0, 1, 2, 5]
    assert found["version"].values.tolist() == [0, 1, 2, 3]


def test_the_gantt_table_has_every_computation_and_message_until_its_end():
    timeline = by_hand()
    table = gantt(timeline)
    lengths = {len(column) for column in table.values()}
    assert lengths == {6 + 3}
    rows = list(
        zip(table["node"], table["kind"], table["end_s"], table["version"], table["dropped"], strict=True)
    )
    assert rows[:6] == [
        (1, "gradient", 1, 0, False), (2, "gradient", 2, 0, False), (1, "gradient", 2.5, 1, True),
        (2, "gradient", 2.5, NOT_USED, True), (0, "gradient", 4, 2, False), (2, "gradient", 4, NOT_USED, False),
    ]  # fmt: skip
    assert [row[:3] for row in rows[6:]] == [(0, "message", 1), (0, "message", 2), (0, "message", 3)]
    early = gantt(timeline, until_s=1.5)
    assert max(early["end_s"]) == 1.5
    assert len(early["node"]) == 4


# --- runs of real methods, on machines whose every event is known ---------------------------------------------


def test_asynchronous_workers_of_one_and_two_seconds():
    """The quick one is 0 or 1 updates behind, the slow one 2: of every three gradients two are the quick one's."""
    timeline = run("asynchronous", workers=2, updates=9, machine=machine(Fixed(factors=(1.0, 2.0 + 1e-9))))
    table = gradients(timeline)
    stale = {node: table["staleness"].values[table["node"].values == node].tolist() for node in (1, 2)}
    assert stale == {1: [0, 0, 1, 0, 1, 0], 2: [2, 2, 2]}
    assert summary(timeline)["utilisation"] == pytest.approx(1.0, abs=0.01)


def test_synchronous_workers_are_used_as_long_as_the_slowest_leaves_them():
    timeline = run(
        "synchronous", workers=2, updates=5, machine=machine(Fixed(factors=(1.0, 4.0)), update_s=1.0)
    )
    assert summary(timeline)["seconds_per_update"] == 5.0
    assert utilisation(timeline) == pytest.approx({1: 1 / 5, 2: 4 / 5})
    assert summary(timeline)["staleness_max"] == 0


def test_every_byte_is_counted():
    """Per step the weights go to each worker and a gradient comes back from each."""
    timeline = run("synchronous", workers=3, updates=7, machine=machine(NoStragglers(), weight_bytes=1000))
    assert summary(timeline)["bytes_sent"] == 7 * 3 * 2 * 1000


def test_given_up_gradients_are_counted_apart_from_dropped_ones():
    where = machine(Fixed(factors=(1.0, 1.0, 9.0)))
    given_up = summary(run("k_sync", {"b": 1}, workers=3, updates=6, machine=where))
    assert (given_up["gradients_abandoned"], given_up["gradients_dropped"]) == (
        5,
        0,
    )  # the sixth still ran at the end
    dropped = summary(run("backup_workers", {"b": 1}, workers=3, updates=20, machine=where))
    assert (dropped["gradients_abandoned"], dropped["gradients_dropped"]) == (0, 2)
    assert dropped["gradients_applied"] == 40


def test_a_large_batch_counts_its_batches():
    timeline = run("mini_batch", {"shards": 6}, updates=4)
    assert progress(timeline)["batches_applied"].values.tolist() == [0, 6, 12, 18, 24]
    assert gradients(timeline)["batches"].values.tolist() == [6] * 4


def test_an_undelivered_gradient_is_not_late():
    """The second is done, but on its way to a slow server, when the run ends: no program has refused it."""
    slow = Link(latency_s=0.0, bandwidth_bytes_per_s=1.0, source="test")
    where = machine(NoStragglers(), FREE, server_link=slow, weight_bytes=10)
    found = summary(run("asynchronous", workers=3, updates=1, machine=where))
    assert (found["gradients_computed"], found["gradients_applied"], found["gradients_dropped"]) == (2, 1, 0)


def test_a_run_about_nothing_is_refused():
    with pytest.raises(InputError, match=r"machine: got 'paper_clutser'.*did you mean 'paper_cluster'"):
        simulate("synchronous", machine="paper_clutser")
