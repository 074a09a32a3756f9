"""The virtual cluster, verb by verb: five-line programs, and every event of them worked out by hand."""

import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from runs import machine, run

from rebuttal.clusters.budget import Budget
from rebuttal.clusters.virtual import VirtualCluster
from rebuttal.errors import InputError
from rebuttal.graph import SymbolicTask
from rebuttal.hardware import Link
from rebuttal.stragglers import Exponential
from rebuttal.timeline import Recorder
from rebuttal.verbs import AllReduce, Compute, Recv, Report, Send

FAST = Link(latency_s=0.0, bandwidth_bytes_per_s=float("inf"), source="test")
SLOW = Link(latency_s=0.5, bandwidth_bytes_per_s=10.0, source="test")  # 10 bytes take 1 s, and 0.5 s to begin
NARROW = Link(latency_s=0.0, bandwidth_bytes_per_s=10.0, source="test")


@dataclass
class Prices:
    """A gradient takes a second (times its shard's factor), an update 0.25 s; strings weigh a byte a letter."""

    links: dict = field(default_factory=dict)
    factors: dict = field(default_factory=dict)

    def seconds(self, operation, args):
        return {"gradient": 1.0, "update": 0.25}[operation]

    def slowdown(self, worker, index):
        return self.factors.get(worker, 1.0)

    def size_bytes(self, value):
        return len(value) if isinstance(value, str) else 0

    def link(self, node):
        return self.links.get(node, FAST)

    def all_reduce_s(self, nodes, size_bytes):
        return 0.1 * nodes + size_bytes


class Run:
    """Programs by node number on one cluster; `log` is for the programs to write (second, what) into."""

    def __init__(self, *, updates=1, **prices):
        self.log, self.reports, self.task = [], [], SymbolicTask()
        self.recorder = Recorder({"servers": 0})
        report = lambda version, weights: self.reports.append((version, weights))  # noqa: E731
        self.cluster = VirtualCluster(Prices(**prices), Budget(updates=updates), self.recorder, report)

    def note(self, what):
        self.log.append((round(self.cluster._clock.now, 9), what))

    def __call__(self, *programs):
        w = self.task.start()
        self.cluster.run({n: program(self, w) for n, program in enumerate(programs)})
        self.timeline = self.recorder.timeline(self.task.graph)
        return self

    def messages(self, *columns):
        return list(zip(*(self.timeline.messages[name].tolist() for name in columns), strict=True))

    def computes(self):
        table, names = self.timeline.computes, self.timeline.names
        columns = [table[name].tolist() for name in ("node", "operation", "start_s", "end_s", "completed")]
        return [(node, names[code], *rest) for node, code, *rest in zip(*columns, strict=True)]


def listen(count, tag="m", then=None):
    """Takes `count` messages, notes each, and ends the run."""

    def program(run, w):
        yield Report(w)
        for _ in range(count):
            run.note((yield Recv(tag)))
        yield Compute(run.task.update, (w, run.task.gradient(w, (0, 0))))
        yield Report(w)

    return program


def say(*values, tag="m", to=0):
    def program(run, w):
        for value in values:
            yield Send(to, tag, value)
            run.note("sent")

    return program


# --- Send and Recv --------------------------------------------------------------------------------------------


def test_a_message_takes_the_latency_and_its_bytes_over_the_bandwidth():
    found = Run(links={1: SLOW, 0: SLOW})(listen(1), say("x" * 10))
    assert found.log == [(0.0, "sent"), (1.5, (1, "x" * 10))]
    columns = ("source", "destination", "bytes", "sent_s", "arrived_s", "received_s")
    assert found.messages(*columns) == [(1, 0, 10, 0, 1.5, 1.5)]


def test_the_slower_of_the_two_links_counts():
    wide = Link(0.5, 100.0, "test")
    for links in ({1: wide, 0: NARROW}, {1: Link(0.5, 10.0, "test"), 0: Link(9.0, 100.0, "test")}):
        assert Run(links=links)(listen(1), say("x" * 10)).log[-1] == (1.5, (1, "x" * 10))


def test_a_message_of_no_bytes_takes_the_latency_alone():
    found = Run(links={1: SLOW, 0: SLOW})(listen(1), say(None))
    assert found.log[-1] == (0.5, (1, None))
    assert found.messages("bytes", "arrived_s") == [(0, 0.5)]


def test_a_sender_goes_on_at_once_and_its_link_sends_one_after_the_other():
    found = Run(links={1: SLOW})(listen(3), say("x" * 10, "y" * 20, "z" * 10))
    assert found.log[:3] == [(0.0, "sent")] * 3
    assert found.log[3:] == [(1.5, (1, "x" * 10)), (3.5, (1, "y" * 20)), (4.5, (1, "z" * 10))]


def test_messages_contend_for_the_link_of_their_receiver():
    """Four messages of a second each reach one link at once: they come out one second apart, first sent first."""
    found = Run(links={0: NARROW})(listen(4), *[say("x" * 10)] * 4)
    assert [(second, source) for second, (source, _) in found.log[4:]] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_fast_receiver_takes_slow_senders_nearly_side_by_side():
    """A link ten times as fast as the senders': each that comes at the same time adds a tenth of a second."""
    links = {0: Link(0.0, 100.0, "test")} | {n: Link(0.0, 10.0, "test") for n in (1, 2, 3)}
    found = Run(links=links)(listen(3), *[say("x" * 10)] * 3)
    assert [second for second, _ in found.log[3:]] == [1.0, pytest.approx(1.1), pytest.approx(1.2)]


def test_a_link_sends_and_receives_at_the_same_time():
    def echo(run, w):
        yield Send(0, "m", "y" * 10)
        run.note((yield Recv("m")))
        yield Send(0, "done")

    def hub(run, w):
        yield Report(w)
        yield Send(1, "m", "x" * 10)
        run.note((yield Recv("m")))
        yield Recv("done")
        yield Report(w)
        yield Report(w)

    found = Run(links={0: NARROW, 1: NARROW})(hub, echo)
    assert sorted(found.log) == [(1.0, (0, "x" * 10)), (1.0, (1, "y" * 10))]


def test_messages_with_one_tag_come_in_the_order_of_arrival_and_tags_do_not_mix():
    def hub(run, w):
        yield Report(w)
        run.note((yield Recv("b")))
        run.note((yield Recv("a")))
        run.note((yield Recv("a")))
        yield Report(w)

    found = Run(updates=1)(hub, say("1", tag="a"), say("2", tag="a"), say("3", tag="b"))
    assert [what for _, what in found.log if what != "sent"] == [(3, "3"), (1, "1"), (2, "2")]


def test_recv_by_source_waits_for_that_one_and_leaves_the_others():
    def hub(run, w):
        yield Report(w)
        run.note((yield Recv("m", source=2)))
        run.note((yield Recv("m")))
        yield Report(w)

    found = Run(links={2: SLOW})(hub, say("early"), say("late" * 5))
    assert found.log[2:] == [(2.5, (2, "late" * 5)), (2.5, (1, "early"))]


def newest_after(wait, **asked):
    def hub(run, w):
        yield Report(w)
        for _ in range(wait):
            yield Compute(run.task.gradient, (w, (0, 0)))
        run.note((yield Recv("m", latest=True, **asked)))
        yield Send(0, "m", "again")
        run.note((yield Recv("m")))
        yield Report(w)

    return hub


def test_latest_takes_the_newest_and_discards_the_older():
    found = Run()(newest_after(1), say("1", "2", "3"))
    assert [what for _, what in found.log if what != "sent"] == [(1, "3"), (0, "again")]
    received = dict(found.messages("value", "received_s"))
    assert len(received) == 1  # strings have no graph node
    assert np.isnan(found.timeline.messages["received_s"]).sum() == 2  # the two that nobody ever took


def test_latest_of_one_source_leaves_the_mail_of_others():
    found = Run()(newest_after(1, source=1), say("1", "2"), say("other"))
    assert [what for _, what in found.log if what != "sent"] == [(1, "2"), (2, "other")]


def test_latest_waits_if_there_is_nothing():
    found = Run(links={1: SLOW})(newest_after(0), say("x" * 10))
    assert found.log[1] == (1.5, (1, "x" * 10))


# --- Compute --------------------------------------------------------------------------------------------------


def test_compute_takes_its_price_times_the_slowdown_of_its_shard():
    def hub(run, w):
        yield Report(w)
        g = yield Compute(run.task.gradient, (w, (7, 0)))
        run.note("gradient")
        w = yield Compute(run.task.update, (w, g))
        run.note("update")
        yield Report(w)

    found = Run(factors={7: 3.0})(hub)
    assert found.log == [(3.0, "gradient"), (3.25, "update")]
    assert found.computes() == [(0, "gradient", 0, 3, True), (0, "update", 3, 3.25, True)]
    assert found.timeline.updates["time_s"].tolist() == [0, 3.25]
    assert found.timeline.graph.operations == ["start", "gradient", "update"]


def abandoning(run, w):
    run.note((yield Compute(run.task.gradient, (w, (1, 0)), unless="stop")))
    run.note((yield Recv("stop")))
    g = yield Compute(run.task.gradient, (w, (1, 1)), unless="stop")
    run.note(type(g).__name__)
    yield Send(0, "done")


def ending(run, w):
    yield Report(w)
    yield Compute(run.task.update, (w, w))
    yield Send(1, "stop", "x" * 5)
    yield Recv("done")
    yield Report(w)


def test_unless_abandons_at_the_moment_the_message_is_there():
    """Sent at 0.25, half a second on the way: the first gradient ends unfinished at 0.75, the second takes a second."""
    found = Run(links={1: NARROW})(ending, abandoning)
    assert found.log == [(0.75, None), (0.75, (0, "x" * 5)), (1.75, "Symbol")]
    assert found.computes() == [
        (0, "update", 0, 0.25, True), (1, "gradient", 0, 0.75, False), (1, "gradient", 0.75, 1.75, True),
    ]  # fmt: skip


def test_unless_does_not_even_begin_where_the_message_waits_already():
    def late(run, w):
        yield Compute(run.task.gradient, (w, (1, 0)))
        run.note((yield Compute(run.task.gradient, (w, (1, 1)), unless="stop")))
        yield Send(0, "done")

    found = Run()(ending, late)
    assert found.log == [(1.0, None)]
    assert found.computes()[-1] == (1, "gradient", 1, 1, False)


# --- AllReduce and Report -------------------------------------------------------------------------------------


def replica(shard):
    def program(run, w):
        g = yield Compute(run.task.gradient, (w, (shard, 0)))
        G = yield AllReduce("g", g, (0, 1, 2))
        run.note((shard, G.number))
        w = yield Compute(run.task.update, (w, G))
        yield Report(w)
        yield Report(w)

    return program


def test_all_reduce_waits_for_the_last_and_then_takes_its_price():
    found = Run(factors={1: 2.0, 2: 5.0})(*[replica(shard) for shard in range(3)])
    assert [second for second, _ in found.log] == [
        5.3
    ] * 3  # 5 s of the slowest, and 0.1 s for each of three nodes
    assert len({what for _, (_, what) in found.log}) == 1
    graph, mean = found.timeline.graph, found.log[0][1][1]
    assert graph.operations[mean] == "mean"
    assert [graph.arguments[i] for i in graph.inputs[mean]] == [(0, 0), (1, 0), (2, 0)]  # in node order
    collective = [row for row in found.computes() if row[1] == "all_reduce g"]
    assert collective == [(n, "all_reduce g", 5, pytest.approx(5.3), True) for n in range(3)]


def test_all_reduce_costs_the_ring_formula():
    """2 (K - 1) messages of one K-th of the bytes, on the workers' link."""
    link = Link(latency_s=0.01, bandwidth_bytes_per_s=1000.0, source="test")
    timeline = run("all_reduce", workers=4, updates=1, machine=machine(Exponential(), link, weight_bytes=400))
    table = timeline.computes
    rows = table["operation"] == timeline.names.index("all_reduce gradient")
    assert rows.sum() == 4
    np.testing.assert_allclose(
        (table["end_s"] - table["start_s"])[rows], 2 * 3 * (0.01 + 400 / 4 / 1000), rtol=1e-12
    )
    last = table["end_s"][table["operation"] == timeline.names.index("gradient")].max()
    np.testing.assert_allclose(table["start_s"][rows], last)


def test_rounds_of_one_tag_do_not_mix():
    def eager_node(run, w):
        for t in range(3):
            run.note((yield AllReduce("g", run.task.gradient(w, (0, t)), (0, 1))).number)
        yield Report(w)
        yield Report(w)

    def slow_node(run, w):
        for t in range(3):
            yield Compute(run.task.gradient, (w, (1, t)))
            yield AllReduce("g", run.task.gradient(w, (1, t)), (0, 1))

    found = Run()(eager_node, slow_node)
    assert [second for second, _ in found.log] == pytest.approx([1.2, 2.4, 3.6])
    graph = found.timeline.graph
    taken = [[graph.arguments[i] for i in graph.inputs[number]] for _, number in found.log]
    assert taken == [[(0, t), (1, t)] for t in range(3)]


def test_report_counts_versions_and_answers_when_to_stop():
    answers = []

    def hub(run, w):
        more = True
        while more:
            more = yield Report(w)
            answers.append(more)
            w = run.task.update(w, run.task.gradient(w, (0, len(answers))))

    found = Run(updates=3)(hub)
    assert [version for version, _ in found.reports] == [0, 1, 2, 3]
    assert answers[:3] == [True] * 3  # the fourth answer is False, and nothing runs after the end
    assert len(found.timeline.updates["time_s"]) == 4


def test_only_the_first_node_that_reports_makes_versions():
    found = Run(updates=1)(*[replica(shard) for shard in range(3)])
    assert found.timeline.updates["node"].tolist() == [0, 0]


# --- ends -----------------------------------------------------------------------------------------------------


def test_a_program_that_ends_early_leaves_the_others_alone():
    found = Run()(listen(1), say("x"), say())
    assert found.log == [(0.0, "sent"), (0.0, (1, "x"))]


def one_line(*programs, **prices):
    with pytest.raises(InputError) as refusal:
        Run(**prices)(*programs)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_deadlock_is_one_clear_line():
    text = one_line(listen(1), listen(1, tag="other"))
    assert "node 0 for 'm'" in text
    assert "node 1 for 'other'" in text


def test_a_deadlock_in_an_all_reduce_says_so():
    def absent(run, w):
        yield Compute(run.task.gradient, (w, (1, 0)))

    assert "node 0 for 'all-reduce g'" in one_line(replica(0), absent, absent)


def test_a_deadlock_of_many_names_a_few():
    assert "and 45 more" in one_line(*[listen(1)] * 50)


def test_programs_that_all_end_before_the_budget_is_spent_are_refused():
    assert "ended" in one_line(say(), say())


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("no"), KeyError("k")])
def test_an_error_inside_a_program_is_itself(error):
    def failing(run, w):
        yield Compute(run.task.gradient, (w, (0, 0)))
        raise error

    with pytest.raises(type(error)) as raised:
        Run()(listen(1), failing)
    assert raised.value.args == error.args


@pytest.mark.parametrize("given", [{}, {"updates": 3, "batches": 3}, {"updates": 0}, {"batches": 0}])
def test_a_budget_is_one_of_two_whole_numbers(given):
    with pytest.raises(InputError, match="allowed"):
        Budget(**given)


# --- scale ----------------------------------------------------------------------------------------------------


def cost_s(name, options, workers, gradients):
    """CPU seconds of one gradient, the best of three runs."""
    updates = gradients if name == "asynchronous" else gradients // workers
    spent = []
    for _ in range(3):
        start = time.process_time()
        run(name, options, workers=workers, updates=updates, machine=machine(Exponential(), update_s=1e-4))
        spent.append(time.process_time() - start)
    return min(spent) / gradients


LARGE = [("asynchronous", {}), ("backup_workers", {"b": 10}), ("k_sync", {"b": 10})]


@pytest.mark.parametrize(("name", "options"), LARGE)
def test_a_gradient_costs_about_the_same_among_fifty_and_among_a_thousand_workers(name, options):
    assert cost_s(name, options, 1000, 5000) < 3 * cost_s(name, options, 50, 5000)


def test_a_thousand_workers_are_simulated_fast_enough():
    """A tenth of 1,000 workers x 100 updates each, in less than a tenth of the 20 s that are allowed for that."""
    where = machine(Exponential(), Link(1e-5, 1e9, "test"))
    spent = []
    for _ in range(2):  # the quicker of two: the machine may be busy
        start = time.process_time()
        timeline = run("asynchronous", workers=1000, updates=10_000, machine=where)
        spent.append(time.process_time() - start)
        assert len(timeline.updates["time_s"]) == 10_001
    assert min(spent) < 2.0
