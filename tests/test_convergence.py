"""Checks of a study as a whole: stale gradients against fresh ones in epochs, and what more tuning would gain."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import xarray as xr

from rebuttal.evidence import budget_verdicts, expected_best, reference_convergence
from rebuttal.evidence.error_rates import ErrorRateSetting, studies
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.compare_rule import Compare


def study(effect, seeds=5, staleness=(3.0, 0.0)):
    """Two studies of a stale method and a fresh one: the true ratio of epochs to the target is exp(effect / 10)."""
    made = studies(ErrorRateSetting("ratio", effect, seeds=seeds, studies=2))
    curves = made.curves.assign_coords(epoch=made.curves.seconds)
    dims = ("method", "workload", "machine", "seed")
    stale = np.broadcast_to(np.reshape(staleness, (2, 1, 1, 1)), [curves.sizes[dim] for dim in dims])
    summaries = xr.Dataset({"staleness_max": (dims, stale)}, {"method": curves.method})
    tuning = made.tuning.assign(validation_metric=made.tuning.validation_metric * 2)  # the target stays 0.4
    return replace(made, curves=curves, summaries=summaries, tuning=tuning)


def test_stale_gradients_that_need_fewer_epochs_are_suspect():
    found = reference_convergence.checks(study(effect=-8.0))
    assert [(one.method, one.reference, one.suspect) for one in found] == [
        ("method v=0", "baseline", True)
    ] * 2
    assert all(one.ratio == pytest.approx(np.exp(-0.8), rel=0.2) for one in found)


@pytest.mark.parametrize("effect", [0.0, 8.0])
def test_as_many_or_more_epochs_are_not_suspect(effect):
    assert [one.suspect for one in reference_convergence.checks(study(effect))] == [False, False]


def test_nothing_is_checked_without_stale_methods_a_reference_or_five_seeds():
    assert reference_convergence.checks(study(-8.0, staleness=(0.0, 0.0))) == []
    assert reference_convergence.checks(study(-8.0, staleness=(3.0, 3.0))) == []
    assert reference_convergence.checks(study(-8.0, seeds=4)) == []


LOSSES = (0.9, 0.3, 0.5, np.nan)  # the last rate diverged
ERRORS = (0.40, 0.10, 0.12, np.nan)


def tuned(losses=LOSSES, errors=ERRORS):
    """The tuning of one method with two seeds at four rates."""
    dims = ("method", "workload", "machine", "learning_rate", "seed")
    shape = (1, 1, 1, len(losses), 1)
    pair = [
        np.broadcast_to(np.reshape(one, shape), (*shape[:-1], 2)) for one in (losses, 1 - np.array(errors))
    ]
    values = {"validation_loss": (dims, pair[0]), "validation_metric": (dims, pair[1]),
              "diverged": (dims, np.isnan(pair[0]).astype(float))}  # fmt: skip
    return xr.Dataset(values, {"method": ["m"], "workload": ["w"], "machine": ["h"]})


def test_the_expected_error_of_the_best_of_n_is_that_of_all_subsets():
    found = expected_best.best_of_n(tuned()).squeeze(drop=True)
    for n in (1, 2, 3, 4):
        finite = [[i for i in some if np.isfinite(LOSSES[i])] for some in combinations(range(4), n)]
        best = [ERRORS[min(some, key=LOSSES.__getitem__)] for some in finite if some]
        assert float(found.sel(trials=n)) == pytest.approx(np.mean(best))


def test_more_trials_never_raise_the_expected_error_where_loss_and_error_agree():
    found = expected_best.best_of_n(tuned(errors=(0.4, 0.1, 0.2, np.nan))).squeeze(drop=True).values
    assert (np.diff(found) <= 0).all()
    assert found[-1] == pytest.approx(0.1)


def test_a_method_that_diverged_everywhere_has_no_best():
    nothing = (np.nan,) * 4
    assert bool(expected_best.best_of_n(tuned(nothing, nothing)).isnull().all())


# --- verdicts at other tuning budgets ---------------------------------------------------------------------------


def compared(better="higher", margin=0.0, **more):
    """A rule on the accuracy of m against that of k."""
    given = {"kind": "compare", "what": "final_test_metric", "of": ["m"], "against": ["k"]}
    return Compare.model_validate(given | {"better": better, "margin": margin} | more)


def two_tuned(first, second):
    """Results with the tuning of m and of k, whose losses are their errors."""
    pair = [
        tuned(errors, errors).assign_coords(method=[name]) for errors, name in ((first, "m"), (second, "k"))
    ]
    tuning = xr.concat(pair, "method")
    curves = xr.Dataset(attrs={"clock": "modelled"}, coords=tuning[["method", "workload", "machine"]].coords)
    return Results("nowhere", curves, tuning, xr.Dataset())  # pyright: ignore[reportArgumentType]


def test_the_share_of_choices_is_that_of_all_subsets_that_both_sides_try():
    first, second = (0.4, 0.1, 0.3), (0.2, 0.35, 0.15)
    (found,) = budget_verdicts.at_budgets(compared(), two_tuned(first, second))
    for n in (1, 2, 3):
        tried = combinations(zip(first, second, strict=True), n)
        pairs = [tuple(map(min, zip(*some, strict=True))) for some in tried]
        assert found.supporting[n - 1] == pytest.approx(np.mean([one < other for one, other in pairs]))
        assert found.contradicting[n - 1] == pytest.approx(np.mean([one > other for one, other in pairs]))
    assert found.words == ("cannot tell", "cannot tell", "supported")


@pytest.mark.parametrize(
    ("better", "margin", "status"),
    [("lower", 0.0, "contradicted"), ("equal", 0.2, "supported"), ("equal", 0.01, "contradicted"),
     ("higher", 0.2, "contradicted"), ("higher", -0.2, "supported")],
)  # fmt: skip
def test_the_margin_and_the_direction_are_those_of_the_rule(better, margin, status):
    (found,) = budget_verdicts.at_budgets(compared(better, margin), two_tuned((0.1, 0.9), (0.2, 0.9)))
    assert found.words[-1] == status


def test_only_comparisons_of_accuracies_and_losses_at_tuned_rates_have_budgets():
    assert budget_verdicts.applies(compared())
    assert not budget_verdicts.applies(compared(rate="shared"))
    times = Compare(
        kind="compare", what="seconds_to_target", of=["m"], against=["k"], better="lower", margin=[1.0]
    )
    assert not budget_verdicts.applies(times)


def test_a_rate_that_diverged_is_never_the_best_and_all_of_them_say_nothing():
    (left,) = budget_verdicts.at_budgets(compared(), two_tuned((np.nan, 0.1), (0.05, 0.3)))
    assert left.supporting[0] == 1.0  # the second rate alone, since the first says nothing
    assert left.contradicting[1] == 1.0
    nothing = two_tuned((np.nan, np.nan), (0.2, 0.3))
    assert budget_verdicts.at_budgets(compared(), nothing) == []
