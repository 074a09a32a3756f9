"""The virtual cluster: all-reduce, reports, how runs end, and what they cost."""

import time

import numpy as np
import pytest
from programs import Run, listen, say
from runs import machine, run

from rebuttal.base.errors import InputError
from rebuttal.core.verbs import AllReduce, Compute, Report
from rebuttal.machines.hardware import Link
from rebuttal.machines.stragglers import Exponential
from rebuttal.simulation.cluster.budget import Budget

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
    """CPU seconds of one gradient, the better of two runs."""
    updates = gradients if name == "asynchronous" else gradients // workers
    spent = []
    for _ in range(2):
        start = time.process_time()
        run(name, options, workers=workers, updates=updates, machine=machine(Exponential(), update_s=1e-4))
        spent.append(time.process_time() - start)
    return min(spent) / gradients


LARGE = [("asynchronous", {}), ("backup_workers", {"b": 10}), ("k_sync", {"b": 10})]


@pytest.mark.parametrize(("name", "options"), LARGE)
def test_a_gradient_costs_about_the_same_among_fifty_and_among_a_thousand_workers(name, options):
    """If each looked at all the others, it would cost twenty times as much among twenty times as many."""
    assert cost_s(name, options, 1000, 10_000) < 6 * cost_s(name, options, 50, 10_000)


def test_a_thousand_workers_are_simulated_fast_enough():
    """A tenth of 1,000 workers x 100 updates each, in less than a tenth of the 20 s that are allowed for that."""
    where = machine(Exponential(), Link(1e-5, 1e9, "test"))
    spent = []
    for _ in range(2):  # the quicker of two: the machine may be busy
        start = time.process_time()
        timeline = run("asynchronous", workers=1000, updates=10_000, machine=where)
        spent.append(time.process_time() - start)
        assert len(timeline.updates["time_s"]) == 10_001
    assert min(spent) < 4.0
