"""Costs read back from a profile."""

import copy
import json

import pytest

from rebuttal import costs, profiling
from rebuttal.costs import Costs
from rebuttal.errors import InputError

SIZES = (8, 32, 64)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "new" / "profile.json"
    profiling.write_profile(dict.fromkeys(("digits_mlp", "digits_cnn"), SIZES), "cpu", path)
    return path


@pytest.fixture
def content(path):
    return json.loads(path.read_text())


@pytest.fixture
def broken(content, tmp_path):
    """Writes a profile with one value changed (or removed) and returns its path."""

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
    quarter = 0.75 * seconds(measured, 8) + 0.25 * seconds(measured, 32)
    assert measured.gradient_s(1) == pytest.approx(seconds(measured, 8))
    assert Costs.read(path, "digits_mlp", 14).gradient_s(1) == pytest.approx(quarter)
    forward_s, backward_s = measured.layers_s(3)
    assert len(forward_s) == len(backward_s) == len(measured.layer_names)


@pytest.mark.parametrize(("batch", "batches"), [(8, 9), (65, 1), (7, 1), (8, 0)])
def test_nothing_is_extrapolated(path, batch, batches):
    with pytest.raises(InputError, match="8 to 64 samples"):
        Costs.read(path, "digits_mlp", batch).gradient_s(batches)


def test_an_unprofiled_workload_is_refused_with_the_nearest(path):
    with pytest.raises(InputError, match="did you mean 'digits_mlp'"):
        Costs.read(path, "digits_mpl", 8)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["schema"], 1),
        (["schema"], None),
        (["device"], None),
        (["workloads"], {}),
        (["workloads", "digits_mlp", "parameters"], 0),
        (["workloads", "digits_mlp", "batches"], {"many": {}}),
        (["workloads", "digits_mlp", "batches", "8", "layers"], []),
        (["workloads", "digits_mlp", "batches", "8", "layers", 0, "forward_s", "median"], -1.0),
        (["workloads", "digits_mlp", "batches", "8", "layers", 0, "forward_s", "median"], float("nan")),
        (["workloads", "digits_mlp", "batches", "8", "layers", 0, "backward_s"], None),
        (["workloads", "digits_mlp", "update_s"], "fast\nand good"),
        (["workloads", "digits_mlp", "extra"], 1),
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


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\x01"])
def test_a_file_of_something_else_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "profile.json").write_text(text)
    with pytest.raises(InputError) as refused:
        costs.read_profile(tmp_path / "profile.json")
    assert "\n" not in str(refused.value)
    assert "profile.json" in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="dvc repro profile"):
        costs.read_profile(tmp_path / "none.json")
