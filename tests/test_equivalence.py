"""Weights of forms beside those of mini-batch SGD: rounding where they must be equal, and more where they must not."""

import numpy as np
import pytest
import synthetic_layer_wise

from rebuttal.figures import same_weights as chart
from rebuttal.studies.analyses import equivalence

SAME = ("layer_wise_asynchronous", {"lazy": True})
LATE = ("delayed_all_reduce", {"k": 1})
SEQUENTIAL = ("delayed_layer_wise", {"k": 0})


@pytest.fixture(scope="module")
def found():
    """Two forms without delay and one with, one seed, on a small perceptron."""
    return equivalence.equivalence([0], {"digits_mlp": (SAME, SEQUENTIAL, LATE)}).squeeze(
        ["workload", "seed"]
    )


def at(found, label):
    return found.sel({"form": label})


@pytest.mark.parametrize("label", ["layer_wise_asynchronous lazy=true", "delayed_layer_wise k=0"])
def test_a_form_without_delay_differs_by_rounding_and_rounding_shrinks_with_the_precision(found, label):
    far = at(found, label).relative_difference
    assert (far < found.bound).all()
    assert 0 < far.sel(dtype="float64").max() < 1e-6 * far.sel(dtype="float32").max()


def test_a_delayed_form_is_another_algorithm_in_any_precision(found):
    far = at(found, "delayed_all_reduce k=1").relative_difference
    assert (
        far.sel(update=1) < found.bound
    ).all()  # the first update is of the first gradient, delayed or not
    later = far.sel(update=[5, 20])
    assert (later > 0.01).all()
    np.testing.assert_allclose(later.sel(dtype="float32"), later.sel(dtype="float64"), rtol=1e-3)


def test_the_way_travelled_is_what_differences_are_measured_by(found):
    far = at(found, "delayed_all_reduce k=1").sel(dtype="float64", update=20)
    way = float(far.largest_difference / far.relative_difference)
    assert 0.001 < way < 10


def test_equal_runs_have_no_difference_at_all():
    from rebuttal.replaying.weight_distance import Values, distances

    one = equivalence._rehearsal(equivalence.method("mini_batch", shards=2), 1, "digits_mlp", 0)
    values = Values("digits_mlp", "float32", 0, 4, 0.02, equivalence.RULE)
    for part in distances(one, [one], (1, 20), values):
        np.testing.assert_array_equal(part, [[0.0, 0.0]])


def test_the_finding_counts_who_keeps_within_half_of_the_digits():
    made = synthetic_layer_wise.equivalence(equivalence.blank([0, 1], equivalence.WORKLOADS))
    text = chart.finding(made)
    assert text.startswith("6 of 8 forms keep within half of the digits of both precisions.")
    assert "That of the others is at least" in text
    assert text.endswith(": delayed all-reduce (1 update late); delayed layer-wise training (1 update late).")


def test_a_form_that_was_not_run_on_a_workload_is_not_drawn_there():
    made = synthetic_layer_wise.equivalence(equivalence.blank([0], equivalence.WORKLOADS))
    made = made.where(~((made.workload == "pydoc_transformer") & (made.form == "layer_wise")))
    rows = chart.rows(made)
    forms = {name: set(part["form"]) for name, part in rows.groupby("workload")}
    assert forms["digits_deep"] - forms["pydoc_transformer"] == {"layer_wise"}
