"""Distributions of slowdown factors: inverse CDFs, means, common random numbers, the fit to published quantiles."""

import numpy as np
import pytest

from rebuttal.base.errors import InputError
from rebuttal.machines.straggler_fit import PUBLISHED, achieved, fit_published_quantiles
from rebuttal.machines.stragglers import (
    STRAGGLERS,
    Exponential,
    Lognormal,
    NoStragglers,
    Pareto,
    PersistentlySlow,
    PublishedQuantiles,
    ShiftedExponential,
    named,
)

MODELS = sorted(STRAGGLERS)


@pytest.mark.parametrize("name", MODELS)
def test_draws_do_not_depend_on_how_many_are_asked_for(name):
    model = STRAGGLERS[name]
    some, more = (model.slowdowns(7, worker=3, count=count) for count in (10, 1000))
    assert some.dtype == np.float64
    np.testing.assert_array_equal(some, more[:10])


def test_workers_and_seeds_draw_independently_and_models_share_their_uniforms():
    a = Exponential().slowdowns(0, 0, 5)
    assert not np.array_equal(a, Exponential().slowdowns(0, 1, 5))
    assert not np.array_equal(a, Exponential().slowdowns(1, 0, 5))
    b = Pareto(a=2.0).slowdowns(0, 0, 5)
    np.testing.assert_allclose(np.exp(-a), b**-2.0)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "none"])
def test_quantile_inverts_cdf(name):
    model, u = STRAGGLERS[name], np.linspace(0.001, 0.999, 999)
    np.testing.assert_allclose(model.cdf(model.quantile(u)), u, atol=1e-12)
    assert (np.diff(model.quantile(u)) >= 0).all()
    np.testing.assert_allclose(model.upper_quantile(1 - u), model.quantile(u))


@pytest.mark.parametrize("name", MODELS)
def test_mean_is_the_integral_of_the_quantile(name):
    model = STRAGGLERS[name]
    q = (np.arange(200_000) + 0.5) / 200_000  # u = 1 - q**8 puts the points where the tail is
    integral = np.mean(model.upper_quantile(q**8) * 8 * q**7)
    assert integral == pytest.approx(model.mean(), rel=2e-3)


def test_a_mixture_with_atoms_is_exact():
    model = PersistentlySlow(fraction=0.25, factor=4.0)
    np.testing.assert_array_equal(model.quantile([0.1, 0.75, 0.76, 0.99]), [1, 1, 4, 4])
    assert model.mean() == 0.75 + 0.25 * 4


def test_slow_nodes_stay_slow_and_are_about_their_fraction():
    model = PersistentlySlow(fraction=0.3, factor=5.0)
    factors = np.array([model.slowdowns(0, worker, 20) for worker in range(1000)])
    assert ((factors == 1).all(axis=1) | (factors == 5).all(axis=1)).all()
    assert np.mean(factors[:, 0] == 5) == pytest.approx(0.3, abs=0.05)
    assert not np.array_equal(factors[:, 0], [model.slowdowns(1, worker, 1)[0] for worker in range(1000)])


def test_infinite_means():
    assert Pareto(a=1.0).mean() == np.inf
    assert PublishedQuantiles(0.1, 0.01, 1.3, 0.9, 1.6).mean() == np.inf


def test_the_preset_is_the_fit():
    assert fit_published_quantiles() == STRAGGLERS["published_quantiles"]


def test_the_fit_lies_between_the_two_published_probabilities():
    """Independent draws cannot match both; what is left is on opposite sides, and stays small."""
    found = achieved(fit_published_quantiles())
    late, last, *times = PUBLISHED
    assert 0 < found[late] - PUBLISHED[late] < 0.06
    assert 0 < PUBLISHED[last] - found[last] < 0.06
    for name in times:
        assert found[name] == pytest.approx(PUBLISHED[name], rel=0.01)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ShiftedExponential(shift=1.0),
        lambda: Lognormal(sigma=0.0),
        lambda: Pareto(a=-1.0),
        lambda: PersistentlySlow(fraction=1.5, factor=2.0),
        lambda: PersistentlySlow(fraction=0.5, factor=0.5),
        lambda: PublishedQuantiles(0.1, 0.0, 1.3, 1.5, 1.6),
        lambda: named("paretto"),
    ],
)
def test_impossible_parameters_are_refused_in_one_line(make):
    with pytest.raises(InputError) as error:
        make()
    assert "allowed" in str(error.value)
    assert "\n" not in str(error.value)


def test_every_model_describes_itself():
    described = [model.describe() for model in STRAGGLERS.values()]
    assert len(set(described)) == len(described)
    assert NoStragglers().describe() == "no stragglers"
