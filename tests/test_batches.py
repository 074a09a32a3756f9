"""Which samples each worker reads."""

import numpy as np
import pytest

from rebuttal.base.errors import InputError
from rebuttal.workloads.batches import batch_indices


def test_every_epoch_reads_every_sample_once():
    flat = batch_indices(105, 10, seed=0, shard=3, steps=42).ravel()
    for epoch in flat.reshape(-1, 105):
        assert np.array_equal(np.sort(epoch), np.arange(105))


def test_more_steps_leave_the_earlier_ones():
    long = batch_indices(100, 32, seed=0, shard=1, steps=50)
    assert (long.shape, long.dtype) == ((50, 32), np.int64)
    for steps in (0, 1, 3, 4, 37):
        assert np.array_equal(batch_indices(100, 32, seed=0, shard=1, steps=steps), long[:steps])


def test_seeds_shards_and_epochs_differ():
    reads = [batch_indices(100, 100, seed, shard, 2) for seed in (0, 1) for shard in (0, 1)]
    orders = {tuple(epoch) for read in reads for epoch in read.tolist()}
    assert len(orders) == 8
    assert np.array_equal(batch_indices(100, 100, 1, 1, 2), reads[-1])


def test_a_batch_may_exceed_an_epoch():
    assert np.array_equal(np.bincount(batch_indices(10, 25, 0, 0, 2).ravel()), np.full(10, 5))


@pytest.mark.parametrize(
    "change", [{"training_size": 0}, {"batch": 0}, {"batch": 2.5}, {"steps": -1}, {"batch": True}]
)
def test_impossible_sizes_are_refused(change):
    with pytest.raises(InputError, match=next(iter(change))):
        batch_indices(**({"training_size": 10, "batch": 2, "seed": 0, "shard": 0, "steps": 1} | change))
