"""Reduced images: which are kept, how they are halved, and what the workloads on them say of it."""

import hashlib

import numpy as np
import pytest
from synthetic_images import write_images
from synthetic_mnist import write_mnist

from rebuttal import workloads
from rebuttal.workloads import cifar10_files, image_files, mnist_files, reduced
from rebuttal.workloads.splits import stratified

SHAPES = [(1, 2, 2, 1), (3, 4, 2, 1), (2, 6, 8, 3), (5, 28, 28, 1)]
SMALLER = {"training": 40, "validation": 10, "test": 10}


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    root = write_mnist(tmp_path_factory.mktemp("data"))
    write_images(root / "cifar10")
    return root


@pytest.fixture
def smaller(monkeypatch):
    """Fewer images of each split than the made-up files have."""
    monkeypatch.setattr(reduced, "SIZES", SMALLER)


class TestHalved:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_pixel_is_the_rounded_mean_of_four(self, shape):
        pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        found = reduced.halved(pixels)
        n, height, width, colours = pixels.shape
        assert found.dtype == np.uint8
        assert found.shape == (n, height // 2, width // 2, colours)
        corners = [pixels[:, row::2, column::2].astype(float) for row in (0, 1) for column in (0, 1)]
        np.testing.assert_array_equal(found, np.floor(np.mean(corners, axis=0) + 0.5))

    @pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
    def test_a_flat_image_stays_as_it_is(self, level):
        assert (reduced.halved(np.full((1, 4, 4, 3), level, dtype=np.uint8)) == level).all()

    def test_the_bits_are_these(self):
        pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
        digest = hashlib.sha256(reduced.halved(pixels).tobytes()).hexdigest()
        assert digest.startswith("06ed8d1c3c8af991")


@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("name", ["mnist_small_deep", "cifar10_small_cnn"])
def test_every_split_has_its_size_and_the_classes_in_proportion(name, data_root):
    for split, (x, y) in workloads.load(name, data_root).splits.items():
        counts = np.bincount(y.numpy(), minlength=10)
        assert len(x) == SMALLER[split]
        assert counts.max() - counts.min() <= 2
    few = workloads.load("mnist_small_few", data_root).splits["training"][1]
    assert len(few) == reduced.FEW


@pytest.mark.usefixtures("smaller")
def test_what_is_learnt_from_lies_in_the_full_workload_s_training_set(data_root):
    seen = mnist_files.images(data_root, "train")[..., None]
    labels = mnist_files.labels(data_root, "train")
    rows, held_out = stratified("mnist", labels, (100, 20))
    found = reduced.mnist(data_root)
    np.testing.assert_array_equal(found["training"].pixels, reduced.halved(seen[rows[:40]]))
    np.testing.assert_array_equal(found["validation"].pixels, reduced.halved(seen[held_out[:10]]))
    parts = image_files.divided(cifar10_files.read(data_root))
    colour = reduced.cifar10(data_root)
    for split, kept in (("training", 40), ("validation", 10)):
        np.testing.assert_array_equal(colour[split].pixels, reduced.halved(parts[split].pixels[:kept]))


def test_the_choice_is_the_same_at_every_call(data_root):
    for read in (reduced.mnist, reduced.cifar10):
        first, second = read(data_root), read(data_root)
        for split, part in first.items():
            np.testing.assert_array_equal(part.pixels, second[split].pixels)
            np.testing.assert_array_equal(part.labels, second[split].labels)


@pytest.mark.usefixtures("smaller")
def test_the_source_says_how_many_images_and_how_small(data_root):
    said = workloads.load("cifar10_small_cnn", data_root).source
    assert "first 40 training, 10 validation and 10 test images" in said
    assert "halved to 16 x 16" in said
    assert "from cifar10" in said


def test_only_colours_have_targets_in_steps(data_root):
    hard = {name: workloads.load(name, data_root).target.large_error for name in reduced.MODELS}
    assert {name for name, large in hard.items() if large} == {"cifar10_small_cnn", "cifar10_small_googlenet"}
