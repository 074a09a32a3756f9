"""Every method on every training workload, by batched replay at tiny sizes: it runs, or it says why it cannot."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from runs import METHODS, layered_costs, run
from synthetic_images import write_images
from synthetic_mnist import write_mnist
from values import batched

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executor_table import Table
from rebuttal.site.workload_table import TRAINING

SAMPLES, BATCH, WORKERS, RATE = 8, 1, 3, 0.01
LOWER = {"mnist_small_pixelcnn": 0.001}  # its synthesizers are 3,136 wide, and linear ones diverge at RATE
UPDATES, FEWER = 4, 2  # fewer for colour images, whose models are millions of parameters
LOOP = Table({1: {"loop": {1: 1.0}}})
SMALLER = {"mini_batch": {"shards": 2}, "pprs": {"K": 2, "m": 1, "gamma": 0.01}}
CUT = ("model_parallel", "gpipe", "one_forward_one_backward", "zero_bubble", "pipedream", "continuous_propagation",
       "synthetic_gradients", "greedy", "nesterov", "pprs", "bounded_delay")  # fmt: skip

# What a workload cannot do: its samples have no class, or the outputs of its stages are too many for a synthesizer.
NO_CLASSES = (
    "digits_pixelcnn",
    "pydoc_transformer",
    "mnist_pixelcnn",
    "mnist_small_pixelcnn",
    "cifar10_pixelcnn",
)
FULL = tuple(name for name in TRAINING if name.startswith("cifar10") and "small" not in name)
WIDE = ("mnist_pixelcnn", *FULL)
REFUSED = (
    {(name, "greedy"): "a sample has a class" for name in NO_CLASSES}
    | {(name, "synthetic_gradients_conditioned"): "a sample has a class" for name in NO_CLASSES}
    | {(name, "synthetic_gradients"): "at most 4096 values" for name in WIDE}
    | {(name, "synthetic_gradients_conditioned"): "at most 4096 values" for name in WIDE}
)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory):
    root = write_mnist(tmp_path_factory.mktemp("data"))
    write_images(root / "cifar10", parts={"train": 2, "test": 1})
    return root


@cache
def timeline(name, layers, updates):
    """The symbolic run, which models with equally many layers share."""
    program, options = METHODS[name]
    workers = min(WORKERS, layers) if program in CUT else WORKERS
    given = {"workers": workers, "updates": updates, "batch": BATCH, "costs": layered_costs(layers)}
    return run(program, SMALLER.get(name, options), **given)


def tiny(name, data_root):
    """A workload with a few of its samples."""
    loaded = workloads.load(name, data_root)
    splits = {split: (x[:SAMPLES], y[:SAMPLES]) for split, (x, y) in loaded.splits.items()}
    return replace(loaded, splits=splits, training_size=SAMPLES)


SAME = ("cifar10_resnet9_bf16",)  # the network of another in another precision: test_learning.py trains it


@pytest.mark.parametrize("workload", [name for name in TRAINING if name not in SAME])
def test_every_method_trains_it_or_is_refused_in_one_line(workload, data_root):
    loaded = tiny(workload, data_root)
    kernels = "layered" in next(iter(batched(loaded).seconds.values()))
    table = batched(loaded) if kernels else LOOP  # torch.func, traced for each shape, has tests of its own
    updates = FEWER if workload in FULL else UPDATES
    replayer = Replayer(loaded, batch=BATCH, table=table, splits=("training",), training_samples=1)
    computed, refusals = {}, {}
    for name in METHODS:
        order = replayer.prepare(timeline(name, loaded.shape.layers, updates).order)
        # Equal orders are computed once; of a large network, one of those with the same operations.
        key = frozenset(order.operations) if workload in FULL else order.key
        if key not in computed:
            try:
                curves = replayer.run(order, [0], [LOWER.get(workload, RATE)], [0, updates])
            except InputError as error:
                refusals[workload, name] = str(error)
                continue
            computed[key] = curves.values["training_loss"][0, 0]
        before, after = computed[key]
        assert np.isfinite([before, after]).all(), name
        assert before != after, name
    assert set(refusals) == {cell for cell in REFUSED if cell[0] == workload}
    for cell, line in refusals.items():
        assert REFUSED[cell] in line
        assert line.startswith(f"workload: got '{workload}'; allowed: ")
        assert "\n" not in line
