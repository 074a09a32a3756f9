"""The workloads' splits, and the data files that are refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from synthetic_mnist import write_idx, write_mnist
from test_workload_zoo import LARGE, QUICK

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.workloads import digits, mnist_files
from rebuttal.workloads.splits import stratified
from rebuttal.workloads.workload import Workload

NAMES = tuple(name for name in workloads.NAMES if name not in {*QUICK, *LARGE})


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> dict[str, Workload]:
    root = write_mnist(tmp_path_factory.mktemp("data"))
    return {name: workloads.load(name, root) for name in NAMES}


@pytest.fixture(params=NAMES)
def workload(request, loaded) -> Workload:
    return loaded[request.param]


class TestSplits:
    def test_types(self, workload):
        assert list(workload.splits) == ["training", "validation", "test"]
        for x, y in workload.splits.values():
            assert (x.dtype, y.dtype, len(x)) == (torch.float32, torch.int64, len(y))
        assert workload.training_size == len(workload.splits["training"][0])

    @pytest.mark.parametrize(
        ("name", "sizes"),
        [("digits_mlp", [1078, 359, 360]), ("digits_cnn", [1078, 359, 360]), ("mnist_cnn", [100, 20, 20])],
    )
    def test_every_image_is_used_once(self, loaded, name, sizes):
        splits = loaded[name].splits
        assert [len(y) for _, y in splits.values()] == sizes
        digest = [hashlib.sha256(x.numpy().tobytes()).digest() for part, _ in splits.values() for x in part]
        assert len(set(digest)) == sum(sizes)  # all images of the data differ, so none is in two splits

    def test_both_digits_workloads_hold_the_same_samples(self, loaded):
        for split in ("training", "validation", "test"):
            flat, square = (loaded[name].splits[split] for name in ("digits_mlp", "digits_cnn"))
            assert torch.equal(flat[0], square[0].flatten(1))
            assert torch.equal(flat[1], square[1])

    def test_training_inputs_are_standardised(self, workload):
        x = workload.splits["training"][0].double()
        near = (
            0.05 if workload.name == "digits_few" else 1e-4
        )  # a few samples of a set that is standardised as a whole
        assert float(x.mean()) == pytest.approx(0, abs=near)
        if workload.name == "max_abs":  # has no data: all inputs are 0
            assert not x.any()
            return
        assert float(x.std()) == pytest.approx(1, abs=max(near, 1e-2))

    def test_stratified_splits_are_disjoint_and_proportional(self):
        labels = np.repeat([0, 1, 2], [600, 300, 100])
        parts = stratified("example", labels, (500, 300))
        assert len(np.unique(np.concatenate(parts))) == 800
        for part in parts:
            shares = np.bincount(labels[part]) / len(part)
            assert np.abs(shares - [0.6, 0.3, 0.1]).max() <= 2 / len(part)
        assert np.array_equal(parts[0], stratified("example", labels, (500,))[0])

    def test_what_is_cited_and_aimed_at_is_said(self, workload):
        low, high = workload.target.sweep
        assert low < high
        assert workload.target.rule
        assert "Model: " in workload.source


class TestMnist:
    def test_sizes_shapes_and_labels(self, loaded):
        splits = loaded["mnist_cnn"].splits
        assert [tuple(x.shape) for x, _ in splits.values()] == [
            (100, 1, 28, 28),
            (20, 1, 28, 28),
            (20, 1, 28, 28),
        ]
        assert np.array_equal(np.bincount(splits["training"][1]), np.full(10, 10))

    def test_standardised_inputs_are_the_files_bytes(self, loaded, tmp_path):
        raw = (write_mnist(tmp_path) / "MNIST/raw/t10k-images-idx3-ubyte").read_bytes()[16:]
        images = np.frombuffer(raw, np.uint8).reshape(-1, 28, 28)
        x, _ = loaded["mnist_cnn"].splits["test"]
        slope, _ = np.polyfit(images.ravel().astype(float), x.numpy().ravel().astype(float), 1)
        assert slope > 0
        assert np.corrcoef(images.ravel(), x.numpy().ravel())[0, 1] == pytest.approx(1)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def cut_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6])


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def wrong_magic(path: Path) -> None:
    path.write_bytes(b"\x1f\x8b\x08\x00" + path.read_bytes()[4:])


DAMAGE = {
    cut: "bytes",
    cut_header: "cut off",
    remove: "missing",
    empty: "cut off",
    wrong_magic: "magic number",
}


class TestData:
    @pytest.mark.parametrize("damage", DAMAGE)
    @pytest.mark.parametrize("name", mnist_files.PUBLISHED)
    def test_a_damaged_file_is_refused_in_one_line(self, tmp_path, name, damage):
        damage(write_mnist(tmp_path) / "MNIST" / "raw" / name)
        with pytest.raises(InputError) as refused:
            workloads.check_data("mnist_cnn", tmp_path)
        line = str(refused.value)
        assert "\n" not in line
        assert line.startswith("data_root: got ")
        assert name in line
        assert DAMAGE[damage] in line
        assert "download=True" in line

    def test_other_counts_shapes_and_labels_are_refused(self, tmp_path):
        raw = write_mnist(tmp_path) / "MNIST" / "raw"
        write_idx(raw / "t10k-labels-idx1-ubyte", mnist_files.LABELS, (19,), np.zeros(19))
        with pytest.raises(InputError, match="20 images but 19 labels"):
            workloads.check_data("mnist_cnn", tmp_path)
        write_idx(raw / "t10k-labels-idx1-ubyte", mnist_files.LABELS, (20,), np.full(20, 10))
        with pytest.raises(InputError, match="the label 10"):
            workloads.check_data("mnist_cnn", tmp_path)
        write_idx(raw / "t10k-images-idx3-ubyte", mnist_files.IMAGES, (20, 8, 8), np.zeros((20, 8, 8)))
        with pytest.raises(InputError, match="shape"):
            workloads.check_data("mnist_cnn", tmp_path)

    def test_a_file_of_the_published_size_must_have_the_published_content(self, tmp_path):
        raw = write_mnist(tmp_path) / "MNIST" / "raw"
        write_idx(raw / "t10k-labels-idx1-ubyte", mnist_files.LABELS, (10_000,), np.zeros(10_000))
        with pytest.raises(InputError, match="MD5"):
            workloads.check_data("mnist_cnn", tmp_path)

    @pytest.mark.parametrize("root", [None, "", 3])
    def test_a_data_root_that_is_no_path_is_refused(self, root):
        with pytest.raises(InputError, match=r"^data_root: got"):
            workloads.check_data("mnist_cnn", root)

    def test_loading_checks_first(self, tmp_path):
        with pytest.raises(InputError, match="is missing"):
            workloads.load("mnist_cnn", tmp_path)

    def test_a_relative_data_root_starts_at_the_projects_root(self, tmp_path, monkeypatch):
        write_mnist(tmp_path / "data")
        (tmp_path / "dvc.yaml").touch()
        (tmp_path / "notebooks").mkdir()
        monkeypatch.chdir(tmp_path / "notebooks")
        workloads.check_data("mnist_cnn", "data")

    def test_others_need_no_data_root(self):
        for name in set(workloads.NAMES) - {"mnist_cnn", *LARGE}:
            workloads.check_data(name, None)

    @pytest.mark.parametrize("call", [workloads.check_data, workloads.load])
    def test_an_unknown_name_is_refused_with_the_nearest(self, call):
        with pytest.raises(InputError, match="did you mean 'digits_cnn'") as refused:
            call("digit_cnn", None)
        assert all(name in str(refused.value) for name in workloads.NAMES)


def test_the_digits_are_those_of_scikit_learn():
    images, labels = load_digits(return_X_y=True)
    own_images, own_labels = digits.read()
    np.testing.assert_array_equal(own_images, images)
    np.testing.assert_array_equal(own_labels, labels)
