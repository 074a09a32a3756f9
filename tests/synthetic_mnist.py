"""Small files of random images in MNIST's format."""

import struct
from pathlib import Path

import numpy as np

from rebuttal.workloads import mnist_files

PARTS = {"train": 120, "t10k": 20}


def write_idx(path: Path, magic: int, shape: tuple[int, ...], content: np.ndarray) -> None:
    path.write_bytes(struct.pack(f">{1 + len(shape)}I", magic, *shape) + content.astype(np.uint8).tobytes())


def write_mnist(root: Path) -> Path:
    """Small files of random images in MNIST's format."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, count in PARTS.items():
        images = random.integers(0, 256, (count, 28, 28))
        write_idx(raw / f"{part}-images-idx3-ubyte", mnist_files.IMAGES, images.shape, images)
        write_idx(raw / f"{part}-labels-idx1-ubyte", mnist_files.LABELS, (count,), np.arange(count) % 10)
    return root
