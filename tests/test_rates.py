"""Rates of convergence: the functions, runs of methods on plain arrays, bounds, and the map that is drawn from them."""

import math

import numpy as np
import pytest
import xarray as xr
from tiny_models import MODELS
from values import eager_weights

from rebuttal.base.errors import InputError
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.studies.analyses import function_runs, rates, smoothing_map
from rebuttal.studies.analyses.functions import Hardest, LinkFunction, MaxAbs
from rebuttal.studies.analyses.rates import measure
from rebuttal.workloads.convex import max_abs

SEEDS = (0, 1, 2, 3, 4)
FUNCTIONS = [MaxAbs(12), Hardest(6), LinkFunction(5)]


@pytest.fixture(scope="module")
def measured():
    return measure(SEEDS, (10, 20, 40))


def somewhere(function, scale=0.7):
    points = np.random.default_rng(0).normal(0, scale, (len(SEEDS), function.start((0,)).shape[1]))
    return points + function.start(SEEDS)


# --- functions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: type(f).__name__)
def test_gradients_are_those_of_the_values(function):
    w, h = somewhere(function), 1e-6
    numeric = np.stack(
        [(function.value(w + h * e) - function.value(w - h * e)) / (2 * h) for e in np.eye(w.shape[1])],
        axis=1,
    )
    np.testing.assert_allclose(function.gradient(w), numeric, atol=1e-6)


def test_the_hardest_function_has_its_lowest_point_at_distance_one_and_curvature_at_most_one():
    function = Hardest(9)
    best = function.best[None]
    assert np.linalg.norm(best) == pytest.approx(1)
    assert function.value(best)[0] == pytest.approx(function.lowest)
    np.testing.assert_allclose(function.gradient(best), 0, atol=1e-15)
    zero = np.zeros_like(best)
    curvature = np.stack(
        [function.gradient(e[None])[0] - function.gradient(zero)[0] for e in np.eye(function.d)]
    )
    eigenvalues = np.linalg.eigvalsh(curvature)
    assert eigenvalues.min() > 0
    assert 0.9 < eigenvalues.max() <= 1


def test_the_gradient_of_the_chain_is_long_until_every_link_is_undone():
    function = LinkFunction(6)
    for undone in range(6):
        w = np.concatenate([np.full(undone, 2.0), np.zeros(6 - undone)])[None]
        assert np.linalg.norm(function.gradient(w)) > 1
        assert function.gradient(w)[0, undone + 1 :] == pytest.approx(0, abs=1e-12)  # not to be seen yet


# --- runs -----------------------------------------------------------------------------------------------------


class Started(MaxAbs):
    """max_abs from the workload's own starts."""

    def start(self, seeds):
        workload = max_abs(self.d, stages=1).double()
        return np.stack([workload.start(seed).numpy() for seed in seeds])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pprs", {"K": 3, "gamma": 0.1}),
        ("pprs", {"K": 2, "gamma": 0.1, "accelerated": False, "averaged": True}),
        ("nesterov", {}),
        ("mini_batch", {}),
    ],
)
def test_a_run_on_arrays_is_the_run_on_tensors(name, options):
    *_, found = function_runs.weights(name, options, Started(10), [4], 0.05, 7)
    expected = eager_weights(
        name, options, max_abs(10, stages=1).double(), 0.05, workers=1, updates=7, seed=4, batch=1
    )
    np.testing.assert_allclose(found[0], expected.numpy(), atol=1e-12)


def test_every_version_is_given_from_the_start():
    found = list(function_runs.weights("gpipe", {"m": 1}, Hardest(3), SEEDS, 1.0, 3))
    assert len(found) == 4
    np.testing.assert_array_equal(found[0], Hardest(3).start(SEEDS))


def test_what_needs_a_cluster_or_more_than_a_function_is_refused():
    with pytest.raises(InputError, match=r"^request: got"):
        list(function_runs.weights("all_reduce", {}, MaxAbs(4), [0], 0.1, 2))
    with pytest.raises(InputError, match=r"^links: got 0"):
        LinkFunction(0)


# --- bounds ---------------------------------------------------------------------------------------------------


def test_no_error_is_above_its_upper_bound_or_below_its_lower_one(measured):
    for name, case in rates.CASES.items():
        some = measured.sel(case=name)
        assert bool((some.of_upper <= 1).all()) == (case.upper is not None)
        assert bool((some.of_lower >= 1).all()) == (case.lower is not None)
    assert float(measured.of_fewest.min()) >= 1
    assert float(measured.of_most.sel(first_order="gpipe").max()) <= 1


def test_the_dataset_is_what_its_schema_says(measured):
    for name, dims in ANALYSES["rates"].variables.items():
        assert set(measured[name].dims) == set(dims), name


def test_powers_are_those_of_the_errors():
    horizons, seeds = (10, 20, 80), (0, 1)
    errors = {("pprs", T): np.array([3.0, 5.0]) * T**-1.5 for T in horizons}
    flat = {("gpipe", n): 7 * n**2 for n in (2, 4)}
    by_dimension = {d: np.array([1.0, 2.0]) * d**0.25 for d in (16, 81)}
    found = rates.rates(errors, by_dimension, flat, seeds, 20)
    np.testing.assert_allclose(found.slope, -1.5)
    np.testing.assert_allclose(found.exponent, 0.25)
    np.testing.assert_allclose(found.flat_slope, 2)
    np.testing.assert_allclose(found.of_fewest.values[0], [14, 28])


def test_smoothing_helps_on_kinks_and_does_not_where_there_are_none(measured):
    last = measured.error.isel(horizon=-1).mean("seed")
    assert float(last.sel(case="smooth_nesterov")) < float(last.sel(case="smooth_pprs"))
    assert float(last.sel(case="smooth_nesterov")) < float(last.sel(case="smooth_gradient"))


# --- the map --------------------------------------------------------------------------------------------------


def stated(**constants):
    """Constants without noise."""
    names = ("pprs", "sub_gradient", "smooth_nesterov")
    return xr.DataArray([[constants.get(name, 1.0)] for name in names], dims=("rate", "seed"),
                        coords={"rate": list(names), "seed": [0]})  # fmt: skip


def gain(depth, samples, dimension=16, smoothness=math.inf, accuracy=100, **constants):
    axes = [xr.DataArray(float(value)) for value in (depth, samples, dimension, smoothness, accuracy)]
    found = smoothing_map.gain(stated(**constants), *axes)
    return {name: float(found[name].squeeze()) for name in ("over_gradient", "over_best")}


def test_the_gain_is_worked_out_by_hand():
    """d = 16, A = 100: PPRS makes 200 updates of ⌈201/4⌉ = 51 samples, sub-gradients 10,000 updates."""
    assert gain(20, 3)["over_gradient"] == pytest.approx(10_000 * 22 / (200 * (3 * 51 + 19)))
    smooth = gain(20, 3, smoothness=4.0)  # accelerated: √400 = 20 updates
    assert smooth["over_best"] == pytest.approx(20 * 22 / (200 * (3 * 51 + 19)))
    assert smooth["over_gradient"] == gain(20, 3)["over_gradient"]


@pytest.mark.parametrize("samples", [1, 4, 64])
def test_the_gain_grows_with_depth_and_is_bounded_by_it(samples):
    """At most A² (m + Δ − 1) over K m T, which is about 1 + (Δ − 1)/m: nothing without depth beyond the samples."""
    gains = [gain(depth, samples)["over_best"] for depth in (1, 10, 100, 1000)]
    assert gains == sorted(gains)
    for depth, found in zip((1, 10, 100, 1000), gains, strict=True):
        assert found <= 10_000 / (200 * 51) * (1 + (depth - 1) / samples) + 1e-12


def test_depth_is_hidden_by_many_samples_and_not_by_one():
    dimension, accuracy = xr.DataArray([1.0, 1e24]), xr.DataArray(1e4)
    few, many = smoothing_map.deeper(stated(), dimension, accuracy).squeeze().values
    assert few == pytest.approx(1, abs=0.02)
    assert many == 10


def test_the_clock_counts_the_passes_of_the_formula():
    np.testing.assert_array_equal(smoothing_map.clock().of_formula, 1)


def test_the_map_is_what_its_schema_says_and_its_shares_are_shares(measured):
    machines = {"h100_box": SCALED_MACHINES["h100_box"]}
    found = smoothing_map.smoothing_map(measured, MODELS).merge(smoothing_map.clock())
    found = found.merge(smoothing_map.steps(MODELS, machines, 4))
    for name, dims in ANALYSES["smoothing_map"].variables.items():
        assert set(found[name].dims) == set(dims), name
    assert float(found.share.min()) >= 0
    assert float(found.share.max()) <= 1
    assert found.step_model.values.tolist() == ["equal"]  # the other has fewer layers than stages
    assert 0.9 < float(found.of_units.min()) < 1.5  # messages of a box are cheap
    assert found.practical_depth.values.tolist() == [6, 20]
    assert bool((found.over_best <= found.over_gradient + 1e-12).all())


def test_constants_cover_every_measured_error(measured):
    known = smoothing_map.constants(measured).constant
    T = measured.horizon
    bound = known.sel(rate="sub_gradient") / np.sqrt(T)
    assert bool((measured.error.sel(case="sub_gradient") <= bound + 1e-12).all())
