"""Order statistics: closed forms, quadrature and simulation agree; the best number of backups."""

import numpy as np
import pytest
from scipy import stats

from rebuttal.base.errors import InputError
from rebuttal.machines import order_statistics as order
from rebuttal.machines.stragglers import (
    STRAGGLERS,
    Exponential,
    Lognormal,
    NoStragglers,
    Pareto,
    ShiftedExponential,
)

PLACES = [(1, 1), (1, 16), (12, 16), (16, 16), (50, 100), (96, 100), (100, 100)]


@pytest.mark.parametrize(("k", "n"), PLACES)
@pytest.mark.parametrize(
    "model", [NoStragglers(), Exponential(), ShiftedExponential(0.3), Pareto(2.5), Pareto(1.5)]
)
def test_quadrature_equals_the_closed_form(model, k, n):
    assert order.quadrature(model, k, n) == pytest.approx(order.expected(model, k, n), rel=1e-7)


def test_closed_forms():
    assert order.exponential(3, 3) == pytest.approx(1 + 1 / 2 + 1 / 3)
    assert order.iteration_time(Exponential(), workers=10, backups=4) == pytest.approx(
        order.harmonic(10) - order.harmonic(4)
    )
    assert order.shifted_exponential(96, 100, 0.5) == pytest.approx(0.5 + 0.5 * order.exponential(96, 100))
    assert order.pareto(1, 1, 2.5) == pytest.approx(2.5 / 1.5)


@pytest.mark.parametrize(
    ("a", "k", "n", "finite"), [(1.0, 5, 5, False), (1.0, 4, 5, True), (0.4, 4, 5, False), (0.6, 4, 5, True)]
)
def test_pareto_is_infinite_exactly_when_a_is_at_most_one_over_the_rest(a, k, n, finite):
    assert np.isfinite(order.pareto(k, n, a)) == finite


def test_lognormal_quadrature_equals_an_independent_integral():
    """E[max] as the integral of the survival function, on a plain grid."""
    x = np.linspace(0, 60, 600_001)
    survival = 1 - stats.norm.cdf(np.log(np.maximum(x, 1e-300)) / 0.5) ** 20
    assert order.expected(Lognormal(0.5), 20, 20) == pytest.approx(np.trapezoid(survival, x), rel=1e-6)


@pytest.mark.parametrize(
    "name", ["exponential", "shifted_exponential", "lognormal", "pareto", "persistently_slow"]
)
def test_simulation_agrees_with_the_expectation(name):
    model, backups = STRAGGLERS[name], [0, 1, 2, 4, 8]
    mean, error = order.simulate(model, 16, backups, iterations=20_000, seed=1)
    expected = [order.iteration_time(model, 16, b) for b in backups]
    assert (np.abs(mean - expected) < 4 * error).all()
    assert (np.diff(mean) < 0).all()


def test_simulation_in_chunks_is_the_same(monkeypatch):
    whole = order.simulate(Exponential(), 10, [0, 3], 1000, seed=0)
    monkeypatch.setattr(order, "CHUNK", 130)
    np.testing.assert_allclose(order.simulate(Exponential(), 10, [0, 3], 1000, seed=0), whole)


def test_without_stragglers_no_backup_pays():
    assert order.best_backups(50, lambda b: order.iteration_time(NoStragglers(), 50, b)) == 0


def test_memoryless_workers_are_best_not_waited_for_and_a_floor_changes_that():
    """Each further exponential arrival takes longer than the one before, so even linear progress wants only one."""
    linear = 1e12
    assert order.best_backups(30, lambda b: order.iteration_time(Exponential(), 30, b), linear) == 29
    with_floor = ShiftedExponential(0.5)
    best = order.best_backups(30, lambda b: order.iteration_time(with_floor, 30, b), linear)
    speeds = [(30 - b) / order.iteration_time(with_floor, 30, b) for b in range(30)]
    assert 0 < best < 15
    assert speeds[best] == max(speeds)


def test_the_marginal_rule_says_at_which_gap_a_drop_pays():
    lost = 1 - order.progress_per_update(99) / order.progress_per_update(100)
    assert 0.007 < lost < 0.009
    assert order.worth_dropping(100, seconds=1.0, gap_s=lost * 1.01)
    assert not order.worth_dropping(100, seconds=1.0, gap_s=lost * 0.99)


def test_the_progress_model_passes_through_the_two_published_points():
    """Iterations to converge 137.5k at N = 50 and 76.2k at N = 100: only their ratio enters."""
    assert order.progress_per_update(100) / order.progress_per_update(50) == pytest.approx(
        137.5 / 76.2, rel=1e-3
    )


def test_the_study_has_the_schema_and_is_seeded():
    models = {name: STRAGGLERS[name] for name in ("exponential", "pareto_heavy")}
    found = order.study(models, workers=(4, 16), backups=(0, 2, 4), iterations=500, seed=0)
    assert found.iteration_seconds_simulated.dims == ("straggler", "workers", "backups")
    assert np.isnan(found.iteration_seconds_closed_form.sel(workers=4, backups=4)).all()
    assert float(found.iteration_seconds_closed_form.sel(straggler="exponential", workers=16, backups=0)) == (
        pytest.approx(order.harmonic(16))
    )
    assert found.identical(order.study(models, (4, 16), (0, 2, 4), 500, 0))
    assert not found.identical(order.study(models, (4, 16), (0, 2, 4), 500, 1))


@pytest.mark.parametrize(("k", "n"), [(0, 5), (6, 5)])
def test_impossible_order_statistics_are_refused(k, n):
    with pytest.raises(InputError, match="1 <= k <= n"):
        order.expected(Exponential(), k, n)
