"""What `rebuttal profile` measures and writes, and what is refused before anything is written."""

import contextlib
import json
import time
from types import SimpleNamespace

import device_costs
import pytest
import torch

from rebuttal import workloads
from rebuttal.base import host_lease
from rebuttal.base.errors import InputError
from rebuttal.machines import costs
from rebuttal.replaying import probe
from rebuttal.studies.runs import device_profile as studies_profiling
from rebuttal.studies.runs.device_profile import profile_device
from rebuttal.workloads import layer_costs, timing
from rebuttal.workloads.quadratic import Quadratic

NAMES = ("digits_mlp", "digits_cnn")
# One gradient's layers, timed inside it, add up to one gradient, but for the marks and a busy machine.
FACTOR = 4
QUIET = {"supports_timing": True, "why_not": []}
BUSY = {"supports_timing": False, "why_not": ["contended: other programs used 1.9 of 2 cores"]}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file by the clock of this process: what others do on the machine is in none of its parts."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(timing, "time", SimpleNamespace(perf_counter=time.process_time))
        patch.setattr(host_lease.Lease, "about", lambda _: QUIET)
        return profile_device("made_here", 1, NAMES)


@pytest.fixture
def quick(monkeypatch):
    """Nothing is measured in earnest."""
    monkeypatch.setattr(layer_costs, "SIZES", (1, 4))
    monkeypatch.setattr(
        studies_profiling.layer_costs,
        "profile",
        lambda workload, _, threads: device_costs.entry(workload) | {"training_size": threads},
    )
    monkeypatch.setattr(
        studies_profiling, "measure_samples", lambda _: SimpleNamespace(seconds=device_costs.LOOP)
    )
    monkeypatch.setattr(host_lease.Lease, "about", lambda _: QUIET)


def seconds(measured: costs.WorkloadCosts, size: int) -> float:
    """The lower quartile of one gradient: a busy machine makes gradients slower, never quicker."""
    return measured.batches[size].gradient_s.q25


def test_the_file_says_what_was_measured_on_what_and_when(path):
    assert path.parts[-3:] == ("reference", "devices", "made_here.json")
    found = costs.read_profile(path)
    assert found.name == "made_here"
    assert (found.device["kind"], found.device["threads"]) == ("cpu", 1)
    assert found.device["timing"] == {"exclusive": True} | QUIET
    assert "load_average" not in found.device  # of a moment; `timing` is about all of them
    assert found.versions["torch"]
    assert found.repeats == layer_costs.REPEATS
    assert time.strptime(found.date, "%Y-%m-%d")
    assert set(found.workloads) == set(found.executors) == set(NAMES)
    costs.check_evidence(path)


def test_every_layer_costs_time_in_both_directions_at_every_size(path):
    for name, entry in costs.read_profile(path).workloads.items():
        assert [layer.name for layer in entry.layers] == [layer.name for layer in workloads.load(name).layers]
        assert sum(layer.parameters for layer in entry.layers) == entry.parameters
        assert entry.weight_bytes == 4 * entry.parameters
        assert entry.update_s.median > 0
        assert tuple(sorted(entry.batches)) == layer_costs.SIZES
        spreads = [s for b in entry.batches.values() for c in b.layers for s in (c.forward_s, c.backward_s)]
        assert all(0 < s.q25 <= s.median <= s.q75 for s in spreads)
        assert all(layer_costs.LEAST_REPEATS <= s.repeats <= layer_costs.REPEATS for s in spreads)


def test_layers_add_up_to_the_whole_gradient(path):
    for entry in costs.read_profile(path).workloads.values():
        for batch in entry.batches.values():
            layers_s = sum(layer.forward_s.q25 + layer.backward_s.q25 for layer in batch.layers)
            assert 1 / FACTOR < layers_s / batch.gradient_s.q25 < FACTOR


def test_a_larger_batch_costs_more(path):
    for measured in costs.read_profile(path).workloads.values():
        assert seconds(measured, 1024) > seconds(measured, 8)


def test_executors_are_probed_at_several_numbers_of_samples(path):
    for by_samples in costs.read_profile(path).executors.values():
        assert tuple(by_samples) == probe.SAMPLES
        assert all(set(rows) == {"loop", "layered", "compiled"} for rows in by_samples.values())


def test_sizes_end_where_a_gradient_takes_long(monkeypatch):
    def ends(sample_s):
        monkeypatch.setattr(layer_costs.timing, "gradient_s", lambda _, __, x, *___: len(x) * sample_s)
        return max(layer_costs._sized(workloads.load("quadratic"), torch.nn.Sequential(), layer_costs.SIZES))

    assert ends(0.1) == 8
    assert ends(0.01) == 64  # of 256 samples it would take 2.56 s
    assert ends(0.005) == 256
    assert ends(0.001) == 1024


def test_slow_sizes_are_measured_less_often_evenly_over_the_rounds(monkeypatch):
    assert [layer_costs._repeats(s, 25) for s in (1e-4, 0.02, 0.05, 2.0)] == [25, 25, 10, 5]
    taken = []
    monkeypatch.setattr(layer_costs, "_once", lambda _, __, x, *___: taken.append(len(x)) or (None, 0.0))
    found = layer_costs._measured(workloads.load("quadratic"), torch.nn.Sequential(), {1: 6, 2: 2})
    assert {size: len(rows) for size, rows in found.items()} == {1: 6, 2: 2}
    assert taken == [1, 1, 1, 2, 1, 1, 1, 2]


def test_a_large_gradient_is_served_by_the_loop_alone(monkeypatch):
    monkeypatch.setattr(probe, "_per_gradient_s", lambda *_: 0.04)
    assert probe.measure_samples(workloads.load("digits_mlp"), (1, 4)).seconds == {
        1: {"loop": {1: 0.04}},
        4: {"loop": {1: 0.04}},
    }
    monkeypatch.setattr(probe, "_per_gradient_s", lambda *_: 0.3)
    assert list(probe.measure_samples(workloads.load("digits_mlp"), (1, 4)).seconds) == [1]


def test_work_before_all_parameters_has_no_backward():
    workload = workloads.load("digits_cnn")
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    measured = timing.layers_s(workload, model, *timing.samples(workload, 8))
    assert measured[0, 1] == 0
    assert (measured[:, 0] > 0).all()
    assert measured[1, 1] > 0


def test_a_batch_may_exceed_the_training_set():
    workload = Quadratic([1.0, 2.0], samples=3)
    x, _ = timing.samples(workload, 7)
    assert torch.equal(x[3:6], x[:3])
    assert "7" in layer_costs.profile(workload, "cpu", [7])["batches"]


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with timing.threads(1):
        assert torch.get_num_threads() == 1
    with contextlib.suppress(ZeroDivisionError), timing.threads(1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_the_identity_has_the_threads_that_were_measured_with(project, quick, monkeypatch):
    monkeypatch.setattr(studies_profiling, "cores", lambda: 4)
    found = costs.read_profile(profile_device("made_here", 3, ["quadratic"]))
    assert found.device["threads"] == 3
    assert found.workloads["quadratic"].training_size == 3  # with which it was measured


def test_named_workloads_are_added_to_a_file_of_the_same_device(project, quick, monkeypatch):
    profile_device(workloads=["quadratic"])
    monkeypatch.setattr(host_lease.Lease, "about", lambda _: BUSY)
    path = profile_device(workloads=["hinge"])
    found = costs.read_profile(path)
    assert set(found.workloads) == set(found.executors) == {"quadratic", "hinge"}
    with pytest.raises(InputError, match="contended"):
        costs.check_evidence(path)
    monkeypatch.setattr(host_lease.Lease, "about", lambda _: QUIET)
    profile_device(workloads=["digits_mlp"])
    with pytest.raises(InputError, match="contended"):  # what others disturbed is still in the file
        costs.check_evidence(path)
    monkeypatch.setattr(studies_profiling, "cores", lambda: 4)
    with pytest.raises(InputError, match=r"^here\.json: threads: got 1; allowed: 2, or another name"):
        profile_device(threads=2, workloads=["digits_mlp"])


def test_executors_alone_leave_every_cost_as_it_is(project, quick):
    path = profile_device(workloads=["quadratic", "hinge"])
    whole = json.loads(path.read_text())
    whole["executors"]["quadratic"] = {"1": {"loop": {"1": 7.0}}}
    path.write_text(json.dumps(whole))
    profile_device(workloads=["quadratic"], executors_alone=True)
    again = json.loads(path.read_text())
    assert again["executors"]["quadratic"] != whole["executors"]["quadratic"]
    assert {**again, "executors": None} == {**whole, "executors": None}
    assert again["executors"]["hinge"] == whole["executors"]["hinge"]
    with pytest.raises(InputError, match=r"^workload: got 'digits_mlp'; allowed: .*quadratic"):
        profile_device(workloads=["digits_mlp"], executors_alone=True)
    assert json.loads(path.read_text()) == again


def test_a_workload_that_was_disturbed_is_measured_again(project, quick, monkeypatch, capsys):
    told = [BUSY, QUIET, QUIET, BUSY, BUSY, BUSY]
    monkeypatch.setattr(host_lease.Lease, "about", lambda _: told.pop(0))
    costs.check_evidence(profile_device(workloads=["quadratic", "hinge"]))
    assert capsys.readouterr().err.count("quadratic again, since it was disturbed") == 1
    with pytest.raises(InputError, match="contended"):
        costs.check_evidence(profile_device("busy", 1, ["quadratic"]))
    assert told == []


def test_all_workloads_whose_data_are_there_are_measured(project, quick, monkeypatch, capsys):
    monkeypatch.setattr(studies_profiling, "NAMES", ("quadratic", "mnist_cnn"))
    (project / "params.yaml").write_text("data_root: nowhere\ndevice: cpu\n")
    assert set(costs.read_profile(profile_device()).workloads) == {"quadratic"}
    said = capsys.readouterr().err
    assert "without mnist_cnn" in said
    assert "profile: quadratic, 1 of 1" in said


def test_the_workloads_of_a_papers_own_are_written_beside_it(project, quick):
    folder = project / "papers" / "my-paper"
    folder.mkdir(parents=True)
    (project / "letters.txt").write_text("".join(chr(97 + n * n % 26) for n in range(5_000)))
    study = {"sizes": {"all": {"workloads": ["digits_mlp"]}, "full": {"workloads": ["text:letters.txt"]}}}
    (folder / "study.yaml").write_text(json.dumps(study))
    path = profile_device(paper="my-paper")
    assert path == folder / "own" / "costs.json"
    found = costs.read_profile(path)
    assert (found.name, list(found.workloads)) == ("my-paper", ["text:letters.txt"])
    with pytest.raises(InputError, match="did you mean 'my-paper'"):
        profile_device(paper="my-papr")
    (folder / "study.yaml").write_text("sizes: {}")
    with pytest.raises(
        InputError, match=r"^paper: got 'my-paper'; allowed: one whose study\.yaml names workloads"
    ):
        profile_device(paper="my-paper")


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("workload", {"workloads": ["digits_mpl"]}),
        ("data_root", {"workloads": ["mnist_cnn"]}),
        ("name", {"name": "a/b"}),
        ("threads", {"threads": 0}),
        ("threads", {"threads": 10_000}),
        ("paper", {"paper": "none"}),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(project, key, given):
    with pytest.raises(InputError, match=f"^{key}: got"):
        profile_device(**({"workloads": ["quadratic"]} | given))
    assert [path.name for path in project.iterdir()] == ["dvc.yaml"]


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("batch sizes", {"sizes": []}),
        ("batch sizes", {"sizes": [32, 0]}),
        ("batch sizes", {"sizes": ["32"]}),
        ("repeats", {"repeats": 4}),
        ("device", {"device": "gpu"}),
    ],
)
def test_how_it_cannot_be_measured_is_refused(key, given):
    with pytest.raises(InputError, match=f"^{key}: got"):
        layer_costs.profile(Quadratic([1.0], samples=3), **({"device": "cpu"} | given))


def test_a_file_replaces_the_old_one_at_once(path, tmp_path, monkeypatch):
    file = tmp_path / "costs.json"
    file.write_bytes(path.read_bytes())

    def killed(source, target):
        assert json.loads(source.read_text())["new"]  # complete before it takes the name
        assert target.read_bytes() == path.read_bytes()
        raise KeyboardInterrupt

    monkeypatch.setattr("rebuttal.base.atomic_write.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        layer_costs.write(file, {"new": 1})
    assert file.read_bytes() == path.read_bytes()
