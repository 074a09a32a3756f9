"""Augmentation in a replay: drawn by (seed, worker, step), the same however the run is computed."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from runs import run
from values import Keep, batched, eager_weights, weights_of

from rebuttal import workloads
from rebuttal.replaying.engine import Replayer
from rebuttal.replaying.executors import Loop
from rebuttal.workloads.augmentation import FlipAndCrop
from rebuttal.workloads.batches import batch_indices

RATE, BATCH, UPDATES = 0.05, 8, 4
AUGMENT = FlipAndCrop(padding=1)


def augmented(name):
    return replace(workloads.load(name).double(), augment=AUGMENT)


def by_hand(workload, seed=0, shard=0):
    """Mini-batch SGD, with each batch flipped and cropped before it is used."""
    x, y = workload.splits["training"]
    rows = torch.from_numpy(batch_indices(len(x), BATCH, seed, shard, UPDATES))
    draws = torch.from_numpy(AUGMENT.draws(BATCH, seed, shard, UPDATES))
    loop, w = Loop(workload), workload.start(seed)
    for row, draw in zip(rows, draws, strict=True):
        w = w - RATE * loop.gradient(w, AUGMENT(x[row], draw), y[row])
    return w


# One whole gradient after another; many at once; pipelines that become whole gradients; stages that cannot.
METHODS = {"mini_batch": {"shards": 3}, "asynchronous": {}, "gpipe": {"m": 2}, "pipedream": {}}
CASES = [
    *(("digits_cnn", name) for name in METHODS),  # by kernels
    ("digits_resnet", "asynchronous"),  # by torch.func
    ("digits_resnet", "pipedream"),  # by autograd
]


@pytest.mark.parametrize(("model", "name"), CASES)
def test_batched_replay_is_the_eager_run(model, name):
    workload = augmented(model)
    timeline = run(name, METHODS[name], workers=2, updates=UPDATES, batch=BATCH)
    eager = eager_weights(name, METHODS[name], workload, RATE, workers=2, updates=UPDATES, batch=BATCH)
    found = weights_of(timeline, workload, RATE, batch=BATCH)
    torch.testing.assert_close(found, eager, rtol=1e-10, atol=1e-12)
    assert torch.equal(weights_of(timeline, workload, RATE, batch=BATCH, exact=True), eager)
    plain = weights_of(timeline, replace(workload, augment=None), RATE, batch=BATCH, exact=True)
    assert not torch.allclose(found, plain, rtol=1e-6, atol=1e-8)


def test_seeds_and_rates_side_by_side_are_mini_batch_sgd_by_hand_for_each():
    workload = augmented("digits_cnn")
    order = run("mini_batch", {"shards": 1}, updates=UPDATES, batch=BATCH).order

    def weights():
        replayer = Replayer(workload, batch=BATCH, table=batched(workload))
        keep: Any = Keep()
        replayer._evaluate = keep
        replayer.run(replayer.prepare(order), [3, 4], [RATE, 2 * RATE], [UPDATES])
        return keep.weights[0]

    found = weights()
    for row, seed in ((0, 3), (2, 4)):
        torch.testing.assert_close(found[row], by_hand(workload, seed), rtol=1e-10, atol=1e-12)
    assert torch.equal(found, weights())


def test_the_draws_of_a_run_differ_by_seed_worker_and_step():
    workload = augmented("digits_cnn")
    first = workload.batches(BATCH, seed=0, shard=0, steps=2) % AUGMENT.kinds
    others = [workload.batches(BATCH, seed=s, shard=k, steps=2) % AUGMENT.kinds for s, k in ((1, 0), (0, 1))]
    assert all((first != other).any() for other in others)
    assert (first[0] != first[1]).any()
