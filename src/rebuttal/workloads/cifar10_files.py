"""CIFAR-10 where it lies under a data root, read without torch: torchvision's files, or any folder or zip of images."""

import hashlib
import pickle
from pathlib import Path

import numpy as np

from rebuttal.base.errors import InputError
from rebuttal.workloads import image_files, image_tree, mnist_files
from rebuttal.workloads.image_files import Images

SIDE, CLASSES = 32, 10
# MD5 of the published files, python version (Krizhevsky 2009), as torchvision unpacks them.
PUBLISHED = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = "cifar-10-batches-py"


def read(data_root: str | Path | None) -> dict[str, Images]:
    """The parts 'train' and 'test', from the first that is there of cifar-10-batches-py, cifar10/, cifar10*.zip.

    Raises:
        InputError: one line with the key data_root, the file, what is wrong and what is looked for.
    """
    root, found = mnist_files.folder(data_root), place(data_root)
    if found.name == BATCHES:
        return {part: _published(root, part) for part in PUBLISHED}
    parts = image_files.read(found, SIDE, resize=False)
    if set(parts) != {"train", "test"}:
        raise _bad(root, f"{found.name} has no folders train and test")
    classes = parts["train"].classes
    if len(classes) != CLASSES:
        raise _bad(root, f"{found.name} has {len(classes)} classes, not {CLASSES}")
    return parts


def place(data_root: str | Path | None) -> Path:
    """The folder or zip that is read. Raises InputError if there is none."""
    root = mnist_files.folder(data_root)
    for path in (root / BATCHES, root / "cifar10", *sorted(root.glob("cifar10*.zip"))):
        if path.exists():
            return path
    raise _bad(root, f"there is no {BATCHES}/, no cifar10/ and no cifar10*.zip")


def check(data_root: str | Path | None) -> None:
    """Refuse a data root whose CIFAR-10 is missing or corrupt. Raises InputError as `read` does."""
    read(data_root)


def fingerprint(data_root: str | Path | None) -> str:
    """A hash of the content of what is read. Raises InputError as `place`."""
    return image_tree.digest(place(data_root))


def _published(root: Path, part: str) -> Images:
    """The images of torchvision's files: unpickled only where the content is the published one."""
    pixels, labels = [], []
    for name, md5 in PUBLISHED[part].items():
        content = _content(root, name, md5)
        batch = pickle.loads(content, encoding="bytes")  # noqa: S301 - known content, by its MD5
        pixels.append(np.asarray(batch[b"data"], dtype=np.uint8).reshape(-1, 3, SIDE, SIDE))
        labels.append(np.asarray(batch[b"labels"], dtype=np.int64))
    whole = np.ascontiguousarray(np.concatenate(pixels).transpose(0, 2, 3, 1))
    return Images(whole, np.concatenate(labels), NAMES)


def _content(root: Path, name: str, md5: str) -> bytes:
    path = root / BATCHES / name
    if not path.is_file():
        raise _bad(root, f"{BATCHES}/{name} is missing")
    content = path.read_bytes()
    given = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if given != md5:
        raise _bad(root, f"{BATCHES}/{name} is corrupt: MD5 {given}, published {md5}")
    return content


def _bad(root: Path, what: str) -> InputError:
    call = "torchvision.datasets.CIFAR10(data_root, download=True)"
    return InputError(
        f"data_root: got '{root}', where {what}; allowed: a folder that {call} has filled, or with a folder "
        "cifar10 or a zip cifar10*.zip of images, train/CLASS/image and test/CLASS/image"
    )
