"""Effects over places, equivalence and power, against closed forms and simulations."""

import numpy as np
import pytest
from scipy import stats

from rebuttal.evidence import places, power, student
from rebuttal.evidence.judging import Effects


def over(rows, workloads=None):
    return places.over(
        [Effects(np.array(row), ratio=False) for row in rows], workloads or list(map(str, range(len(rows))))
    )


def test_one_place_has_students_interval():
    values = np.random.default_rng(0).normal(1.0, 1.0, 7)
    found = over([values])
    assert found.interval() == pytest.approx(student.interval(values))
    assert found.tails(0.3) == pytest.approx(student.tails(values, 0.3))
    assert np.isnan(found.i2)


def test_places_with_the_same_runs_count_once():
    values = np.random.default_rng(1).normal(size=6)
    assert over([values, values], ["a", "a"]).interval() == over([values]).interval()
    assert over([values, values], ["a", "b"]).places == 1


def test_with_few_workloads_the_interval_is_of_these_places():
    """Student's of each seed's mean over the places, whatever they share."""
    rows = np.random.default_rng(2).normal(size=(2, 6))
    rows[1] += 0.7 * rows[0]
    found = over(rows, ["a", "a"])
    assert not found.random
    assert found.interval() == pytest.approx(student.interval(rows.mean(axis=0)))


def test_with_three_workloads_it_is_students_of_the_place_means():
    """Hartung and Knapp's interval with equal weights, for places that share nothing."""
    rows = np.random.default_rng(3).normal(size=(5, 6)) + np.arange(5)[:, None]
    found, means = over(rows), rows.mean(axis=1)
    expected = stats.ttest_1samp(means, 0.0).confidence_interval(0.95)
    assert found.random
    assert found.freedom == pytest.approx(4)
    assert found.interval() == pytest.approx((means.mean(), expected.low, expected.high))
    chance = rows.var(axis=1, ddof=1).mean() / 6
    assert found.tau**2 == pytest.approx(means.var(ddof=1) - chance)
    assert found.i2 == pytest.approx(1 - chance / means.var(ddof=1))


@pytest.mark.parametrize("noise", ["normal", "gamma"])
@pytest.mark.parametrize(
    ("tau", "sharing", "spreads"), [(0, 0, (1, 1, 1)), (1, 0, (0.3, 1, 3)), (0.5, 0.9, (1, 1, 1))]
)
def test_the_interval_holds_the_truth(noise, tau, sharing, spreads):
    """Three workloads on two machines each, five seeds; the machines share `sharing` of what a seed brings."""
    random = np.random.default_rng(4)
    draw = {"normal": random.normal, "gamma": lambda size: (random.gamma(4.0, size=size) - 4.0) / 2.0}[noise]
    held = 0
    for _ in range(600):
        seeds = np.repeat(draw(size=(3, 5)), 2, axis=0)
        rows = sharing * seeds + np.sqrt(1 - sharing**2) * draw(size=(6, 5))
        rows = np.repeat(tau * random.normal(size=3), 2)[:, None] + np.repeat(spreads, 2)[:, None] * rows
        found = over(rows, ["a", "a", "b", "b", "c", "c"]).interval()
        held += found.low <= 0 <= found.high
    assert held / 600 >= 0.93


def test_without_chance_there_is_no_interval():
    found = over([[0.2] * 5, [0.4] * 5])
    assert found.exact
    assert found.estimate == pytest.approx(0.3)
    assert np.isnan(found.interval()[1:]).all()
    assert found.tails(0.1) == (0.0, 1.0)


def test_misses_leave_their_side_open():
    found = places.over([Effects(np.array([0.1, 0.2, 0.4]), ratio=True, at_least=1)], ["a"])
    low, high = found.interval()[1:]
    assert 0 < low < high == np.inf
    assert found.tails(0.5)[1] == 1.0


def test_unmatched_seeds_vary_as_one():
    random = np.random.default_rng(5)
    one, other = random.normal(size=6), random.normal(size=5)
    found = over([one, other], ["a", "a"])
    assert found.places == 2
    errors = [one.std(ddof=1) / np.sqrt(6), other.std(ddof=1) / np.sqrt(5)]
    assert found.error == pytest.approx(np.mean(errors))
    assert found.n == 5


def test_no_place_is_refused():
    with pytest.raises(ValueError, match="no effect"):
        places.over([], [])


def test_equivalence_is_two_one_sided_tests():
    values = np.random.default_rng(6).normal(0.0, 0.01, 8)
    found = over([values])
    tests = [
        stats.ttest_1samp(values, edge, alternative=side)
        for edge, side in ((-0.02, "greater"), (0.02, "less"))
    ]
    assert found.equivalent(-0.02, 0.02) == (np.array(tests)[:, 1].max() < 0.05)
    low, high = found.interval(0.9)[1:]
    assert found.equivalent(low - 1e-9, high + 1e-9)
    assert not found.equivalent(low + 1e-9, high)


@pytest.mark.parametrize(("gap", "n"), [(1.0, 5), (0.5, 10), (0.8, 15)])
def test_power_is_what_simulated_studies_find(gap, n):
    values = np.random.default_rng(7).normal(gap, 1.0, (20000, n))
    t = values.mean(axis=1) / values.std(axis=1, ddof=1) * np.sqrt(n)
    found = power.one_sided(gap, 1 / np.sqrt(n), n - 1)
    assert found == pytest.approx((t > stats.t.isf(0.025, n - 1)).mean(), abs=0.012)


@pytest.mark.parametrize(("effect", "margin", "n"), [(0.0, 1.0, 8), (0.3, 1.0, 12), (0.0, 0.5, 6)])
def test_power_of_equivalence_is_what_simulated_studies_find(effect, margin, n):
    values = np.random.default_rng(8).normal(effect, 1.0, (20000, n))
    means, errors = values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(n)
    shown = abs(means) + stats.t.isf(0.05, n - 1) * errors < margin
    found = power.two_one_sided(effect + margin, margin - effect, 1 / np.sqrt(n), n - 1)
    assert found == pytest.approx(shown.mean(), abs=0.012)


def test_seeds_needed_are_the_fewest_with_that_power():
    values = np.array([0.2, 1.4, -0.6, 1.1, 0.4])
    found = over([values])
    n = power.seeds_needed(found, 0.0, 0.0, equal=False)
    assert n is not None
    at = [power.one_sided(values.mean(), values.std(ddof=1) / np.sqrt(m), m - 1) for m in (n - 1, n)]
    assert at[0] < 0.8 <= at[1]
    more = power.seeds_needed(found, -1.5, 1.5, equal=True)
    assert more is not None
    assert power.in_words(n) == "about 25 seeds would tell"
    assert power.in_words(7) == "about 7 seeds would tell"


def test_some_questions_need_too_many_seeds():
    found = over([[0.001, 1.0, -1.0, 0.5, -0.5]])
    assert power.seeds_needed(found, 0.0, 0.0, equal=False) is None
    assert power.in_words(None) == "more than 100 seeds would be needed"
    apart = over([[0.9, 1.1, 1.0], [-1.1, -0.9, -1.0], [2.0, 2.1, 1.9]])
    assert power.seeds_needed(apart, 0.0, 0.0, equal=False) is None  # seeds do not bring workloads together
