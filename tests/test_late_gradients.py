"""Late gradients on small problems: the recursion, its map of depth and batch, and its differential equation."""

import math

import numpy as np
import pytest
import torch
from quadratic_chain import quadratic_chain
from runs import run
from values import paths_of

from rebuttal.base.errors import InputError
from rebuttal.studies.analyses import continuous_time, delay_map, delayed_descent, hardware_ticks
from rebuttal.studies.analyses.delay_map import DelayGrid, Place

LATE = (0, 1, 2, 5, 14)


def alone(rate, delay, steps):
    """The path of one coordinate of curvature 1 from 1: [steps + 1]."""
    return delayed_descent.descend(lambda w: w, np.ones(1), np.array([rate]), np.array([delay]), steps)[
        :, 0, 0
    ]


# --- the recursion ----------------------------------------------------------------------------------------------


def test_without_delay_it_is_gradient_descent_in_closed_form():
    h, start, rates = delayed_descent.hessian(6, 10.0), np.arange(1.0, 7.0), np.array([0.1, 0.7])
    found = delayed_descent.descend(lambda w: h @ w, start, rates, np.zeros(6, dtype=int), 25)
    for run_, rate in enumerate(rates):
        step = np.eye(6) - rate * h
        np.testing.assert_allclose(found[25, :, run_], np.linalg.matrix_power(step, 25) @ start, atol=1e-12)


def test_it_is_what_continuous_propagation_computes():
    spectrum, rate, updates = [1.0, 0.5, 2.0, 0.7], 0.1, 20
    workload = quadratic_chain(spectrum, dtype=torch.float64)
    timeline = run("continuous_propagation", {"form": "stash"}, workers=4, updates=updates)
    there = paths_of(timeline, workload, [rate], [updates])[0, 0]
    h, delay = np.diag(spectrum), delayed_descent.delays(4, 4)
    here = delayed_descent.descend(
        lambda w: h @ w, workload.start(0).numpy(), np.array([rate]), delay, updates
    )
    assert delay.tolist() == [6, 4, 2, 0]
    np.testing.assert_allclose(here[-1, :, 0], there, rtol=1e-12)


@pytest.mark.parametrize("delay", LATE)
def test_the_largest_stable_rate_has_the_closed_form(delay):
    limit = float(delayed_descent.stability_limit(np.array(delay)))
    assert delayed_descent.largest_stable_rate(delay) == pytest.approx(limit, rel=1e-5)
    quarter = 12 * (delay + 1)
    for factor, dies in ((0.97, True), (1.03, False)):
        path = np.abs(alone(factor * limit, delay, 4 * quarter))
        assert bool(path[-quarter:].max() < path[-2 * quarter : -quarter].max()) == dies


def test_coordinates_that_cannot_be_shared_out_are_refused():
    with pytest.raises(InputError, match="layers: got 5; allowed: a divisor of the 32 coordinates"):
        delayed_descent.delays(5, 32)


# --- continuous time --------------------------------------------------------------------------------------------


def test_the_equation_is_solved_as_in_closed_form():
    """w' = −w(t − 1), w = 1 before: a polynomial on each interval, the first three of them exact here."""
    h, steps = 1 / 20, 60
    found = continuous_time.solve(lambda w: w, np.ones(1), np.array([20]), h, steps)[:, 0]
    for i, value in enumerate(found):
        t = i * h
        pieces = range(int(t) + 2) if i < steps else range(4)
        assert value == pytest.approx(
            sum((-1) ** k * (t - k + 1) ** k / math.factorial(k) for k in pieces), abs=1e-12
        )


def test_without_delay_the_equation_is_gradient_flow():
    found = continuous_time.solve(lambda w: w, np.ones(1), np.zeros(1, dtype=int), 0.05, 40)[-1, 0]
    assert found == pytest.approx(math.exp(-2), abs=1e-6)


@pytest.mark.parametrize("problem", continuous_time.PROBLEMS)
def test_the_distance_falls_linearly_with_the_step(problem):
    made = continuous_time.PROBLEMS[problem](4)
    coarse, fine = (continuous_time.distances(made, step) for step in (0.02, 0.01))
    for far, near in zip(coarse, fine, strict=True):
        assert far / near == pytest.approx(2, rel=0.1)
    assert fine[0] < fine[1]  # the equation with delays is nearer than the one without


def test_gradients_of_the_chain_are_those_of_its_loss():
    gradient, start = continuous_time.linear_chain(4)
    loss = lambda w: 0.5 * (w.prod() - 1) ** 2 / 4  # noqa: E731 - a local rule
    steps = 1e-6 * np.eye(4)
    slopes = [(loss(start + step) - loss(start - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient(start), slopes, rtol=1e-6)
    np.testing.assert_allclose(gradient(np.stack([start, start], axis=1))[:, 1], gradient(start))


def test_the_equation_overrates_every_rate_and_least_with_long_delays():
    rates = continuous_time.stable_rates()
    ratio = rates.equation_ratio.dropna("delay")
    assert (ratio > 1).all()
    assert (np.diff(ratio) < 0).all()
    assert float(ratio.sel(delay=1)) == pytest.approx(math.pi / 2)  # the algorithm's limit is 1


# --- the map ----------------------------------------------------------------------------------------------------


def test_without_noise_the_mean_squared_gradient_is_that_of_gradient_descent(monkeypatch):
    monkeypatch.setattr(delay_map, "NOISE", 0.0)
    h, rate, steps = delayed_descent.hessian(delay_map.COORDINATES, delay_map.CONDITION), 0.5, 12
    start = delay_map._drawn(3, steps)[0]
    assert 0.5 * start @ h @ start == pytest.approx(delay_map.GAP)
    path = [np.linalg.matrix_power(np.eye(len(h)) - rate * h, k) @ start for k in range(steps)]
    expected = np.mean([((h @ w) ** 2).sum() for w in path])
    found = delay_map.mean_squared_gradients(Place(1, 4), np.array([rate]), [3], steps)
    assert found[-1, 0, 0] == pytest.approx(expected)


def test_the_noise_of_an_update_falls_with_its_samples():
    """After one step of rate 1 from the same start, the weights differ by the noise alone, whose size is known."""
    h = delayed_descent.hessian(delay_map.COORDINATES, delay_map.CONDITION)
    seeds, expected = range(400), {}
    for batch in (1, 16):
        found = delay_map.mean_squared_gradients(Place(1, batch), np.array([1.0]), seeds, 2)
        second = 2 * found[1, 0] - found[0, 0]  # of the squared gradient after one step
        quiet = [((h @ (s - h @ s)) ** 2).sum() for s in (delay_map._drawn(seed, 1)[0] for seed in seeds)]
        expected[batch] = (second - np.array(quiet)).mean()
    noise = delay_map.NOISE**2 / delay_map.COORDINATES * (h**2).sum()
    assert expected[1] == pytest.approx(noise, rel=0.1)
    assert expected[16] == pytest.approx(noise / 16, rel=0.2)


def test_updates_are_counted_to_the_first_mean_at_the_target():
    means = np.array([[3.0, 3.0, np.nan], [1.0, 2.0, np.nan], [0.5, 2.0, np.nan]])
    np.testing.assert_array_equal(delay_map.updates_to(1.0, means), [2.0, np.nan, np.nan])


def test_the_onset_grows_with_the_square_of_the_delay_and_with_the_batch():
    assert delay_map.onset(Place(5, 1)) == pytest.approx(81 * delay_map.onset(Place(1, 1)))
    assert delay_map.onset(Place(1, 7)) == pytest.approx(7 * delay_map.onset(Place(1, 1)))


@pytest.fixture(scope="module")
def small():
    return delay_map.delay_map(range(5), [100, 101], DelayGrid((1, 2, 8), (1, 64), 300, (64, 256), 0.3))


def test_one_layer_has_no_delay_and_every_method_is_as_fast(small):
    one = small.sel(layers=1)
    assert float(one.delay) == 0
    np.testing.assert_array_equal(one.inflation.values, 1.0)
    np.testing.assert_array_equal(one.speedup.values, 1.0)


def test_the_map_is_what_its_parts_say(small):
    assert small.updates.notnull().all()
    fresh = small.updates.sel(layers=1)
    np.testing.assert_allclose(small.inflation * fresh, small.updates)
    own = small.ticks.sel({"method": "continuous"})
    np.testing.assert_array_equal(own.sel(batch=64, half_batch=0), 64 * small.updates.sel(batch=64))
    assert (small.best_speedup >= small.single_speedup).all()
    beyond = fresh.median("seed") >= small.onset
    assert (small.guaranteed.notnull().all("seed") == beyond).all()
    assert float(small.inflation.sel(layers=8, batch=64).mean()) > 1.5  # a delay of 14 with a large rate


def test_the_map_repeats_to_the_bit(small):
    again = delay_map.delay_map(range(5), [100, 101], DelayGrid((1, 2, 8), (1, 64), 300, (64, 256), 0.3))
    assert again.identical(small)


@pytest.mark.parametrize(
    ("given", "said"),
    [(([], [100]), "seeds: got [100]"), (([0], []), "seeds: got [0]"),
     (([0], [1], DelayGrid(layers=(2, 4))), "layers: got (2, 4)"),
     (([0], [1], DelayGrid(batches=(4,))), "batches: got (4,)")],
)  # fmt: skip
def test_what_makes_no_map_is_refused(given, said):
    with pytest.raises(InputError) as caught:
        delay_map.delay_map(*given)
    assert str(caught.value).startswith(said)


# --- ticks ------------------------------------------------------------------------------------------------------


def test_ticks_are_those_of_the_formulas():
    ticks = hardware_ticks.step_ticks((4,), (8,), (0, 7)).isel(layers=0, batch=0)
    plain = ticks.sel(half_batch=0)
    assert plain.sel({"method": "continuous"}) == 8
    assert plain.sel({"method": "model_parallel"}) == 32
    assert plain.sel({"method": "pipelined"}) == 8 + 4 - 1  # one sample in a micro-batch
    assert plain.sel({"method": "data_parallel"}) == 4 * 2
    assert ticks.sel({"half_batch": 7, "method": "continuous"}) == pytest.approx(15 / 8)
    assert ticks.sel({"half_batch": 7, "method": "data_parallel"}) == pytest.approx(4 * 9 / 8)
    best = min((m + 3) * (7 + 8 / m) / 8 for m in (1, 2, 4, 8))
    assert ticks.sel({"half_batch": 7, "method": "pipelined"}) == pytest.approx(best)
