"""Which training samples each worker reads at each of its steps. No torch."""

import numpy as np

from rebuttal.base import seeding
from rebuttal.base.errors import refuse


def batch_indices(training_size: int, batch: int, seed: int, shard: int, steps: int) -> np.ndarray:
    """Sample indices of worker `shard` in run `seed`: int64 [steps, batch].

    Every worker reads the whole training set in its own random order, without replacement, with a new
    permutation in each epoch (as in Chen et al. 2016, arXiv 1604.00981, where every worker has all the
    data). What is left of an epoch after its last full batch begins the next batch, so no sample is lost and
    every batch is full. A row depends on its own epoch's stream only: more steps leave the earlier rows as
    they were.

    Raises:
        InputError: a size is not a positive integer (steps may be 0).
    """
    for key, given, least in (("training_size", training_size, 1), ("batch", batch, 1), ("steps", steps, 0)):
        if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
            raise refuse(key, given, f"an integer of at least {least}")
    if (
        training_size == 1
    ):  # one order there is, and no stream need be made for each of as many epochs as samples
        return np.zeros((steps, batch), dtype=np.int64)
    epochs = -(-steps * batch // training_size)
    streams = [seeding.generator(seed, "batches", shard, epoch) for epoch in range(epochs)]
    orders = [stream.permutation(training_size) for stream in streams]
    flat = np.concatenate([np.empty(0, dtype=np.int64), *orders])
    return flat[: steps * batch].astype(np.int64, copy=False).reshape(steps, batch)
