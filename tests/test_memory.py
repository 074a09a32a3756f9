"""Memory: what each node holds, where it can be counted by hand or is a law of the schedule."""

from dataclasses import replace

import pytest
from runs import COSTS, layered_machine, run

from rebuttal.core.update_rules import Momentum, RMSProp
from rebuttal.machines.hardware import Link
from rebuttal.simulation.timeline_metrics import memory

S, W = 4, COSTS.weight_bytes
QUICK = replace(COSTS, update_s=0.01)


def held(name, options=None, workers=S, updates=12, link=None, rule=None):
    where = layered_machine(link=link) if link else layered_machine()
    return memory(
        run(name, options, workers=workers, updates=updates, machine=where, costs=QUICK), QUICK, rule
    )


def peaks(found, kind):
    return found["peak_bytes"].sel(kind=kind).values.tolist()


@pytest.mark.parametrize("m", [1, 2, 4, 7])
def test_gpipe_keeps_every_micro_batch_and_1f1b_as_many_as_stages_follow(m):
    assert held("gpipe", {"m": m})["live_records"].values.tolist() == [m] * S
    assert held("one_forward_one_backward", {"m": m})["live_records"].values.tolist() == [
        min(m, S - s) for s in range(S)
    ]


def test_zero_bubble_keeps_no_more_than_1f1bs_first_stage():
    assert max(held("zero_bubble", {"m": 8})["live_records"].values) <= S


def test_stashing_keeps_a_version_for_every_batch_under_way():
    found = held("pipedream")
    assert found["live_versions"].values.tolist() == [S - s for s in range(S)]
    assert peaks(found, "weights") == [(S - s) * W // S for s in range(S)]
    assert held("pipedream", {"vertical": True})["live_versions"].values.tolist() == [S] * S


def test_continuous_propagation_keeps_two_records_a_stage_that_follows_and_recomputing_keeps_one():
    assert held("continuous_propagation")["live_records"].values.tolist() == [
        2 * (S - 1 - s) + 1 for s in range(S)
    ]
    assert held("continuous_propagation")["live_versions"].values.tolist() == [1] * S
    recomputed = held("continuous_propagation", {"form": "recompute"})
    assert recomputed["live_records"].values.tolist() == [1] * S
    stashed = held("continuous_propagation", {"form": "stash"})
    assert stashed["live_versions"].values.tolist() == [2 * (S - 1 - s) + 1 for s in range(S)]


def test_a_records_bytes_are_what_goes_into_its_layers_and_comes_out():
    found = held("gpipe", {"m": 3})
    saved = [COSTS.stage_saved(l, S) * COSTS.batch * 4 for l in range(S)]
    assert peaks(found, "activations") == [3 * one for one in saved]
    assert saved[0] < saved[1]  # the data are not counted


def test_one_node_holds_its_weights_a_gradient_and_the_activations_of_its_batches():
    found = held("mini_batch", {"shards": 1})
    assert peaks(found, "weights") == [W]
    assert peaks(found, "gradients") == [W]
    assert peaks(found, "activations") == [COSTS.stage_saved(0, 1) * COSTS.batch * 4]
    assert found["total_peak_bytes"].values.tolist() == [
        2 * W
    ]  # the activations are gone when the gradient is there


def test_old_weights_are_kept_as_long_as_they_are_needed():
    for k in range(4):
        assert held("delayed", {"k": k})["live_versions"].values.tolist() == [k + 1]


def test_a_rule_keeps_what_it_remembers_beside_the_newest_weights_only():
    plain, momentum, rmsprop = (
        held("delayed", {"k": 2}, rule=rule) for rule in (None, Momentum(), RMSProp())
    )
    assert peaks(plain, "weights") == [3 * W]
    assert peaks(momentum, "weights") == [4 * W]
    assert peaks(rmsprop, "weights") == [5 * W]
    assert peaks(held("synchronous", rule=Momentum()), "weights") == [2 * W, *[W] * S]  # at the server alone


def test_a_sum_of_gradients_is_one_buffer():
    assert peaks(held("synchronous"), "gradients")[0] == W
    assert peaks(held("gpipe", {"m": 7}), "gradients") == [W // S] * S


def test_all_reduce_works_in_place_and_delayed_ones_keep_a_buffer_each():
    assert peaks(held("all_reduce"), "gradients") == [W] * S
    link = Link(0.001, W * 1.5 / 0.5, "test")  # half a second
    for k in (1, 2):
        assert max(peaks(held("delayed_all_reduce", {"k": k}, link=link), "gradients")) == (k + 1) * W


def test_delay_compensation_keeps_what_every_worker_last_pulled():
    found = held("delay_compensated", {"by": 0.1}, workers=3, updates=20)
    assert found["live_versions"].values.tolist() == [3, 1, 1, 1]


def test_one_sided_memory_is_the_servers():
    assert peaks(held("one_sided", workers=2), "weights")[0] == W


def test_messages_wait_in_buffers():
    """The server takes one gradient after the other; the last of four waits for three updates."""
    found = held("asynchronous")
    assert peaks(found, "buffers")[0] > 0
    assert peaks(found, "buffers")[1:] == [0] * S
