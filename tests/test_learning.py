"""Every training workload learns: its loss on a few fixed samples falls by a stated factor, in seconds on a CPU."""

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from runs import layered_costs, run
from synthetic_images import write_images
from synthetic_mnist import write_idx, write_mnist

from rebuttal import workloads
from rebuttal.core.update_rules import Momentum
from rebuttal.replaying.engine import EXACT, Replayer
from rebuttal.site.workload_table import TRAINING
from rebuttal.workloads import digits, mnist_files

LIMIT_S = 20  # of processor time


class Case(NamedTuple):
    """So many samples, all in every update, with momentum 0.9 at this rate; the loss must fall below factor x start."""

    samples: int
    updates: int
    rate: float
    factor: float


CASES = {
    "digits_mlp": Case(16, 30, 0.03, 0.1),
    "digits_deep": Case(16, 50, 0.005, 0.2),
    "digits_cnn": Case(16, 30, 0.03, 0.1),
    "digits_few": Case(16, 80, 0.02, 0.3),
    "mnist_cnn": Case(16, 80, 0.01, 0.1),
    "digits_resnet": Case(16, 30, 0.01, 0.1),
    "digits_vit": Case(16, 30, 0.01, 0.1),
    "digits_pixelcnn": Case(16, 30, 0.1, 0.7),
    "pydoc_transformer": Case(16, 30, 0.03, 0.7),
    "mnist_pixelcnn": Case(8, 30, 0.3, 0.5),
    "cifar10_alexnet": Case(4, 24, 0.1, 0.7),
    "cifar10_googlenet": Case(4, 10, 0.01, 0.5),
    "cifar10_resnet": Case(4, 10, 0.01, 0.5),
    "cifar10_resnet9": Case(4, 10, 0.01, 0.5),
    "cifar10_resnet9_bf16": Case(4, 10, 0.01, 0.5),
    "cifar10_vit": Case(4, 10, 0.01, 0.5),
    "cifar10_pixelcnn": Case(4, 16, 0.5, 0.9),
    "mnist_small_deep": Case(16, 50, 0.005, 0.2),
    "mnist_small_few": Case(16, 80, 0.02, 0.3),
    "mnist_small_cnn": Case(16, 60, 0.03, 0.1),
    "mnist_small_pixelcnn": Case(8, 30, 0.3, 0.5),
    "cifar10_small_cnn": Case(4, 24, 0.03, 0.5),
    "cifar10_small_googlenet": Case(4, 20, 0.03, 0.5),
    "mnist_half_cnn": Case(16, 60, 0.03, 0.1),
    "mnist1d_linear": Case(16, 80, 0.1, 0.5),
    "mnist1d_mlp": Case(16, 60, 0.05, 0.1),
    "mnist1d_cnn": Case(16, 60, 0.03, 0.1),
    "mnist1d_resnet": Case(16, 30, 0.03, 0.1),
    "mnist1d_transformer": Case(16, 40, 0.03, 0.1),
}


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    """Colour images with noise, and scikit-learn's digits three times as large in MNIST's format."""
    root = write_mnist(tmp_path_factory.mktemp("data"))
    grey = digits.read()[0][:120].reshape(-1, 8, 8) * 15
    large = np.pad(grey.repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    write_idx(root / "MNIST/raw/train-images-idx3-ubyte", mnist_files.IMAGES, large.shape, large)
    write_images(root / "cifar10", parts={"train": 2, "test": 1})
    return root


def test_no_training_workload_is_left_out():
    assert set(CASES) == set(TRAINING)


@pytest.mark.parametrize("name", CASES)
def test_it_learns(name, data_root):
    began, case = time.process_time(), CASES[name]
    loaded = workloads.load(name, data_root)
    x, y = (part[: case.samples] for part in loaded.splits["training"])
    few = replace(loaded, splits={"training": (x, y)}, training_size=case.samples, augment=None)
    order = run(
        "mini_batch", {"shards": 1}, updates=case.updates, batch=case.samples, costs=layered_costs()
    ).order
    replayer = Replayer(few, batch=case.samples, rule=Momentum(0.9), table=EXACT, splits=("training",))
    curves = replayer.run(order, [0], [case.rate], [0, case.updates])
    before, after = curves.values["training_loss"][0, 0]
    assert after < case.factor * before
    assert time.process_time() - began < LIMIT_S
