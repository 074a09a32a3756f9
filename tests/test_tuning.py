"""Tuning in two rounds: the same number of runs for every variant, and the best rate over all seeds that tried it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from rebuttal.core import results
from rebuttal.core.update_rules import SGD
from rebuttal.studies.params import Study, Variant
from rebuttal.studies.runs import tuning
from rebuttal.studies.runs.setting_curves import RunCurves

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
PLACE = {"workload": "digits_mlp", "machine": "ideal"}


def variant(label: str) -> Variant:
    return Variant("all_reduce", label, "all_reduce", {}, SGD(), ("digits_mlp",), ("ideal",))


def study(*tuning_seeds: int) -> Study:
    return Study(
        name="mine", profile="ci", workloads=("digits_mlp",), machines=("ideal",), workers=2, batch=8, epochs=1,
        points=3, seeds=(0,), tuning_seeds=tuning_seeds, learning_rates=RATES, shared_learning_rate=0.1,
        variants=(variant("a"), variant("b")),
    )  # fmt: skip


@pytest.fixture
def tuned(monkeypatch, tmp_path):
    """Tunes a study whose loss is what a function says of (label, rate, seed); NaN for a run that diverged."""
    asked: list[tuple[str, float, int]] = []

    def tune(about: Study, loss) -> xr.Dataset:
        def curves_of(_params, _study, some, *, seeds, rates, pick, **_) -> dict[tuple, RunCurves]:
            found = {}
            for setting in some:
                label, own = setting.key[0], rates[setting.key]
                asked.extend((label, rate, seed) for seed in seeds for rate in own)
                ends = np.array([[loss(label, rate, seed) for rate in own] for seed in seeds])
                curve = np.repeat(ends[:, :, None], len(pick(100)), axis=2)
                at = np.where(np.isnan(ends), 7.0, np.nan)
                values = {"validation_loss": curve, "validation_metric": 1 - curve / 10}
                found[setting.key] = RunCurves(values, at, np.zeros((len(seeds), 1)), {}, 0.0)
            return found

        monkeypatch.setattr(tuning, "curves_of", curves_of)
        monkeypatch.setattr(tuning, "of_training", lambda *_: {})
        monkeypatch.setattr(results, "save", lambda dataset, _: kept.append(dataset))
        kept: list[xr.Dataset] = []
        parameters: Any = SimpleNamespace(data_root=tmp_path)
        tuning.tune_method(parameters, about, "all")
        return kept[0].assign_attrs(asked=list(asked))

    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    return tune


def valley(best: dict[str, float], luck: dict[tuple[float, int], float] | None = None):
    """A loss that is least at a rate for each label; luck is added to that of a (rate, seed)."""

    def loss(label: str, rate: float, seed: int) -> float:
        return abs(np.log(rate / best[label])) + (luck or {}).get((rate, seed), 0.0)

    return loss


def chosen(found: xr.Dataset) -> list[float]:
    return found.best_learning_rate.sel(PLACE).values.tolist()


def test_one_seed_is_the_whole_grid_once():
    found = tuning.runs_of_each(study(100))
    assert found == len(RATES)


def test_with_one_seed_the_best_of_the_grid_is_taken(tuned):
    found = tuned(study(100), valley({"a": 0.03, "b": 0.3}))
    assert chosen(found) == [0.03, 0.3]
    assert not found.at_edge.values.any()
    assert not np.isnan(found.validation_loss.values).any()


def test_every_variant_has_the_same_number_of_runs_and_they_are_those_that_are_announced(tuned):
    about = study(100, 101, 102)
    found = tuned(about, valley({"a": 0.01, "b": 0.3}))
    runs = [sum(label == name for name, _, _ in found.attrs["asked"]) for label in "ab"]
    assert runs == [tuning.runs_of_each(about)] * 2 == [5 + 3 * 2] * 2
    assert found.diverged.notnull().sum(["learning_rate", "seed"]).values.ravel().tolist() == runs
    assert len(set(found.attrs["asked"])) == sum(runs), "a run was made twice"


def test_the_luck_of_the_first_seed_does_not_decide(tuned):
    luck = {(0.3, 100): -2.0}  # on the first seed the wrong rate seems best
    best = {"a": 0.1, "b": 0.1}
    assert chosen(tuned(study(100), valley(best, luck))) == [0.3, 0.3]
    assert chosen(tuned(study(100, 101, 102, 103), valley(best, luck))) == [0.1, 0.1]


def test_the_second_round_has_the_best_rates_of_the_first(tuned):
    found = tuned(study(100, 101), valley({"a": 0.03, "b": 1.0}))
    later = found.validation_loss.sel({**PLACE, "seed": 101}).notnull().values
    assert later.tolist() == [[True, True, True, False, False], [False, False, True, True, True]]
    assert found.at_edge.sel(PLACE).values.tolist() == [0.0, 1.0]


def test_a_rate_that_diverges_in_the_second_round_is_out(tuned):
    def loss(label: str, rate: float, seed: int) -> float:
        return np.nan if (rate, seed) == (0.1, 101) else valley({"a": 0.1, "b": 0.1})(label, rate, seed)

    found = tuned(study(100, 101), loss)
    assert 0.1 not in chosen(found)
    assert float(found.diverged.sum()) == 2


def test_where_all_diverge_the_smallest_rate_is_taken(tuned):
    found = tuned(study(100, 101), lambda *_: np.nan)
    assert chosen(found) == [RATES[0]] * 2


def test_fewer_rates_than_the_second_round_takes_are_all_in_it(tuned):
    about = replace(study(100, 101), learning_rates=RATES[:2])
    found = tuned(about, valley({"a": 0.01, "b": 0.03}))
    assert not np.isnan(found.validation_loss.values).any()
    assert tuning.runs_of_each(about) == 4
