"""Times to a target over a sweep: targets far enough from chance, alike for all pairs, and ends of curves."""

import numpy as np
import pytest
import synthetic_results
import xarray as xr

from rebuttal.core import results
from rebuttal.evidence import datasets, judging, target_sweep

INF = np.inf
ENDS = np.full(3, 100.0)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return synthetic_results.write(tmp_path_factory.mktemp("results"))


def test_the_ratio_is_the_mean_over_targets_that_every_run_reached():
    """The strictest was missed by one run: it says nothing for any pair."""
    of, against = np.array([[2.0, 4.0, 8.0], [4.0, 8.0, 9.0], [8.0, INF, 9.0]]), np.full((3, 3), 2.0)
    found, note = target_sweep.ratios(of, against, ENDS, ENDS, np.array([0.5, 0.6, 0.7]))
    np.testing.assert_allclose(found.values, np.log(of[:2] / 2).mean(axis=0))
    assert note == "over 2 of 3 targets"
    assert (found.at_least, found.at_most, found.lost) == (0, 0, 0)


def test_equal_targets_count_once():
    of = np.array([[2.0, 2.0, 2.0], [2.0, 2.0, 2.0], [8.0, 8.0, 8.0]])
    found, note = target_sweep.ratios(of, np.ones((3, 3)), ENDS, ENDS, np.array([0.5, 0.5, 0.6]))
    np.testing.assert_allclose(found.values, np.log(4.0))
    assert note == "over 2 of 2 targets"


def test_without_a_target_that_all_reached_misses_are_bounds():
    of, against = np.array([[2.0, INF, 3.0], [INF, INF, INF]]), np.array([[1.0, 1.0, 1.0], [INF, INF, INF]])
    found, note = target_sweep.ratios(of, against, ENDS, ENDS, np.array([0.5, 0.6]))
    expected = judging.ratios(of[0], against[0], ENDS, ENDS)
    np.testing.assert_array_equal(found.values, expected.values)
    assert (found.at_least, note) == (1, "at one target")


def test_seeds_that_were_not_run_are_left_out():
    of = np.array([[2.0, np.nan, 3.0]])
    found, _ = target_sweep.ratios(of, np.ones((1, 3)), ENDS, ENDS, np.array([0.5]))
    np.testing.assert_allclose(found.values, np.log([2.0, 3.0]))


def test_no_target_lies_nearer_to_chance_than_half_way(study):
    tuning, curves = results.load_tuning(study), results.load_curves(study)
    plain, raised = (datasets.targets(tuning, multiples=[1.0, 50.0], curves=one) for one in (None, curves))
    xr.testing.assert_equal(plain.sel(target=1.0), raised.sel(target=1.0))
    untrained = (
        curves.reset_coords().validation_metric.isel(point=0).mean(["method", "machine", "rate", "seed"])
    )
    half = (plain.sel(target=1.0) + untrained) / 2
    assert (plain.sel(target=50.0) < half).all()
    np.testing.assert_allclose(raised.sel(target=50.0), half.transpose("workload"))


def test_the_end_of_a_run_is_the_mean_of_its_last_points(study):
    curves = results.load_curves(study)
    found = datasets.final(curves)
    there = datasets.ran(curves) & curves.reset_coords().diverged_at.isnull()
    tail = curves.reset_coords().test_metric.isel(point=slice(-3, None)).mean("point")
    np.testing.assert_allclose(found.where(there), tail.where(there).transpose(*found.dims))
    two = datasets.final(curves.isel(point=slice(2)))
    second = curves.reset_coords().test_metric.isel(point=1)
    np.testing.assert_allclose(
        two.where(there), second.where(there).transpose(*two.dims)
    )  # never the untrained model
