"""Decoded images, and where those of a large data set are kept between runs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.core import content_store


@dataclass(frozen=True)
class Images:
    """Images of one part. pixels: uint8 [n, side, side, 3]. labels: int64 [n], places in `classes`."""

    pixels: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]


_last: dict[Path, dict[str, Images]] = {}


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
        f"{part}/{what}": np.asarray(value)
        for part, images in parts.items()
        for what, value in vars(images).items()
    }
    content_store.write(cache, cache.stem, arrays)


def load(cache: Path) -> dict[str, Images] | None:
    """The parts that `save` wrote, or None; the last set read stays in memory."""
    if cache not in _last:
        _last.clear()
        arrays = content_store.read(cache, cache.stem)
        if arrays is None:
            return None
        _last[cache] = {
            part: Images(
                arrays[f"{part}/pixels"], arrays[f"{part}/labels"], tuple(arrays[f"{part}/classes"].tolist())
            )
            for part in dict.fromkeys(name.split("/")[0] for name in arrays)
        }
    return _last[cache]
