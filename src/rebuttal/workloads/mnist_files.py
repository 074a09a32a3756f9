"""MNIST's four files, checked without torch: present, of the right format and size, and unchanged."""

import hashlib
import struct
from pathlib import Path

import numpy as np

from rebuttal.base import paths
from rebuttal.base.errors import InputError, refuse

IMAGES, LABELS = 2051, 2049  # magic numbers of the IDX format: unsigned bytes in three and in one dimension
SIDE = 28
PARTS = ("train", "t10k")
# MD5 of the published files once uncompressed. A file of the published size must have the published content.
PUBLISHED = {
    "train-images-idx3-ubyte": (47_040_016, "6bbc9ace898e44ae57da46a324031adb"),
    "train-labels-idx1-ubyte": (60_008, "a25bea736e30d166cdddb491f175f624"),
    "t10k-images-idx3-ubyte": (7_840_016, "2646ac647ad5339dbf082846283269ea"),
    "t10k-labels-idx1-ubyte": (10_008, "27ae3e4e09519cfbb04c329615203637"),
}


def folder(data_root: str | Path | None) -> Path:
    """The folder `data_root` as a path; a relative one starts at the project's root.

    Raises:
        InputError: `data_root` is no path.
    """
    if not isinstance(data_root, (str, Path)) or not str(data_root):
        raise refuse("data_root", data_root, "a folder that holds MNIST/raw with the four MNIST files")
    path = Path(data_root).expanduser()
    return path if path.is_absolute() else paths.given() / path


def check(data_root: str | Path | None) -> None:
    """Refuse a data root whose MNIST files are missing or corrupt.

    Raises:
        InputError: one line with the key data_root, the file, what is wrong and how to get a good one.
    """
    root = folder(data_root)
    for part in PARTS:
        images = _count(root, f"{part}-images-idx3-ubyte", IMAGES)
        labels = _count(root, f"{part}-labels-idx1-ubyte", LABELS)
        if images != labels:
            raise _bad(root, f"{part} has {images} images but {labels} labels")
        _check_labels(root, f"{part}-labels-idx1-ubyte")


def fingerprint(data_root: str | Path | None) -> str:
    """A hash of the four files' content. Raises InputError for a root without them."""
    root, found = folder(data_root), hashlib.sha256()
    for name in PUBLISHED:
        path = root / "MNIST" / "raw" / name
        if not path.is_file():
            raise _bad(root, f"MNIST/raw/{name} is missing")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _count(root: Path, name: str, magic: int) -> int:
    """The number of items in one file, once its header, its size and (if published) its content are right."""
    path = root / "MNIST" / "raw" / name
    if not path.is_file():
        raise _bad(root, f"MNIST/raw/{name} is missing")
    count, expected_bytes = _header(root, path, magic)
    size_bytes = path.stat().st_size
    if size_bytes != expected_bytes:
        raise _bad(root, f"MNIST/raw/{name} has {size_bytes} bytes, its header says {expected_bytes}")
    _check_content(root, path, size_bytes)
    return count


def _header(root: Path, path: Path, magic: int) -> tuple[int, int]:
    """Number of items and expected size in bytes, from the header of an IDX file."""
    words = 4 if magic == IMAGES else 2
    with path.open("rb") as file:
        header = file.read(4 * words)
    if len(header) < 4 * words:
        raise _bad(root, f"MNIST/raw/{path.name} is cut off in its header")
    given, count, *shape = struct.unpack(f">{words}I", header)
    if given != magic:
        raise _bad(root, f"MNIST/raw/{path.name} starts with {given}, not with its magic number {magic}")
    if count == 0 or any(side != SIDE for side in shape):
        raise _bad(root, f"MNIST/raw/{path.name} holds {count} items of shape {shape}, not [{SIDE}, {SIDE}]")
    return count, 4 * words + count * (SIDE * SIDE if magic == IMAGES else 1)


def _check_content(root: Path, path: Path, size_bytes: int) -> None:
    """Files of the published size have the published MD5; other sizes are a user's own files."""
    published_bytes, published_md5 = PUBLISHED[path.name]
    if size_bytes != published_bytes:
        return
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != published_md5:
        raise _bad(root, f"MNIST/raw/{path.name} is corrupt: MD5 {md5}, published {published_md5}")


def _check_labels(root: Path, name: str) -> None:
    """Every label is a digit: a loss over ten classes has no meaning for another."""
    labels = np.fromfile(root / "MNIST" / "raw" / name, dtype=np.uint8, offset=8)
    if labels.max() > 9:
        raise _bad(root, f"MNIST/raw/{name} is corrupt: it holds the label {labels.max()}, digits are 0 to 9")


def _bad(root: Path, what: str) -> InputError:
    """The one-line error for a data root, with the way out."""
    call = "torchvision.datasets.MNIST(data_root, download=True)"
    return InputError(f"data_root: got '{root}', where {what}; allowed: a folder that {call} has filled")


def images(data_root: str | Path | None, part: str) -> np.ndarray:
    """The images of one part, train or t10k, as bytes [n, 28, 28]; `check` comes first."""
    path = folder(data_root) / "MNIST" / "raw" / f"{part}-images-idx3-ubyte"
    return np.fromfile(path, dtype=np.uint8, offset=16).reshape(-1, SIDE, SIDE)


def labels(data_root: str | Path | None, part: str) -> np.ndarray:
    """The digits of one part, train or t10k, as bytes [n]; `check` comes first."""
    path = folder(data_root) / "MNIST" / "raw" / f"{part}-labels-idx1-ubyte"
    return np.fromfile(path, dtype=np.uint8, offset=8)
