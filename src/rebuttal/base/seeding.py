"""Random numbers named by what they vary along.

A seed is never passed around bare: `generator(seed, "stragglers", worker)` gives each axis its own independent
stream, so two methods that meet the same worker in the same run meet the same delays (common random numbers),
and adding a new use of randomness changes no other.
"""

import hashlib

import numpy as np


def entropy(seed: int, *axes: str | int) -> int:
    """A 128-bit integer that depends on the seed and on every named axis, in order."""
    text = "\x1f".join([str(int(seed)), *map(str, axes)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def generator(seed: int, *axes: str | int) -> np.random.Generator:
    """An independent random stream for (seed, *axes)."""
    return np.random.Generator(np.random.PCG64(entropy(seed, *axes)))
