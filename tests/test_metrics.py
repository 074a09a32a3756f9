"""A metric that falls as the model learns, through statistics, verdicts, charts and result files."""

import dataclasses
import json

import numpy as np
import pytest
import synthetic_results
import xarray as xr

from rebuttal import figures
from rebuttal.base.errors import InputError
from rebuttal.core import metrics, results
from rebuttal.evidence import datasets, quantities, result_files, verdicts
from rebuttal.evidence.papers import Evidence
from rebuttal.evidence.rules.compare_rule import Compare

FALLS = {"digits_cnn": metrics.Metric("bits per dimension", lower_is_better=True)}
PLACE = {"workload": "digits_cnn"}


def mirrored(data: xr.Dataset) -> xr.Dataset:
    """The same runs, but for a workload whose metric is now 5 minus twice the accuracy, and falls."""
    changed = data.copy(deep=True)
    for name in ("test_metric", "validation_metric"):
        if name in changed:
            changed[name].loc[PLACE] = 5 - 2 * changed[name].loc[PLACE]
    return changed.assign_attrs({metrics.ATTRIBUTE: metrics.attribute(FALLS)})


@pytest.fixture(scope="module")
def rising(tmp_path_factory):
    return result_files.read(synthetic_results.write(tmp_path_factory.mktemp("rising")))


@pytest.fixture(scope="module")
def data(rising):
    return dataclasses.replace(rising, curves=mirrored(rising.curves), tuning=mirrored(rising.tuning))


def test_targets_lie_above_the_best_and_the_last_is_the_best(data):
    goals = datasets.targets(data.tuning).sel(PLACE)
    best = datasets.at_best_rate(data.tuning).sel(PLACE).mean(["seed", "machine"])
    least = float(best.sel({"method": datasets.family(data.tuning, "mini_batch")}).min())
    assert float(goals.sel(target=1.0)) == least
    assert float(goals.sel(target=3.0)) == pytest.approx(1.2 * least)
    assert (np.diff(goals.sortby("target").values) > 0).all()


def test_a_target_is_reached_when_the_mirrored_accuracy_would_be(rising, data):
    accuracy = xr.DataArray([[0.9], [0.9]], dims=("workload", "target"),
                            coords={"workload": rising.curves.workload, "target": [1.0]})  # fmt: skip
    goals = accuracy.copy()
    goals.loc[PLACE] = 5 - 2 * accuracy.loc[PLACE]
    expected, found = (datasets.time_to_target(one.curves, goal) for one, goal in
                       ((rising, accuracy), (data, goals)))  # fmt: skip
    np.testing.assert_allclose(found.seconds.values, expected.seconds.values, rtol=1e-9)
    assert np.isfinite(found.seconds.sel(PLACE)).any()


def test_errors_are_the_falling_metric_itself_and_the_rest_as_before(rising, data):
    ends = datasets.final(data.curves)
    found = datasets.error(ends, data.curves)
    xr.testing.assert_equal(found.sel(PLACE), ends.sel(PLACE))
    before = datasets.error(datasets.final(rising.curves), rising.curves)
    np.testing.assert_array_equal(found.sel(workload="digits_mlp"), before.sel(workload="digits_mlp"))
    np.testing.assert_array_equal(before, 1 - datasets.final(rising.curves))


def test_the_best_variant_is_the_one_with_the_fewest_bits(data):
    labels = [f"backup_workers b={b}" for b in (1, 2, 4)]
    best = quantities.best_of(data, labels, "final_test_metric", "tuned", 3.0).sel(PLACE, drop=True)
    ends = datasets.final(data.curves, "validation_metric").sel({"rate": "tuned", "method": labels, **PLACE})
    assert best.values.tolist() == [
        labels[at] for at in ends.mean("seed").transpose("machine", "method").values.argmin(1)
    ]


def evidence(**rule):
    given = {"kind": "compare", "what": "final_test_metric", "of": ["synchronous"], "against": ["asynchronous"],
             "better": "higher", "margin": 0.0}  # fmt: skip
    return Evidence(explain="a test", figure="convergence", rule=Compare.model_validate(given | rule))


def test_a_rule_on_accuracies_leaves_out_what_has_none_and_says_so(data):
    found = verdicts.judge(evidence(), data)
    assert {part.where.split(",")[0] for part in found.parts} == {"digits_mlp"}
    assert found.found.conditions.endswith("not on digits_cnn, which have no accuracy")
    with pytest.raises(
        InputError, match=r"rule.what on digits_cnn: got 'final_test_metric'; allowed: final_test"
    ):
        verdicts.judge(evidence(workloads=["digits_cnn"]), data)


@pytest.mark.parametrize("what", ["final_test_loss", "seconds_to_target"])
def test_other_rules_are_on_all_workloads(data, what):
    found = verdicts.judge(evidence(what=what, better="lower", margin=1.0), data)
    assert {part.where.split(",")[0] for part in found.parts} == {"digits_mlp", "digits_cnn"}


@pytest.mark.parametrize("figure", ["convergence", "time_to_target", "staleness_error", "softsync_clipping"])
def test_charts_name_the_metric(data, figure):
    needs = {"curves": data.curves, "tuning": data.tuning, "targets": datasets.targets(data.tuning)}
    panels = figures.panels(figure, *(needs[need] for need in figures.figure(figure).needs))
    drawn = {panel.title: json.dumps(panel.chart.to_dict()) for panel in panels}
    about = {name: text for name, text in drawn.items() if "seconds to the target" not in name}
    assert {"bits per dimension" in text for title, text in about.items() if "CNN" in title} == {True}
    assert {"bits per dimension" in text for title, text in about.items() if "MLP" in title} <= {False}


def test_a_metric_above_one_is_kept_where_it_falls_and_refused_where_it_is_an_accuracy(data, tmp_path):
    path = tmp_path / "study/tuning/mini_batch.nc"
    kept = mirrored(xr.load_dataset(data.folder / "tuning/mini_batch.nc", engine="h5netcdf"))
    results.save(kept, path)
    assert float(results.load_tuning(tmp_path / "study").validation_metric.max()) > 1
    results.save(kept.assign_attrs({metrics.ATTRIBUTE: "{}"}), path)
    with pytest.raises(InputError, match="validation_metric: got a value outside"):
        results.load_tuning(tmp_path / "study")


def test_targets_of_a_large_error_go_up_in_steps_and_stay_accuracies(rising):
    hard = {"digits_cnn": metrics.Metric(large_error=True)}
    tuning = rising.tuning.assign_attrs({metrics.ATTRIBUTE: metrics.attribute(hard)})
    stepped, times = datasets.targets(tuning), datasets.targets(rising.tuning)
    least = 1 - times.sel(PLACE).sel(target=1.0)
    np.testing.assert_allclose(stepped.sel(PLACE).sel(target=3.0), 1 - 1.2 * least)
    others = {"workload": [name for name in tuning.workload.values if name != "digits_cnn"]}
    xr.testing.assert_identical(stepped.sel(others), times.sel(others))
    assert metrics.in_steps(tuning.attrs, ["digits_cnn"]) == [True]
    assert metrics.falling(tuning.attrs, ["digits_cnn"]) == [False]
