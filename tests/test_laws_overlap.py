"""Laws of communication beside computation: one order and many clocks, closed forms, and their ceilings."""

import numpy as np
import pytest
from replicas import FORMS, NODES, ONE_BUCKET, OVERLAPPED, L, clocked, step_s


def test_the_forms_have_different_clocks():
    at = {"r": 1.2, "latency_s": 0.001}
    seconds = {form: step_s(*FORMS[form], **at) for form in FORMS}
    whole = step_s("all_reduce", {}, **at)
    assert seconds["overlapped, 3 channels"] < seconds["overlapped"] < seconds["buckets"]
    assert seconds["buckets"] < seconds["one bucket"] < seconds["layer by layer"]
    same = ("one bucket", "delayed by 0", "post-local")
    assert [seconds[form] for form in same] == pytest.approx([whole] * len(same), rel=1e-12)


def test_a_lazy_layer_and_a_delay_of_nothing_are_one_program():
    lazy, delayed = (
        clocked(name, options, r=0.9)
        for name, options in (("layer_wise_asynchronous", {"lazy": True}), ("delayed_layer_wise", {"k": 0}))
    )
    assert lazy.order.key == delayed.order.key
    np.testing.assert_array_equal(lazy.updates["time_s"], delayed.updates["time_s"])


# --- the curve against r = communication / computation --------------------------------------------------------

RATIOS = (0.05, 0.3, 2 / 3, 0.8, 1.0, 1.7, 4.0)
every_ratio = pytest.mark.parametrize("r", RATIOS, ids=lambda r: f"r={r:.2f}")


def overlapped_s(r, layers):
    """(1/3) + max(2/3, r) + tail: one layer's share of whichever hides the other."""
    return 1 / 3 + max(2 / 3, r) + min(2 / 3, r) / layers


@every_ratio
@pytest.mark.parametrize("layers", [1, 3, 8])
def test_the_overlap_curve_is_the_closed_form(r, layers):
    for form in ("layer by layer", "one bucket", "delayed by 0"):
        assert step_s(*FORMS[form], r=r, layers=layers) == pytest.approx(1 + r, rel=1e-9)
    for form in OVERLAPPED:
        found = step_s(*FORMS[form], r=r, layers=layers)
        assert found == pytest.approx(overlapped_s(r, layers), rel=1e-9), form


@pytest.mark.parametrize("layers", [2, 8, 40])
def test_overlap_without_delay_is_never_more_than_five_thirds_as_fast(layers):
    speed_up = {r: (1 + r) / step_s(*FORMS["asynchronous"], r=r, layers=layers) for r in RATIOS}
    assert max(speed_up.values()) == speed_up[2 / 3] < 5 / 3
    assert speed_up[2 / 3] == pytest.approx((5 / 3) / (1 + 2 / 3 / layers), rel=1e-9)


@every_ratio
@pytest.mark.parametrize("name", ["delayed_all_reduce", "delayed_layer_wise"])
def test_one_step_of_delay_is_never_more_than_twice_as_fast(r, name):
    for k in (1, 3):
        found = step_s(name, {"k": k}, r=r, updates=24)
        assert found == pytest.approx(max(1, r), rel=1e-9)
        assert (1 + r) / found <= 2 + 1e-9


def test_waiting_lazily_gains_nothing_when_the_first_layer_is_reduced_last():
    for r in RATIOS:
        steps = [step_s("layer_wise_asynchronous", {"lazy": lazy}, r=r) for lazy in (False, True)]
        assert steps[0] == pytest.approx(steps[1], rel=1e-12)


def test_every_message_of_a_layer_costs_its_latency():
    """2(K − 1) steps of the ring for each collective: L of them layer by layer, one for the whole."""
    latency_s, r = 0.002, 0.4
    ring_s = 2 * (NODES - 1) * latency_s
    at = {"r": r, "latency_s": latency_s}
    assert step_s("all_reduce", {}, **at) == pytest.approx(1 + r + ring_s, rel=1e-9)
    assert step_s("layer_wise", {}, **at) == pytest.approx(1 + r + L * ring_s, rel=1e-9)


def test_high_latency_turns_overlap_into_a_loss_and_buckets_and_channels_mend_it():
    at = {"latency_s": 0.1}
    ring_s = 2 * (NODES - 1) * at["latency_s"]
    overlapped = 1 / 3 + (2 / 3) / L + L * ring_s
    assert step_s("layer_wise_overlapped", {}, **at) == pytest.approx(overlapped, rel=1e-9)
    assert step_s("all_reduce", {}, **at) == pytest.approx(1 + ring_s, rel=1e-9)
    assert step_s("bucketed", ONE_BUCKET, **at) == pytest.approx(1 + ring_s, rel=1e-9)
    assert step_s("layer_wise_overlapped", {"channels": L}, **at) == pytest.approx(1 + ring_s, rel=1e-9)


@pytest.mark.parametrize("H", [1, 4, 10])
def test_local_sgd_communicates_once_in_h_steps(H):
    assert step_s("local_sgd", {"H": H}, r=0.7) == pytest.approx(H + 0.7, rel=1e-9)
