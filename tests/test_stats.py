"""Intervals, times to a target, censoring and the split speed-up, on arrays and on named dims."""

import numpy as np
import pytest
import synthetic_results
import xarray as xr
from scipy import stats

from rebuttal.base import seeding
from rebuttal.base.errors import InputError
from rebuttal.core import results
from rebuttal.evidence import arrays, datasets, judging, places_combined, student

INF, NAN = np.inf, np.nan


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return synthetic_results.write(tmp_path_factory.mktemp("results"))


@pytest.fixture
def curves(study):
    return results.load_curves(study)


@pytest.fixture
def tuning(study):
    return results.load_tuning(study)


@pytest.mark.parametrize(("n", "least"), [(5, 0.87), (20, 0.90)])
def test_bootstrap_bands_nearly_cover_the_truth(n, least):
    """Of a skewed-free sample; plain percentiles of 5 values cover the truth in only 84 of 100 cases."""
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(250):
        found = arrays.bootstrap(random.normal(3.0, 2.0, n), resamples=1000)
        covered += found.low <= 3.0 <= found.high
    assert least <= covered / 250 <= 0.99


def test_bootstrap_is_seeded_and_keeps_its_order():
    values = np.array([1.0, 2.0, 4.0, 8.0, 9.0])
    assert arrays.bootstrap(values) == arrays.bootstrap(values)
    low, estimate, high = (arrays.bootstrap(values)[i] for i in (1, 0, 2))
    assert 1.0 <= low < estimate < high <= 9.0


def test_bootstrap_at_its_edges():
    assert arrays.bootstrap(np.array([2.0, 2.0, 2.0])) == (2.0, 2.0, 2.0)
    assert np.isnan(arrays.bootstrap(np.array([]))).all()
    estimate, low, high = arrays.bootstrap(np.array([2.0]))
    assert estimate == 2.0
    assert np.isnan([low, high]).all()
    assert np.isfinite(arrays.bootstrap(np.array([1.0, 1.0, 1.0, 1.0, 5.0]))).all()


def test_rows_are_bootstrapped_together_as_each_would_be_alone():
    random = np.random.default_rng(2)
    rows = random.lognormal(0.0, 1.0, (12, 5))
    rows[0] = 3.0
    rows[1] = [1.0, 1.0, 1.0, 1.0, 5.0]  # BCa is degenerate here
    rows[2, :2], rows[3, 1:], rows[4] = NAN, NAN, NAN
    alone = [arrays.bootstrap(row[~np.isnan(row)], 999) for row in rows]
    np.testing.assert_array_equal(arrays.bootstrap_rows(rows, 999), alone)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_is_scipys_on_the_same_resamples(n):
    values = np.random.default_rng(n).lognormal(0.0, 1.0, n)
    found = stats.bootstrap(
        (values,), np.mean, n_resamples=999, method="BCa", confidence_level=1 - 2 * arrays.tail(n),
        rng=seeding.generator(0, "bootstrap", n),
    ).confidence_interval  # fmt: skip
    assert arrays.bootstrap(values, 999) == (values.mean(), found.low, found.high)


@pytest.mark.parametrize("n", [2, 5, 10])
def test_the_interval_of_an_effect_is_students(n):
    values = np.random.default_rng(n).lognormal(0.0, 1.0, n)
    found = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert student.interval(values) == pytest.approx((values.mean(), found.low, found.high))


def test_students_interval_at_its_edges():
    assert student.interval(np.array([0.1] * 5)) == pytest.approx((0.1, 0.1, 0.1), abs=0)
    assert np.isnan(student.interval(np.array([]))).all()
    estimate, low, high = student.interval(np.array([2.0]))
    assert estimate == 2.0
    assert np.isnan([low, high]).all()


def test_rows_have_the_intervals_that_each_would_have_alone():
    rows = np.random.default_rng(2).lognormal(0.0, 1.0, (6, 5))
    rows[0], rows[1, :2], rows[2, 1:], rows[3] = 3.0, NAN, NAN, NAN
    alone = [student.interval(row[~np.isnan(row)]) for row in rows]
    np.testing.assert_array_equal(student.rows(rows), alone)


def asked(better, margin, ratio):
    """What a rule with one margin asks."""
    low, high = judging.edges(margin, ratio) if better == "equal" else (margin, margin)
    return judging.Asked(better, low, high)


@pytest.mark.parametrize("better", ["higher", "lower", "equal"])
@pytest.mark.parametrize("ratio", [False, True])
def test_a_status_is_given_where_its_p_value_is_below_what_the_interval_leaves_out(better, ratio):
    random = np.random.default_rng(3)
    margin = 1.5 if ratio else 0.5
    seen = set()
    for _ in range(300):
        values = random.normal(random.choice([-1.5, 0.0, 0.5, 1.5]), random.choice([0.1, 1.0]), 6)
        missed = {name: int(random.random() < 0.2) for name in ("at_least", "at_most")}
        part = judging.place({}, judging.Effects(values, ratio, **missed), asked(better, margin, ratio))
        assert part.p
        level = (
            0.05 if better == "equal" else 0.025
        )  # of two one-sided tests, and of one side of a 95 % interval
        assert (part.word == "supported") == (part.p.supported < level)
        assert (part.low <= part.effect <= part.high) or missed["at_least"] or missed["at_most"]
        assert (part.word == "contradicted") == (part.p.contradicted < 0.025)
        seen.add(part.word)
    assert seen == {"supported", "contradicted", "cannot tell"}


def test_values_without_spread_leave_no_doubt():
    assert student.tails(np.full(5, 0.2), 0.1) == (0.0, 1.0)
    assert student.tails(np.full(5, 0.1), 0.1) == (1.0, 1.0)
    assert student.tails(np.array([0.2]), 0.1) == (1.0, 1.0)


def test_equality_is_two_one_sided_tests():
    """A missing difference is no evidence of equality: wide intervals around 0 are undecided, narrow ones support."""
    noisy, quiet = (spread * np.array([-1.0, 1.0, -0.5, 0.5, 0.0]) for spread in (0.05, 0.005))
    parts = [
        judging.place({}, judging.Effects(values, False), asked("equal", 0.01, False))
        for values in (noisy, quiet)
    ]
    assert [part.word for part in parts] == ["cannot tell", "supported"]
    tests = [
        stats.ttest_1samp(quiet, edge, alternative=side)
        for edge, side in ((-0.01, "greater"), (0.01, "less"))
    ]
    assert parts[1].p
    assert parts[1].p.supported == pytest.approx(np.array(tests)[:, 1].max())


def test_pairing_by_seed_narrows_the_interval():
    shared = np.array([1.0, 5.0, 9.0, 13.0, 20.0])
    noise = np.array([0.1, -0.1, 0.0, 0.05, -0.05])
    paired = arrays.paired_difference(shared + 1 + noise, shared)
    assert paired.estimate == pytest.approx(1.0)
    assert paired.high - paired.low < 0.5


def test_ratio_of_geometric_means():
    of, against = np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 8.0])
    assert arrays.paired_ratio(of, against) == pytest.approx((0.5, 0.5, 0.5))


def test_reach_interpolates_and_censors():
    metric = np.array([[0.0, 0.5, 0.7, 0.6, 0.9], [0.0, 0.1, 0.2, 0.3, 0.4], [0.8, 0.9, 0.9, 0.9, 0.9]])
    axis = np.broadcast_to([0.0, 10.0, 20.0, 30.0, 40.0], metric.shape)
    np.testing.assert_allclose(arrays.reach(metric, axis, 0.6), [15.0, INF, 0.0])
    np.testing.assert_allclose(arrays.reach(1 - metric, axis, 0.4, better="lower"), [15.0, INF, 0.0])


def test_reach_counts_a_gap_as_not_there():
    assert arrays.reach(np.array([0.1, NAN, NAN]), np.arange(3.0), 0.5) == INF
    assert arrays.reach(np.array([0.1, NAN, 0.8]), np.arange(3.0), 0.5) == 2.0


@pytest.mark.parametrize(
    ("times", "median"),
    [
        ([3, 1, 2], 2),
        ([1, 2, INF], 2),
        ([1, INF, INF], INF),
        ([1, 2, INF, INF], 2),
        ([NAN, 4, NAN], 4),
        ([NAN], NAN),
    ],
)
def test_median_time_with_censored_runs(times, median):
    np.testing.assert_equal(arrays.median_time(np.array(times, dtype=float)), median)


def test_the_speed_up_is_the_product_of_its_parts():
    random = np.random.default_rng(1)
    for _ in range(20):
        split = arrays.speed_up(*random.lognormal(1.0, 1.0, (4, 5)))
        assert split.total.estimate == pytest.approx(
            split.updates.estimate * split.seconds_per_update.estimate, rel=1e-12
        )
        for one in (split.total, split.updates, split.seconds_per_update):
            assert one.low <= one.estimate <= one.high


def test_the_intervals_of_the_split_come_from_the_same_pairs():
    """If all the spread is in the updates, the total's interval is theirs times a constant."""
    updates = np.array([90.0, 100.0, 110.0, 95.0, 130.0])
    split = arrays.speed_up(updates * 0.5, updates, np.full(5, 300.0), np.full(5, 100.0))
    np.testing.assert_allclose(split.seconds_per_update, 6.0)
    np.testing.assert_allclose(np.array(split.total), np.array(split.updates) * 6.0)


def test_misses_are_counted_and_too_many_of_them_leave_no_interval():
    seconds, baseline = np.array([1.0, INF, 1.0, 1.5, 1.0]), np.array([2.0, 2.0, INF, 2.0, 2.0])
    split = arrays.speed_up(seconds, seconds, baseline, baseline)
    assert (split.n, split.missed, split.baseline_missed) == (3, 1, 1)
    assert np.isfinite(split.total).all()
    few = arrays.speed_up(np.array([1.0, INF, INF, INF, 1.2]), np.ones(5), baseline, baseline)
    assert few.n == 2
    assert np.isnan(few.total.low)
    none = arrays.speed_up(np.full(5, INF), np.full(5, INF), baseline, baseline)
    assert (none.n, none.missed) == (0, 5)


def test_a_missed_target_bounds_a_ratio_from_one_side_only():
    of, against = np.array([10.0] * 5), np.array([30.0, INF, 30.0, 33.0, 30.0])
    effects = judging.ratios(of, against, np.full(5, 60.0), np.full(5, 60.0))
    interval = effects.interval()
    assert (effects.n, effects.at_most, effects.at_least) == (5, 1, 0)
    assert interval.low == 0.0
    assert interval.high < 1
    assert judging.place({}, effects, asked("lower", 1.0, True)).word == "supported"
    swapped = judging.ratios(against, of, np.full(5, 60.0), np.full(5, 60.0))
    assert judging.place({}, swapped, asked("lower", 1.0, True)).word == "contradicted"


def test_a_run_that_ended_early_without_its_target_does_not_win():
    """It looks faster only because it gave up: undecided."""
    gave_up = judging.ratios(np.full(5, INF), np.full(5, 30.0), np.full(5, 5.0), np.full(5, 60.0))
    assert judging.place({}, gave_up, asked("lower", 1.0, True)).word == "cannot tell"


def test_pairs_that_say_nothing_are_counted():
    effects = judging.ratios(np.array([INF, 0.0, 2.0]), np.array([INF, 1.0, 1.0]), np.ones(3), np.ones(3))
    assert (effects.n, effects.lost) == (1, 2)
    assert "2 pairs" in effects.note()


def test_fewer_than_five_seeds_decide_nothing():
    assert (
        judging.place({}, judging.differences(np.ones(5), np.zeros(5)), asked("higher", 0.0, False)).word
        == "supported"
    )
    assert (
        judging.place({}, judging.differences(np.ones(4), np.zeros(4)), asked("higher", 0.0, False)).word
        == "cannot tell"
    )


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (["supported", "supported"], "supported"),
        (["contradicted"], "contradicted"),
        (["supported", "contradicted"], "depends"),
        (["supported", "cannot tell"], "cannot tell"),
        ([], "cannot tell"),
    ],
)
def test_places_without_chance_combine(said, whole):
    places = [judging.PlaceOutcome("here", word, 1.0, np.nan, np.nan, 5) for word in said]
    assert places_combined.combine(places, asked("higher", 0.0, False)).word == whole


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("better", ["higher", "lower", "equal"])
def test_a_word_and_the_interval_beside_it_agree(better, seed):
    random = np.random.default_rng(seed)
    wanted = asked(better, 0.5, False)
    places = [
        judging.place(
            {"workload": f"w{i}", "machine": "m"},
            judging.Effects(
                random.normal(random.choice([-2, 0, 0.4, 2]), random.choice([0.1, 2.0]), 5), False
            ),
            wanted,
        )
        for i in range(random.integers(1, 5))
    ]
    found = places_combined.combine(places, wanted)
    if better == "equal" and found.kind == "range" and found.word == "contradicted":
        assert all(one.word == "contradicted" for one in places)  # on either side of the margins
        return
    on_a_side = wanted.word(found.low, found.high)
    assert on_a_side == (found.word if found.word in ("supported", "contradicted") else "cannot tell")


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (0.9, 1.1, "supported"),
        (1.3, 1.6, "contradicted"),
        (0.5, 0.7, "contradicted"),
        (1.0, 1.4, "cannot tell"),
    ],
)
def test_equal_means_within_the_margin_on_both_sides(low, high, status):
    assert asked("equal", 1.25, True).word(low, high) == status


def test_targets_come_from_the_baselines_tuning_runs_alone(tuning):
    found = datasets.targets(tuning)
    assert found.dims == ("workload", "target")
    assert (found.diff("target") > 0).all()
    others = tuning.copy(deep=True)
    theirs = [label for label in others.method.values if not str(label).startswith("mini_batch")]
    others.validation_metric.loc[{"method": theirs}] = 0.99
    xr.testing.assert_identical(datasets.targets(others), found)
    changed = tuning.copy(deep=True)
    changed["validation_metric"] = changed.validation_metric - 0.1
    assert (datasets.targets(changed) < found).all()


def test_time_to_target_on_named_dims(curves, tuning):
    goals = datasets.targets(tuning)
    found = datasets.time_to_target(curves, goals)
    assert set(found.seconds.dims) == {"method", "workload", "machine", "rate", "seed", "target"}
    place = {"method": "synchronous", "workload": "digits_cnn", "machine": "ethernet_10g", "seed": 2}
    by_hand = arrays.reach(
        curves.test_metric.sel(place).sel(rate="tuned").values,
        curves.seconds.sel(place).values,
        float(goals.sel(workload="digits_cnn", target=2.0)),
    )
    assert float(found.seconds.sel(place).sel(rate="tuned", target=2.0)) == by_hand
    missing = found.seconds.sel({"method": "delayed k=20", "workload": "digits_mlp"})
    assert bool(missing.isnull().all())


def test_diverged_runs_reach_nothing_and_end_as_they_began(curves, tuning):
    place = {
        "method": "synchronous",
        "workload": "digits_cnn",
        "machine": "ethernet_10g",
        "rate": "tuned",
        "seed": 0,
    }
    curves.diverged_at.loc[place] = 17.0
    found = datasets.time_to_target(curves, datasets.targets(tuning))
    assert bool(np.isinf(found.seconds.sel(place)).all())
    assert float(datasets.final(curves).sel(place)) == float(curves.test_metric.sel(place).isel(point=0))


def test_speed_up_on_named_dims_is_that_of_the_arrays(curves, tuning):
    goals = datasets.targets(tuning)
    found = datasets.speed_up(curves, "backup_workers b=4", "synchronous", goals)
    assert found.estimate.dims == ("workload", "machine", "target", "part")
    whole = found.estimate.sel(part="total")
    product = found.estimate.sel(part="updates") * found.estimate.sel(part="seconds_per_update")
    np.testing.assert_allclose(whole, product, rtol=1e-12)
    easy = found.sel(workload="digits_mlp", machine="ethernet_10g", target=4.0)
    assert int(easy.n) == 5
    assert float(easy.low.sel(part="total")) > 1


def test_staleness_effects(curves):
    error = datasets.error(datasets.final(curves), curves)
    slope = datasets.over_seeds(datasets.slopes(datasets.by_parameter(error, "delayed k=")))
    assert float(
        slope.estimate.sel(workload="digits_cnn", machine="ethernet_10g", rate="tuned")
    ) == pytest.approx(0.002, rel=0.1)
    assert bool(slope.estimate.sel(workload="digits_mlp").isnull().all())


def test_an_unknown_method_is_refused_with_the_nearest(tuning):
    with pytest.raises(InputError, match="mini_batch"):
        datasets.targets(tuning, baseline="minibatch")
