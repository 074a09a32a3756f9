"""Augmentation of images: drawn by (seed, shard, step) like the batches, applied on the device to all replicas."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rebuttal.base import seeding


@dataclass(frozen=True)
class FlipAndCrop:
    """Mirror every other image, on average, and crop each at random out of its zero-padded self.

    padding: pixels on every side. flip: whether images are mirrored left to right.
    """

    padding: int = 4
    flip: bool = True

    @property
    def kinds(self) -> int:
        """How many things can be done to an image: draws are from 0 to this."""
        return (1 + self.flip) * self._places**2

    @property
    def _places(self) -> int:
        return 2 * self.padding + 1

    def draws(self, batch: int, seed: int, shard: int, steps: int) -> np.ndarray:
        """The kind of change to each sample of worker `shard` in run `seed`: int64 [steps, batch], from 0 to `kinds`.

        They come from a stream of their own, step by step: more steps leave the earlier ones as they were, and
        the batches do not change with augmentation.
        """
        uniform = seeding.generator(seed, "augmentation", shard).random((steps, batch))
        return np.floor(uniform * self.kinds).astype(np.int64)

    def __call__(self, x: Tensor, draws: Tensor) -> Tensor:
        """Images [..., C, H, W] after what `draws` [...] says of each; the same shape, on the same device."""
        images, draw = x.flatten(0, -4), draws.flatten()
        corner, mirrored = draw % self._places**2, draw // self._places**2
        row, column = corner // self._places, corner % self._places
        height, width = x.shape[-2:]
        rows = row[:, None] + torch.arange(height, device=x.device)
        across = torch.arange(width, device=x.device).expand(len(images), -1)
        columns = column[:, None] + torch.where(mirrored[:, None] > 0, width - 1 - across, across)
        padded = functional.pad(images, (self.padding,) * 4).movedim(1, -1)
        each = torch.arange(len(images), device=x.device)
        taken = padded[each[:, None, None], rows[:, :, None], columns[:, None, :]]
        return taken.movedim(-1, 1).contiguous().view_as(x)
