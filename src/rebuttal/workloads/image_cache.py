"""Decoded images, and where those of a large data set are kept between runs."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rebuttal.base import paths
from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import InputError


@dataclass(frozen=True)
class Images:
    """Images of one part. pixels: uint8 [n, side, side, 3]. labels: int64 [n], places in `classes`."""

    pixels: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]


def place(described: str) -> Path | None:
    """The file for what this text describes, in the project's cache; None outside a checkout."""
    try:
        folder = paths.root() / ".cache" / "images"
    except InputError:
        return None
    return folder / f"{hashlib.sha256(described.encode()).hexdigest()}.npz"


def save(cache: Path, parts: Mapping[str, Images]) -> None:
    """Write all parts, whole or not at all."""
    arrays = {
        f"{part}/{what}": value for part, images in parts.items() for what, value in vars(images).items()
    }
    with replacing(cache) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


@functools.lru_cache(maxsize=1)
def load(cache: Path) -> dict[str, Images]:
    """The parts that `save` wrote; the last set read stays in memory."""
    with np.load(cache) as arrays:
        parts = dict.fromkeys(name.split("/")[0] for name in arrays.files)
        return {
            part: Images(
                arrays[f"{part}/pixels"], arrays[f"{part}/labels"], tuple(arrays[f"{part}/classes"].tolist())
            )
            for part in parts
        }
