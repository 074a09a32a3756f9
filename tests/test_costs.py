"""Costs read back from a device's file, and what is refused of it."""

import copy
import json
from types import SimpleNamespace
from typing import Any

import device_costs
import pytest

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.core import metrics
from rebuttal.core.update_rules import SGD
from rebuttal.machines import costs
from rebuttal.machines.costs import Costs
from rebuttal.simulation.simulate import simulate
from rebuttal.studies.params import Study, Variant
from rebuttal.studies.runs import estimate, provenance, study_costs
from rebuttal.studies.runs.provenance import costs_device

NAMES = ("digits_mlp", "digits_cnn")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return device_costs.write_file(tmp_path_factory.mktemp("costs") / "new" / "made_up.json", NAMES)


@pytest.fixture
def content(path):
    return json.loads(path.read_text())


@pytest.fixture
def broken(content, tmp_path):
    """Writes a file with one value changed (or removed) and returns its path."""

    def write(keys, value=None):
        changed = copy.deepcopy(content)
        part = changed
        for key in keys[:-1]:
            part = part[key]
        if value is None:
            del part[keys[-1]]
        else:
            part[keys[-1]] = value
        file = tmp_path / "broken.json"
        file.write_text(json.dumps(changed))
        return file

    return write


def seconds(costs: Costs, size: int) -> float:
    return sum(costs.forward_s[size]) + sum(costs.backward_s[size])


def test_a_measured_size_is_the_sum_of_its_layers(path, content):
    measured = Costs.read(path, "digits_cnn", 8)
    layers = content["workloads"]["digits_cnn"]["batches"]["32"]["layers"]
    expected = sum(layer[way]["median"] for layer in layers for way in ("forward_s", "backward_s"))
    assert measured.gradient_s(4) == pytest.approx(expected)
    assert measured.layer_names == tuple(
        layer["name"] for layer in content["workloads"]["digits_cnn"]["layers"]
    )
    assert measured.update_s == content["workloads"]["digits_cnn"]["update_s"]["median"]


def test_between_measured_sizes_it_is_linear(path):
    measured = Costs.read(path, "digits_mlp", 8)
    quarter = 0.75 * seconds(measured, 8) + 0.25 * seconds(measured, 16)
    assert measured.gradient_s(1) == pytest.approx(seconds(measured, 8))
    assert Costs.read(path, "digits_mlp", 10).gradient_s(1) == pytest.approx(quarter)
    forward_s, backward_s = measured.layers_s(3)
    assert len(forward_s) == len(backward_s) == len(measured.layer_names)


@pytest.mark.parametrize(("batch", "batches"), [(8, 129), (1025, 1), (8, 0)])
def test_nothing_is_extrapolated(path, batch, batches):
    with pytest.raises(InputError, match="1 to 1024 samples"):
        Costs.read(path, "digits_mlp", batch).gradient_s(batches)


def test_an_unmeasured_workload_is_refused_with_the_nearest_and_a_way_out(path):
    with pytest.raises(InputError) as refused:
        Costs.read(path, "digits_mpl", 8)
    line = str(refused.value)
    assert line.startswith("costs: got workload 'digits_mpl'; allowed: one that ")
    for said in (
        "made_up.json has",
        "`rebuttal profile`",
        "device_costs: here",
        "`rebuttal profile --paper ID`",
    ):
        assert said in line
    assert line.endswith("did you mean 'digits_mlp'?")
    assert "\n" not in line


def test_the_first_file_that_has_a_workload_is_read(path, tmp_path):
    own = device_costs.write_file(tmp_path / "own.json", ("digits_mlp", "quadratic"))
    assert Costs.read([path, own], "quadratic", 4).workload == "quadratic"
    assert Costs.read([path, own], "digits_mlp", 4) == Costs.read(path, "digits_mlp", 4)
    with pytest.raises(InputError, match=r"one that .*made_up\.json and .*own\.json has"):
        Costs.read([path, own], "max_abs", 4)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["schema"], 2),
        (["schema"], None),
        (["name"], None),
        (["device"], None),
        (["repeats"], 0),
        (["workloads"], {}),
        (["workloads", "digits_mlp", "parameters"], 0),
        (["workloads", "digits_mlp", "batches"], {"many": {}}),
        (["workloads", "digits_mlp", "batches", "8", "layers"], []),
        (["workloads", "digits_mlp", "batches", "8", "layers", 0, "forward_s", "median"], -1.0),
        (["workloads", "digits_mlp", "batches", "8", "layers", 0, "forward_s", "median"], float("nan")),
        (["workloads", "digits_mlp", "batches", "8", "layers", 0, "backward_s"], None),
        (["workloads", "digits_mlp", "update_s"], "fast\nand good"),
        (["workloads", "digits_mlp", "extra"], 1),
        (["executors", "digits_mlp", "1", "loop", "1"], 0.0),
    ],
)
def test_a_broken_file_is_refused_in_one_line_that_names_the_key(broken, keys, value):
    with pytest.raises(InputError) as refused:
        Costs.read(broken(keys, value), "digits_mlp", 8)
    line = str(refused.value)
    assert "\n" not in line
    assert len(line) < 400
    assert "broken.json" in line
    assert all(str(key) in line for key in keys[:3])


def test_executors_without_the_loop_are_refused(broken):
    with pytest.raises(InputError, match=r"no seconds of the loop in executors\.digits_mlp\.1"):
        costs.read_profile(broken(["executors", "digits_mlp", "1", "loop"]))


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01"])
def test_a_file_of_something_else_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "costs.json").write_text(text)
    with pytest.raises(InputError) as refused:
        costs.read_profile(tmp_path / "costs.json")
    assert "\n" not in str(refused.value)
    assert "costs.json" in str(refused.value)


def test_a_missing_file_is_refused_with_those_that_are_there(path):
    with pytest.raises(
        InputError, match=r"got no file .*made_pu\.json; allowed: one of made_up; `rebuttal profile`"
    ):
        costs.read_profile(path.with_name("made_pu.json"))


def test_seconds_of_a_busy_machine_are_refused_as_evidence(broken, path):
    costs.check_evidence(path)
    busy = {"supports_timing": False, "why_not": ["contended: other programs used 1.9 of 2 cores"]}
    with pytest.raises(InputError) as refused:
        costs.check_evidence(broken(["device", "timing"], busy))
    line = str(refused.value)
    assert (
        "broken.json: got seconds that support no claim (contended: other programs used 1.9 of 2 cores)"
        in line
    )
    assert "\n" not in line


def test_a_run_is_priced_by_the_device_that_the_parameters_name(project):
    (project / "params.yaml").write_text("device_costs: slow_1_thread  # of another machine\n")
    with pytest.raises(InputError, match=r"got no file reference/devices/slow_1_thread\.json"):
        simulate("synchronous", machine="ideal", workers=2, updates=3)
    device_costs.write(project, ["digits_mlp"], name="slow_1_thread")
    run = simulate("synchronous", machine="ideal", workers=2, updates=3, batch=32)
    each = Costs.read(paths.device_costs(), "digits_mlp", 32)
    assert run.updates["time_s"][-1] == pytest.approx(3 * (each.gradient_s(1) + each.update_s), rel=0.01)
    assert costs_device()["costs"] == "slow_1_thread"
    assert costs_device()["date"] == "2026-01-31"


def test_a_paper_brings_the_costs_of_its_own_workloads(project):
    study: Any = SimpleNamespace(paper="layer-wise", batch=8)
    device_costs.write(project, ["digits_mlp"])
    with pytest.raises(InputError, match=r"one that reference/devices/here\.json has"):
        study_costs.costs_of(study, "quadratic")
    own = project / "papers" / "layer-wise" / "own" / "costs.json"
    device_costs.write_file(own, ["quadratic"])
    assert study_costs.costs_of(study, "quadratic").workload == "quadratic"
    assert study_costs.costs_of(study, "digits_mlp").workload == "digits_mlp"
    assert study_costs.files_of(study) == [paths.device_costs(), own]


def test_the_largest_gradient_is_over_all_workers_or_all_shards():
    def variant(options=None, workers=None):
        return SimpleNamespace(options=options or {}, workers=workers)

    study: Any = SimpleNamespace(workers_of=lambda _: 4, variants=[variant()])
    assert study_costs.largest_gradient(study, "digits_mlp") == 4
    study.variants.append(variant({"shards": 16}))
    assert study_costs.largest_gradient(study, "digits_mlp") == 16
    study.variants.append(variant({"m": 2}, workers=32))
    assert study_costs.largest_gradient(study, "digits_mlp") == 32


def small_study(workload):
    """A study of one variant on one workload."""
    variant = Variant("mini_batch", "mini_batch", "mini_batch", {"shards": 2}, SGD(), (workload,), ("ideal",))
    return Study(
        name="mine", profile="ci", workloads=(workload,), machines=("ideal",), workers=2, batch=8, epochs=1, points=3,
        seeds=(0,), tuning_seeds=(100,), learning_rates=(0.1, 0.2), shared_learning_rate=0.1, variants=(variant,),
    )  # fmt: skip


def test_a_metric_is_that_of_the_costs_or_else_of_the_workload_itself(project):
    path = device_costs.write(project, ["digits_mlp"])
    text = path.read_text().replace('"metric": "accuracy"', '"metric": "share"')
    path.write_text(text)
    for workload, said in (("digits_mlp", "share"), ("digits_cnn", "accuracy")):
        found = provenance.of_training(small_study(workload))
        assert metrics.metric_of(found, workload).name == said


def test_provenance_names_the_device_of_the_costs_and_the_host_of_the_values(project):
    device_costs.write(project, ["digits_mlp"], name="here", threads=1)
    found = provenance.provenance(small_study("digits_mlp"), "cpu")
    assert (found["device"]["name"], found["device"]["costs"], found["device"]["date"]) == (
        "synthetic device", "here", "2026-01-31"
    )  # fmt: skip
    assert (found["host"]["kind"], found["host"]["threads"]) == ("cpu", 1)
    assert "load_average" not in found["host"]


def test_an_estimate_is_one_line_and_none_without_costs(project, capsys):
    params: Any = SimpleNamespace(device="cpu", studies={})
    estimate.say_what_is_left(params, small_study("digits_mlp"))
    assert capsys.readouterr().err == ""
    device_costs.write(project, ["digits_mlp"], executors={1: {"loop": {1: 1.0}}})
    estimate.say_what_is_left(params, small_study("digits_mlp"))
    said = capsys.readouterr().err
    assert said.startswith("study mine: about ")
    assert said.count("\n") == 1
    slow = estimate.study_s(params, small_study("digits_mlp"))
    device_costs.write(
        project, ["digits_mlp"], kind="cuda"
    )  # no executors of this kind: the costs' own seconds
    assert estimate.START_S < estimate.study_s(params, small_study("digits_mlp")) < slow
