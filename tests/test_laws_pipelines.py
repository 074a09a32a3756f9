"""Laws of the methods across layers: what pipelines are in values, in time, in memory and in staleness.

Stages are of equal length unless told otherwise, links are free, and all seconds are sums of powers of two, so that
times are compared exactly.
"""

from typing import Any

import numpy as np
import pytest
import torch
from runs import Link, layered_costs, layered_machine, machine, run
from values import UPDATES, eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.core.update_rules import Momentum, RMSProp
from rebuttal.core.verbs import Recv
from rebuttal.machines.stragglers import Exponential
from rebuttal.methods.pipeline_stages import Pipe
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.timeline_metrics import layer_staleness
from rebuttal.workloads import load

GRID = [(n, m) for n in (1, 2, 3, 4, 8) for m in (1, 2, 4, 7, 16)]
MOMENTUM: Any = Momentum(0.9)
FORMS = ("store", "recompute", "stash")
PIPELINES: dict[str, tuple[str, dict[str, Any]]] = {
    "model_parallel": ("model_parallel", {}),
    "gpipe": ("gpipe", {"m": 3}),
    "one_forward_one_backward": ("one_forward_one_backward", {"m": 3}),
    "zero_bubble": ("zero_bubble", {"m": 3}),
    "pipedream": ("pipedream", {}),
    "pipedream_vertical": ("pipedream", {"vertical": True}),
    **{f"continuous_{form}": ("continuous_propagation", {"form": form}) for form in FORMS},
    "continuous_spike": ("continuous_propagation", {"mitigation": "spike"}),
    "continuous_prediction": ("continuous_propagation", {"mitigation": "prediction"}),
}
DRAINED = ("model_parallel", "gpipe", "one_forward_one_backward", "zero_bubble")
ENDLESS = tuple(name for name in PIPELINES if name not in DRAINED)
drained = pytest.mark.parametrize("name", DRAINED)
endless = pytest.mark.parametrize("name", ENDLESS)
every = pytest.mark.parametrize("name", PIPELINES)


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


def timed(name, options, n, *, f=1.0, b=2.0, updates=3, **given):
    """A run on n stages of one layer each, whose passes take f and b seconds."""
    given = {"machine": layered_machine(), "costs": layered_costs(n, f, b)} | given
    return run(name, options, workers=n, updates=updates, **given)


# --- in values: a drained pipeline is one node ----------------------------------------------------------------


def shards(name):
    return {"shards": PIPELINES[name][1].get("m", 1)}


@drained
@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_a_drained_pipeline_has_the_order_of_one_node_and_is_computed_once(name, n):
    found, one = run(*PIPELINES[name], workers=n), run("mini_batch", shards(name))
    assert merged(found.order).key == merged(one.order).key


@drained
@pytest.mark.parametrize("path", ["batched", "exact", "eager"])
def test_a_drained_pipeline_is_one_node(deep, name, path):
    program, options = PIPELINES[name]
    if path == "eager":
        found = eager_weights(program, options, deep, 0.1, workers=4)
        one = eager_weights("mini_batch", shards(name), deep, 0.1)
    else:
        exact = path == "exact"
        found = weights_of(run(program, options, workers=4, updates=UPDATES), deep, 0.1, exact=exact)
        one = weights_of(run("mini_batch", shards(name), updates=UPDATES), deep, 0.1, exact=exact)
    torch.testing.assert_close(found, one, rtol=1e-12, atol=1e-12)


@endless
@pytest.mark.parametrize("path", ["batched", "exact", "eager"])
def test_a_pipeline_of_one_stage_is_one_node(deep, name, path):
    """Nothing is delayed, so stashes, recomputation and mitigations change nothing."""
    program, options = PIPELINES[name]
    if path == "eager":
        found = eager_weights(program, options, deep, 0.02, workers=1, rule=MOMENTUM)
        one = eager_weights("mini_batch", {}, deep, 0.02, rule=MOMENTUM)
    else:
        given = {"exact": path == "exact", "rule": MOMENTUM}
        found = weights_of(run(program, options, workers=1, updates=UPDATES), deep, 0.02, **given)
        one = weights_of(run("mini_batch", updates=UPDATES), deep, 0.02, **given)
    torch.testing.assert_close(found, one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mitigation", ["spike", "prediction"])
def test_a_mitigated_pipeline_replays_as_it_runs(deep, form, mitigation):
    """To the bit one after the other, to 1e-12 in batches; and it is not what it would be without."""
    options, rule = {"form": form, "mitigation": mitigation}, MOMENTUM
    eagerly = eager_weights("continuous_propagation", options, deep, 0.01, workers=3, rule=rule)
    timeline = run("continuous_propagation", options, workers=3, updates=UPDATES)
    assert torch.equal(weights_of(timeline, deep, 0.01, exact=True, rule=rule), eagerly)
    torch.testing.assert_close(weights_of(timeline, deep, 0.01, rule=rule), eagerly, rtol=1e-12, atol=1e-12)
    plain = run("continuous_propagation", {"form": form}, workers=3, updates=UPDATES)
    assert not torch.allclose(weights_of(plain, deep, 0.01, rule=rule), eagerly)


@pytest.mark.parametrize("mitigation", ["spike", "prediction"])
def test_a_mitigation_needs_a_rule_with_momentum(deep, mitigation):
    timeline = run("continuous_propagation", {"mitigation": mitigation}, workers=3)
    rule: Any = RMSProp()
    with pytest.raises(InputError, match="rule: got 'rmsprop'"):
        weights_of(timeline, deep, 0.01, rule=rule)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_vertical_sync_is_delayed_sgd(n):
    """Every batch meets one version at all stages, n - 1 updates old."""
    found, one = run("pipedream", {"vertical": True}, workers=n), run("delayed", {"k": n - 1})
    assert merged(found.order).key == merged(one.order).key


def test_vertical_sync_is_delayed_sgd_in_values_too(deep):
    found = eager_weights("pipedream", {"vertical": True}, deep, 0.05, workers=4)
    torch.testing.assert_close(found, eager_weights("delayed", {"k": 3}, deep, 0.05), rtol=1e-12, atol=1e-12)


@every
def test_the_order_of_a_pipeline_does_not_depend_on_the_machine(name):
    """Nothing of what an update rests on is left to chance: asynchronous pipelines repeat to the bit anywhere."""
    slow = machine(Exponential(), link=Link(0.3, 2000.0, "test"), update_s=0.2)
    places = [slow, machine(Exponential()), layered_machine()]
    assert len({run(*PIPELINES[name], machine=where, seed=3).order.key for where in places}) == 1


# --- in time --------------------------------------------------------------------------------------------------


def rows(timeline, node, *names):
    """Rows of a node's computations with these names (default: all), in order of time."""
    c = timeline.computes
    wanted = [not names or name in names for name in timeline.names]
    found = [row for row in np.flatnonzero(c["node"] == node) if wanted[c["operation"][row]]]
    return sorted(found, key=lambda row: c["start_s"][row])


def busy_s(timeline, node, begin_s=0.0, end_s=np.inf):
    """Seconds in which a node computes, between two moments."""
    c, own = timeline.computes, rows(timeline, node)
    return np.sum(np.clip(c["end_s"][own], begin_s, end_s) - np.clip(c["start_s"][own], begin_s, end_s))


@pytest.mark.parametrize("name", ["gpipe", "one_forward_one_backward"])
@pytest.mark.parametrize(("f", "b"), [(1.0, 2.0), (0.5, 0.5)])
@pytest.mark.parametrize(("n", "m"), GRID)
def test_a_drained_pipeline_takes_the_fill_and_the_batches(name, n, m, f, b):
    """(m + n - 1)(f + b) for an update, of which (n - 1)/(m + n - 1) is the bubble."""
    timeline = timed(name, {"m": m}, n, f=f, b=b)
    whole_s = (m + n - 1) * (f + b)
    assert np.diff(timeline.updates["time_s"]).tolist() == [whole_s] * 3
    for node in range(n):
        idle_s = timeline.end_s - busy_s(timeline, node)
        assert idle_s * (m + n - 1) == (n - 1) * timeline.end_s


@pytest.mark.parametrize(("n", "m"), [(n, m) for n, m in GRID if m >= n])
def test_zero_bubble_h1_leaves_a_third_of_the_bubble(n, m):
    """Forward, input gradient and weight gradient of T = 1 each: (n - 1) T idle in an update instead of 3 (n - 1) T."""
    for name, bubble_s in (("zero_bubble", n - 1), ("one_forward_one_backward", 3 * (n - 1))):
        timeline = timed(name, {"m": m}, n)
        for node in range(n):
            assert timeline.end_s - busy_s(timeline, node) == 3 * bubble_s  # three updates


@pytest.mark.parametrize("n", [1, 2, 5])
def test_naive_model_parallelism_keeps_one_stage_busy_at_a_time(n):
    timeline = timed("model_parallel", {}, n)
    assert timeline.end_s == 3 * n * 3.0
    assert [busy_s(timeline, node) for node in range(n)] == [timeline.end_s / n] * n


@endless
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_an_endless_pipeline_is_never_idle_after_the_fill(name, n):
    """From when the first batch is back at the first stage until the first stage that has made all updates stops."""
    timeline = timed(*PIPELINES[name], n, updates=20)
    c, full_s = timeline.computes, timeline.updates["time_s"][1]
    end_s = min(c["end_s"][c["node"] == node].max() for node in range(n))
    assert end_s > full_s
    for node in range(n):
        assert busy_s(timeline, node, full_s, end_s) == end_s - full_s
    tick_s = 4.0 if name == "continuous_recompute" else 3.0
    assert set(np.diff(timeline.updates["time_s"][1:]).tolist()) == {tick_s}


# --- in memory ------------------------------------------------------------------------------------------------


def most_waiting(timeline, node, frees="backward"):
    """The largest number of micro-batches that have been passed forward on a node and not yet back."""
    names, c = timeline.names, timeline.computes
    steps = [names[c["operation"][row]] for row in rows(timeline, node, "forward", frees)]
    return int(np.cumsum([1 if step == "forward" else -1 for step in steps]).max())


@pytest.mark.parametrize(("n", "m"), GRID)
def test_activations_that_wait_for_their_backward_pass(n, m):
    """At stage s of n: all m in GPipe, min(m, n - s) in 1F1B, min(m, n) in zero-bubble H1."""
    stages = range(n)
    assert [most_waiting(timed("gpipe", {"m": m}, n), s) for s in stages] == [m] * n
    found = [most_waiting(timed("one_forward_one_backward", {"m": m}, n), s) for s in stages]
    assert found == [min(m, n - s) for s in stages]
    found = [most_waiting(timed("zero_bubble", {"m": m}, n), s, "weight_gradient") for s in stages]
    assert found == [min(m, n)] * n


@pytest.mark.parametrize("n", [1, 2, 5])
def test_activations_that_wait_in_an_endless_pipeline(n):
    stages = range(n)
    found = [most_waiting(timed("pipedream", {}, n, updates=20), s) for s in stages]
    assert found == [n - s for s in stages]
    found = [most_waiting(timed("continuous_propagation", {}, n, updates=20), s) for s in stages]
    assert found == [2 * (n - 1 - s) + 1 for s in stages]


# --- in staleness ---------------------------------------------------------------------------------------------


def ages(graph):
    """How many updates the weights of each state in the graph have behind them."""
    found = {}
    for node, operation in enumerate(graph.operations):
        if operation in ("start", "part"):
            found[node] = 0
        elif operation in ("update", "compensated_update"):
            found[node] = found[graph.inputs[node][0]] + 1
        elif operation == "predicted":
            found[node] = found[graph.inputs[node][0]]
    return found


def delays(timeline, n):
    """For each stage: update by update, how old the weights of the forward and of the backward pass were.

    The forward pass is the one whose activations went up: the first on what came from below.
    """
    graph, age, found, sent = timeline.graph, ages(timeline.graph), {stage: [] for stage in range(n)}, {}
    for node, operation in enumerate(graph.operations):
        if operation == "forward":
            sent.setdefault((graph.arguments[node], graph.inputs[node][1]), graph.inputs[node][0])
        if operation in ("update", "compensated_update"):
            state, gradient = graph.inputs[node]
            weights, h, _ = graph.inputs[gradient]
            forward = sent[graph.arguments[h], graph.inputs[h][1]]
            pair = (age[state] - age[forward], age[state] - age[weights])
            found[int(graph.arguments[gradient][0])].append(pair)
    return found


def as_read(timeline, stage):
    """The same two columns of one stage, as a report reads them off."""
    table = layer_staleness(timeline)
    table = table.isel(row=np.flatnonzero(table["layer"].values == stage))
    return list(
        zip(
            table["forward_staleness"].values.tolist(),
            table["backward_staleness"].values.tolist(),
            strict=True,
        )
    )


def filled(delay, length):
    """What a delay of D updates is from the first update on: 0, 1, ..., D, D, D, ..."""
    return [min(t, delay) for t in range(length)]


@pytest.mark.parametrize("n", [2, 3, 6, 8])
@pytest.mark.parametrize("name", [name for name in ENDLESS if name.startswith("continuous")])
def test_the_delay_of_continuous_propagation_is_twice_the_distance_to_the_last_layer(name, n):
    """2 (L - l) updates at layer l of L, counted from 1; the backward pass is at the newest weights, but for stash.

    With recomputation the two passes of a gradient read one version, so what is read off is 0: what is late is δ.
    """
    timeline = timed(*PIPELINES[name], n, updates=40)
    for stage, pairs in delays(timeline, n).items():
        late = filled(2 * (n - (stage + 1)), len(pairs))
        newest = [0] * len(pairs)
        assert len(pairs) >= 40
        assert pairs == list(zip(late, late if "stash" in name else newest, strict=True))
        read = as_read(timeline, stage)
        expected = list(zip(newest, newest, strict=True)) if "recompute" in name else pairs
        assert read == expected[: len(read)]
        assert len(read) == 40


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("vertical", [False, True])
def test_weight_stashing_passes_back_at_the_weights_of_the_forward_pass(n, vertical):
    """n - 1 - s updates old at stage s, or n - 1 everywhere with vertical sync."""
    timeline = timed("pipedream", {"vertical": vertical}, n, updates=30)
    for stage, pairs in delays(timeline, n).items():
        expected = filled(n - 1 if vertical else n - 1 - stage, len(pairs))
        assert pairs == list(zip(expected, expected, strict=True))
        assert as_read(timeline, stage) == pairs[:30]


# --- refusals, and messages in any order ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "workers", "said"),
    [
        ("gpipe", {"m": 0}, 4, "m: got 0"),
        ("one_forward_one_backward", {"m": -1}, 4, "m: got -1"),
        ("zero_bubble", {"m": 0}, 4, "m: got 0"),
        ("continuous_propagation", {"form": "recompte"}, 4, "did you mean 'recompute'"),
        ("continuous_propagation", {"mitigation": "spikes"}, 4, "did you mean 'spike'"),
        *[
            (program, options, 9, "workers: got 9; allowed: from 1 to 8")
            for program, options in PIPELINES.values()
        ],
    ],
)
def test_refuses_impossible_settings_by_name(name, options, workers, said):
    with pytest.raises(InputError, match=said) as refusal:
        run(name, options, workers=workers)
    assert "\n" not in str(refusal.value)


def test_a_stage_takes_micro_batches_in_whatever_order_they_come():
    """The third is asked for first and comes last; what came before it is there when it is asked for."""

    class Middle:
        l, n, is_first, is_last = 1, 3, False, False

    pipe = Pipe(Middle(), range(3))
    asking = pipe.activations(2, 0)
    assert next(asking) == Recv("activations")
    assert asking.send((0, (1, 0, "b"))) == Recv("activations")
    assert asking.send((0, (0, 0, "a"))) == Recv("activations")
    with pytest.raises(StopIteration) as third:
        asking.send((0, (2, 0, "c")))
    assert third.value.value == "c"
    for i, h in enumerate("ab"):
        with pytest.raises(StopIteration) as there:
            next(pipe.activations(i, 0))
        assert there.value.value == h
