"""Staleness by layer: on graphs made by hand, and on methods whose delays are known in closed form."""

import numpy as np
import pytest
from runs import Fixed, layered_machine, run

from rebuttal.core.graph import Graph
from rebuttal.core.task import Task
from rebuttal.core.timeline import Recorder
from rebuttal.simulation.timeline_metrics import (
    gantt,
    gradients,
    layer_staleness,
    progress,
    summary,
    utilisation,
)
from rebuttal.simulation.timeline_metrics.dependency_chains import Chains
from rebuttal.simulation.timeline_metrics.joined_passes import passes

S = 4


def by_hand(states, computes=()):
    """A timeline of one node with these versions, a second apart."""
    record = Recorder({"servers": 0, "nodes": 1, "clock": "modelled"})
    for name, value, start_s, end_s in computes:
        record.compute(0, name, value, start_s, end_s, completed=True)
    for version, state in enumerate(states):
        record.update(0, state, float(version))
    return record.timeline(states[0].graph)


def task_of(layers):
    graph = Graph()
    return Task(graph.symbol, (4,) * layers), graph


def columns(table, *names):
    return list(zip(*(table[name].values.tolist() for name in names), strict=True))


def test_a_whole_model_has_one_row_for_each_gradient():
    task, _ = task_of(3)
    w0 = task.start()
    w1 = task.update(w0, task.gradient(w0, (0, 0)))
    w2 = task.update(w1, task.gradient(w0, (0, 1)))
    table = layer_staleness(by_hand([w0, w1, w2]))
    assert columns(
        table, "layer", "layers", "update", "version", "forward_staleness", "backward_staleness"
    ) == [
        (0, 1, 1, 1, 0, 0),
        (0, 1, 2, 2, 1, 1),
    ]


def test_forward_and_backward_passes_may_read_different_weights():
    """Layer 0's record was made at its start, its Jacobians are those of one update later."""
    task, _ = task_of(2)
    low, high = task.stages(2)
    a0, b0 = low.start(), high.start()
    h = low.forward(a0, low.input(0, 0))
    k = high.forward(b0, h)
    delta, g_high = high.backward(b0, k, high.loss(k, 0, 0))
    a1 = low.update(a0, low.part(task.gradient(task.start(), (0, 1))))
    a2 = low.update(a1, low.weight_gradient(a1, h, delta))
    b1 = high.update(b0, g_high)
    table = layer_staleness(by_hand([task.joined(a0, b0), task.joined(a2, b1)]))
    assert sorted(columns(table, "layer", "layers", "update", "forward_staleness", "backward_staleness")) == [
        (0, 2, 1, 0, 0),  # a part of a whole gradient
        (0, 2, 2, 1, 0),
        (1, 2, 1, 0, 0),
    ]


def test_a_torn_read_has_a_staleness_for_each_layer():
    task, _ = task_of(2)
    low, high = task.stages(2)
    w0 = task.start()
    g0 = task.gradient(w0, (0, 0))
    a1, b1 = low.update(low.part(w0), low.part(g0)), high.update(high.part(w0), high.part(g0))
    g = task.gradient(task.joined(a1, high.part(w0)), (1, 0))  # layer 1 was read before its update
    w1 = task.joined(a1, b1)
    w2 = task.joined(low.update(a1, low.part(g)), high.update(b1, high.part(g)))
    timeline = by_hand([w0, w1, w2])
    rows = sorted(columns(layer_staleness(timeline), "version", "layer", "forward_staleness"))
    assert rows == [(1, 0, 0), (1, 1, 0), (2, 0, 0), (2, 1, 1)]


def test_weights_that_a_gradient_reads_and_does_not_update_count_as_well():
    """Block 0 of two is updated at its own newest weights and an old copy of block 1."""
    task, _ = task_of(2)
    low, high = task.stages(2)
    a0, b0 = low.start(), high.start()
    a1 = low.update(a0, low.part(task.gradient(task.joined(a0, b0), (0, 0))))
    a2 = low.update(a1, low.part(task.gradient(task.joined(a1, b0), (0, 1))))
    table = layer_staleness(by_hand([task.joined(a0, b0), task.joined(a2, b0)]))
    assert columns(table, "layer", "update", "forward_staleness") == [(0, 1, 0), (0, 2, 1)]


def test_depths_go_through_whatever_is_done_to_states():
    task, graph = task_of(2)
    w0 = task.start()
    w1 = task.update(w0, task.gradient(w0, (0, 0)))
    ahead = task.predicted(w1, 2)
    moved = graph.symbol("moved", (ahead, w0), (0.5,))
    torn = task.joined(task.stage(0, 2).part(moved), task.stage(1, 2).part(w0))
    last = task.compensated_update(torn, task.gradient(torn, (0, 1)), 2)
    depth = Chains(graph).depth
    assert [depth[s.number] for s in (w0, w1, ahead, moved, torn, last)] == [0, 1, 1, 1, (1, 0), (2, 1)]


def test_a_correction_of_a_gradient_is_seen_through():
    task, graph = task_of(1)
    w0 = task.start()
    g = task.gradient(w0, (0, 0))
    w1 = task.update(w0, g)
    late = graph.symbol("compensated", (task.gradient(w0, (1, 0)), w1, w0), (0.5,))
    w2 = task.update(w1, graph.symbol("scaled", (late,), (0.5,)))
    assert layer_staleness(by_hand([w0, w1, w2]))["forward_staleness"].values.tolist() == [0, 1]


# --- methods whose delays are known ---------------------------------------------------------------------------


def delays(name, options, which="forward_staleness", updates=24):
    timeline = run(name, options, workers=S, updates=updates, machine=layered_machine())
    table = layer_staleness(timeline)
    late = table.isel(row=np.flatnonzero(table["update"].values > 2 * S))
    found = {layer: set(some[which].values.tolist()) for layer, some in late.groupby("layer")}
    assert all(len(values) == 1 for values in found.values()), found
    return [min(found[layer]) for layer in sorted(found)]


def test_with_a_flush_nothing_is_stale():
    for name in ("gpipe", "one_forward_one_backward", "zero_bubble"):
        assert delays(name, {"m": 3}) == [0] * S


def test_one_forward_one_backward_without_flush_is_as_many_updates_behind_as_stages_follow():
    assert delays("pipedream", {}) == [S - 1 - l for l in range(S)]
    assert delays("pipedream", {}, "backward_staleness") == [S - 1 - l for l in range(S)]
    assert delays("pipedream", {"vertical": True}) == [S - 1] * S


def test_continuous_propagation_is_twice_as_far_behind():
    twice = [2 * (S - 1 - l) for l in range(S)]
    for form, backward in (("store", [0] * S), ("stash", twice)):
        assert delays("continuous_propagation", {"form": form}) == twice
        assert delays("continuous_propagation", {"form": form}, "backward_staleness") == backward
    assert delays("continuous_propagation", {"form": "recompute"}) == [0] * S


def test_equal_asynchronous_workers_are_all_but_one_behind():
    table = layer_staleness(run("asynchronous", workers=5, updates=40, machine=layered_machine()))
    assert set(table["forward_staleness"].values[10:].tolist()) == {4}


# --- what else is read off passes through stages --------------------------------------------------------------


@pytest.mark.parametrize("name", ["gpipe", "one_forward_one_backward", "zero_bubble"])
def test_a_pipelines_gradients_are_its_micro_batches(name):
    timeline = run(name, {"m": 3}, workers=S, updates=5, machine=layered_machine())
    table = gradients(timeline)
    assert columns(table, "update", "version_read", "staleness") == [
        (update, update - 1, 0.0) for update in range(1, 6) for _ in range(3)
    ]
    assert progress(timeline)["batches_applied"].values.tolist() == [0, 3, 6, 9, 12, 15]
    assert progress(timeline)["batches_computed"].values.tolist() == [0, 3, 6, 9, 12, 15]
    assert summary(timeline)["gradients_applied"] == 15


def test_a_pass_lasts_from_its_first_forward_to_its_last_backward_pass():
    """Four stages, each a quarter of a second: forward 1/12, backward 1/6."""
    timeline = run("model_parallel", workers=S, updates=3, machine=layered_machine())
    spans = [one.end_s - one.start_s for one in passes(timeline)]
    assert spans == pytest.approx([1.0, 1.0, 1.0])
    assert [len(one.sources) for one in passes(timeline)] == [S] * 3


def test_one_stage_works_at_a_time_without_a_pipeline():
    timeline = run("model_parallel", workers=S, updates=6, machine=layered_machine())
    assert utilisation(timeline) == pytest.approx(dict.fromkeys(range(S), 1 / S))


def test_a_pipelines_bubble_is_what_the_formula_says():
    m = 6
    timeline = run("gpipe", {"m": m}, workers=S, updates=4, machine=layered_machine())
    assert summary(timeline)["utilisation"] == pytest.approx(m / (m + S - 1))


def test_threads_that_share_memory_count_every_gradient_once():
    timeline = run("hogwild", workers=3, updates=30, machine=layered_machine(Fixed(factors=(1.0, 1.3, 1.7))))
    table = gradients(timeline)
    used = table.isel(gradient=np.flatnonzero(table["update"] >= 0))
    assert (used["staleness"] >= 0).all()
    assert used["staleness"].max() > 0
    assert progress(timeline)["batches_applied"].values[-1] == 30


def test_the_gantt_table_names_passes_with_their_weights_and_their_batch():
    table = gantt(run("pipedream", workers=2, updates=4, machine=layered_machine()))
    rows = [row for row in zip(*table.values(), strict=True) if row[0] == 0 and row[1] != "message"]
    kinds = [(kind, label, version) for _, kind, _, _, label, version, _, _ in rows][:6]
    assert kinds == [
        ("forward", "forward of batch 0, 0", 0),
        ("forward", "forward of batch 0, 1", 0),
        ("backward", "backward of batch 0, 0", 0),
        ("update", "update", -1),
        ("forward", "forward of batch 0, 2", 1),
        ("backward", "backward of batch 0, 1", 0),
    ]
