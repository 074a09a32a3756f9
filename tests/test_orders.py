"""The orders of passes by themselves: what is made, in which sequence, and when, if every pass takes its time."""

from itertools import islice

import pytest

from rebuttal.core.orders import (
    B,
    F,
    W,
    continuous,
    gpipe,
    one_forward_one_backward,
    pipelined,
    zero_bubble_h1,
)

FLUSHED = {order.__name__: order for order in (gpipe, one_forward_one_backward, zero_bubble_h1)}
ENDLESS = {order.__name__: order for order in (pipelined, continuous)}
GRID = [(S, M) for S in (1, 2, 3, 4, 6) for M in (1, 2, 3, 4, 8, 13)]


def spelled(passes):
    return " ".join(f"{kind}{m}" for kind, m in passes)


def needed(kind, s, m, S):
    """What must be done before a pass, beside the pass before it on the same stage; None for the data."""
    if kind == F:
        return (F, s - 1, m) if s else None
    if kind == B:
        return (B, s + 1, m) if s < S - 1 else (F, s, m)
    return (B, s, m)


def ends(passes, seconds):
    """When each pass (kind, stage, micro-batch) ends, with free links. `passes[s]`: those of stage s, in order."""
    S, free_s = len(passes), [0.0] * len(passes)
    done: dict = {None: 0.0}
    left = [list(stage) for stage in passes]
    while any(left):
        before = len(done)
        for s, waiting in enumerate(left):
            while waiting and (need := needed(waiting[0][0], s, waiting[0][1], S)) in done:
                kind, m = waiting.pop(0)
                done[kind, s, m] = free_s[s] = max(free_s[s], done[need]) + seconds[kind]
        assert len(done) > before, "the stages wait for each other"
    return done


def makespan(order, S, M, seconds):
    return max(ends([order(s, S, M) for s in range(S)], seconds).values())


# --- as they are in the papers --------------------------------------------------------------------------------


def test_gpipe_drains_from_the_last_micro_batch():
    assert spelled(gpipe(1, 4, 3)) == "F0 F1 F2 B2 B1 B0"


@pytest.mark.parametrize(
    ("s", "passes"),
    [
        (0, "F0 F1 F2 B0 F3 B1 F4 B2 B3 B4"),
        (1, "F0 F1 B0 F2 B1 F3 B2 F4 B3 B4"),
        (2, "F0 B0 F1 B1 F2 B2 F3 B3 F4 B4"),
    ],
)
def test_one_forward_one_backward_of_three_stages(s, passes):
    assert spelled(one_forward_one_backward(s, 3, 5)) == passes


@pytest.mark.parametrize(
    ("s", "passes"),
    [(0, "F0 F1 B0 W0 F2 B1 W1 B2 W2"), (1, "F0 B0 F1 B1 W0 F2 B2 W1 W2")],
)
def test_zero_bubble_of_two_stages(s, passes):
    assert spelled(zero_bubble_h1(s, 2, 3)) == passes


@pytest.mark.parametrize(("s", "passes"), [(0, "F0 F1 F2 B0 F3 B1 F4"), (2, "F0 B0 F1 B1 F2 B2 F3")])
def test_pipelined_never_drains(s, passes):
    assert spelled(islice(pipelined(s, 3), 7)) == passes


@pytest.mark.parametrize(("s", "passes"), [(0, "F0 F1 F2 F3 F4 B0 F5 B1"), (1, "F0 F1 F2 B0 F3 B1 F4 B2")])
def test_continuous_keeps_twice_as_many_on_the_way(s, passes):
    assert spelled(islice(continuous(s, 3), 8)) == passes


# --- what holds for all ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", FLUSHED.values(), ids=FLUSHED)
@pytest.mark.parametrize(("S", "M"), GRID)
def test_every_micro_batch_passes_once_forward_before_backward(order, S, M):
    kinds = (F, B, W) if order is zero_bubble_h1 else (F, B)
    for s in range(S):
        passes = list(order(s, S, M))
        assert sorted(passes) == sorted((kind, m) for kind in kinds for m in range(M))
        for m in range(M):
            places = [passes.index((kind, m)) for kind in kinds]
            assert places == sorted(places)


@pytest.mark.parametrize("order", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("S", [1, 2, 5])
def test_an_endless_order_alternates_once_it_is_full(order, S):
    for s in range(S):
        ahead = S - 1 - s if order is pipelined else 2 * (S - 1 - s)
        passes = list(islice(order(s, S), ahead + 20))
        assert passes[:ahead] == [(F, m) for m in range(ahead)]
        assert passes[ahead:] == [step for m in range(10) for step in ((F, m + ahead), (B, m))]


@pytest.mark.parametrize("order", [gpipe, one_forward_one_backward])
@pytest.mark.parametrize(("f", "b"), [(1.0, 1.0), (1.0, 2.0), (0.5, 0.25)])
def test_the_time_of_a_flushed_order_is_that_of_the_fill_and_the_batches(order, f, b):
    for S, M in GRID:
        assert makespan(order, S, M, {F: f, B: b}) == (M + S - 1) * (f + b)


def test_zero_bubble_h1_leaves_a_third_of_the_bubble():
    """With three equal passes, and at least as many micro-batches as stages."""
    for S, M in GRID:
        if M >= S:
            assert makespan(zero_bubble_h1, S, M, {F: 1.0, B: 1.0, W: 1.0}) == 3 * M + (S - 1)
            assert makespan(one_forward_one_backward, S, M, {F: 1.0, B: 2.0}) == 3 * M + 3 * (S - 1)


def test_no_stage_of_zero_bubble_h1_keeps_more_than_the_first_of_1f1b():
    for S, M in GRID:
        for s in range(S):
            kept = most = 0
            for kind, _ in zero_bubble_h1(s, S, M):
                kept += {F: 1, B: 0, W: -1}[kind]
                most = max(most, kept)
            assert most == min(M, S)
