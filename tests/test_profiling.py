"""The profile stage and the costs that are read back from it."""

import contextlib
import json
import time
from types import SimpleNamespace

import pytest
import torch

from rebuttal import costs, profiling, workloads
from rebuttal.errors import InputError
from rebuttal.workloads import timing
from rebuttal.workloads.quadratic import Quadratic

SIZES = (8, 32, 512)
NAMES = ("digits_mlp", "digits_cnn")
# One gradient's layers, timed inside it, add up to one gradient, but for the marks and a busy machine.
FACTOR = 4


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A profile by the clock of this process: what others do on the machine is in none of its parts."""
    path = tmp_path_factory.mktemp("results") / "new" / "profile.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "time", SimpleNamespace(perf_counter=time.process_time))
        profiling.write_profile(dict.fromkeys(NAMES, SIZES), "cpu", path)
    return path


def seconds(measured: costs.WorkloadCosts, size: int) -> float:
    """The lower quartile of one gradient: a busy machine makes gradients slower, never quicker."""
    return measured.batches[size].gradient_s.q25


def test_every_layer_costs_time_in_both_directions(path):
    for name, entry in costs.read_profile(path).workloads.items():
        assert [layer.name for layer in entry.layers] == [layer.name for layer in workloads.load(name).layers]
        assert sum(layer.parameters for layer in entry.layers) == entry.parameters
        assert entry.weight_bytes == 4 * entry.parameters
        assert entry.update_s.median > 0
        assert tuple(sorted(entry.batches)) == SIZES
        spreads = [s for b in entry.batches.values() for c in b.layers for s in (c.forward_s, c.backward_s)]
        assert all(0 < s.q25 <= s.median <= s.q75 for s in spreads)
        assert {s.repeats for s in spreads} == {profiling.REPEATS}


def test_layers_add_up_to_the_whole_gradient(path):
    for entry in costs.read_profile(path).workloads.values():
        for batch in entry.batches.values():
            layers_s = sum(layer.forward_s.q25 + layer.backward_s.q25 for layer in batch.layers)
            assert 1 / FACTOR < layers_s / batch.gradient_s.q25 < FACTOR


def test_a_larger_batch_costs_more(path):
    for measured in costs.read_profile(path).workloads.values():
        assert seconds(measured, SIZES[-1]) > seconds(measured, SIZES[0])


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
    assert "7" in profiling.profile(workload, [7], "cpu")["batches"]


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with timing.one_thread():
        assert torch.get_num_threads() == 1
    with contextlib.suppress(ZeroDivisionError), timing.one_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("batch_sizes", {"batch_sizes": {"quadratic": []}}),
        ("batch_sizes", {"batch_sizes": {"quadratic": [32, 0]}}),
        ("batch_sizes", {"batch_sizes": {"quadratic": ["32"]}}),
        ("repeats", {"repeats": 19}),
        ("workloads", {"batch_sizes": {}}),
        ("workload", {"batch_sizes": {"digits_mpl": [1]}}),
        ("data_root", {"batch_sizes": {"mnist_cnn": [1]}}),
        ("device", {"device": "gpu"}),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(tmp_path, key, change):
    arguments = {"batch_sizes": {"quadratic": [1]}, "device": "cpu", "path": tmp_path / "p.json"}
    with pytest.raises(InputError, match=f"^{key}: got"):
        profiling.write_profile(**(arguments | change))
    assert list(tmp_path.iterdir()) == []


def test_a_profile_replaces_the_old_one_at_once(path, tmp_path, monkeypatch):
    file = tmp_path / "profile.json"
    file.write_bytes(path.read_bytes())

    def killed(source, target):
        assert json.loads(source.read_text())["workloads"]  # complete before it takes the name
        assert target.read_bytes() == path.read_bytes()
        raise KeyboardInterrupt

    monkeypatch.setattr(profiling.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        profiling.write_profile({"quadratic": [1]}, "cpu", file)
    assert file.read_bytes() == path.read_bytes()
