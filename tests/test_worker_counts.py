"""Few and more workers: what is made of runs whose labels end in a number of workers."""

import numpy as np
import pytest
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.evidence.worker_count_statistics import worker_counts
from rebuttal.figures import few_and_more_workers as chart

SEEDS, POINTS, COUNTS = 5, 11, (2, 8)
#: Accuracy at the end, and seconds of the whole run, by method and number of workers.
ENDS = {
    ("backup_workers b=1", 2): (0.9, 20.0),
    ("backup_workers b=1", 8): (0.9, 10.0),
    ("asynchronous", 2): (0.9, 10.0),
    ("asynchronous", 8): (0.6, 10.0),  # never reaches the target of 0.7
}


def curves():
    """Accuracies that rise evenly from 0; at the shared rate each method ends a tenth lower."""
    labels = [f"{name} workers={count}" for name, count in ENDS]
    dims = ("method", "workload", "machine", "rate", "seed", "point")
    coords = {"method": labels, "workload": ["w"], "machine": ["h"], "rate": ["tuned", "shared"],
              "seed": list(range(SEEDS)), "point": list(range(POINTS))}  # fmt: skip
    along = np.linspace(0, 1, POINTS)
    ends = np.array([[end, end - 0.1] for end, _ in ENDS.values()])[:, None, None, :, None, None]
    metric = np.broadcast_to(ends * along, [len(values) for values in coords.values()])
    seconds = np.array([time for _, time in ENDS.values()])[:, None, None, None, None] * along
    seconds = np.broadcast_to(seconds, [len(coords[dim]) for dim in dims if dim != "rate"])
    data = xr.Dataset({"test_metric": (dims, metric)}, coords)
    data["learning_rate"] = (dims[:4], np.full(metric.shape[:4], 0.1))
    data["diverged_at"] = (dims[:5], np.full(metric.shape[:5], np.nan))
    return data.assign_coords(seconds=([dim for dim in dims if dim != "rate"], seconds))


def summaries():
    """Seconds and staleness, of which a method on N workers has N - 1 updates."""
    labels = [f"{name} workers={count}" for name, count in ENDS]
    dims = ("method", "workload", "machine", "seed")
    stale = np.array([float(count - 1) for _, count in ENDS])
    each = np.broadcast_to(stale[:, None, None, None], (len(labels), 1, 1, SEEDS))
    values = {"seconds_per_update": (dims, np.ones_like(each)), "staleness_mean": (dims, each)}
    coords = {"method": labels, "workload": ["w"], "machine": ["h"], "seed": list(range(SEEDS))}
    return xr.Dataset(values, coords)


def baseline():
    """Mini-batch SGD whose validation accuracy is 0.9: three times its error is 0.3."""
    dims = ("method", "workload", "machine", "learning_rate", "seed")
    values = {
        "validation_metric": (dims, np.full((1, 1, 1, 1, 1), 0.9)),
        "best_learning_rate": (dims[:3], [[[0.1]]]),
    }
    coords = {
        "method": ["mini_batch"],
        "workload": ["w"],
        "machine": ["h"],
        "learning_rate": [0.1],
        "seed": [100],
    }
    return xr.Dataset(values, coords)


@pytest.fixture(scope="module")
def made():
    return worker_counts(curves(), summaries(), baseline()).assign_attrs(clock="modelled")


def test_it_holds_what_its_schema_says(made):
    for name, dims in ANALYSES["worker_counts"].variables.items():
        assert set(made[name].dims) == set(dims), name


def test_a_ratio_of_seconds_is_between_the_two_methods_on_as_many_workers(made):
    assert made.log_time_ratio.sel(workers=2).values == pytest.approx(
        [np.log(2)] * SEEDS
    )  # 0.7 after 7/9 of both


def test_a_run_that_misses_the_target_counts_with_its_end(made):
    missed = made.missed.sel(rate="tuned").sum("seed")
    assert missed.sel({"method": "asynchronous"}).values.tolist() == [0, SEEDS]
    expected = [np.log(10 * 0.7 / 0.9 / 10)] * SEEDS
    assert made.log_time_ratio.sel(workers=8).values == pytest.approx(expected)


def test_where_both_miss_there_is_no_ratio():
    none = curves()
    none["test_metric"] = none.test_metric * 0.5
    found = worker_counts(none, summaries(), baseline())
    assert bool(found.log_time_ratio.isnull().all())


def test_the_gain_in_accuracy_is_against_a_tuned_and_an_untuned_rate(made):
    gains = made.accuracy_gain.mean("seed")
    # the mean of the last three of eleven points of a straight line is nine tenths of its end
    assert gains.sel(against="tuned").values == pytest.approx([0.0, 0.27])
    assert gains.sel(against="shared").values == pytest.approx([0.09, 0.36])


def test_its_figure_draws_every_measure_and_counts_misses(made):
    drawn = list(chart.panels(made))
    assert [one.title for one in drawn] == [title for title, *_ in chart.MEASURES.values()]
    rows = chart.table(made)
    lost = rows[(rows["series"] == "asynchronous") & (rows["measure"] == "seconds")]
    assert lost["missed"].tolist() == [0, SEEDS]
    assert "with 8 workers +0.270" in chart.finding(made)
