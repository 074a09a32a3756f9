"""Folders and zips of images, one folder for each class, read without torch into arrays of bytes.

Layout: `train/CLASS/image` and `test/CLASS/image`, as torchvision's ImageFolder reads them, or just `CLASS/image`.
What was decoded is kept in the project's cache, so that a data set of many small files is decoded once.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from rebuttal.base.errors import InputError, refuse
from rebuttal.workloads import image_cache
from rebuttal.workloads.image_cache import Images
from rebuttal.workloads.image_tree import Tree, bad, stamp, tree_of
from rebuttal.workloads.splits import stratified

PARTS = ("train", "test")
MOST_PIXELS = 2**25  # of one image
WIDE = ("I", "F")  # modes of 16 and 32 bits: turned into 8, most of their values are white
UNREADABLE = (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, zipfile.BadZipFile,
              NotImplementedError, RuntimeError)  # fmt: skip
CACHED_FROM = 5_000  # images: fewer are decoded in a second
HELD_OUT = 10  # a tenth of the training part is for validation; of undivided images, a fifth and a fifth


def read(path: Path, side: int, *, resize: bool) -> dict[str, Images]:
    """The parts of a set of images: 'train' and 'test', or '' where there is no such division.

    Images of another size are refused, or scaled and cut to a square if `resize`.

    Raises:
        InputError: nothing there, not a zip, no or empty classes, or a file that is no image; it names the file.
    """
    cache = image_cache.place(f"{path.resolve()}\n{stamp(path)}\n{side} {resize}")
    kept = image_cache.load(cache) if cache else None
    if kept is not None:
        return kept
    tree = tree_of(path)
    parts = {part: _part(tree, names, side, resize) for part, names in _divided(tree).items()}
    if len({images.classes for images in parts.values()}) > 1:
        raise bad(path, "train and test have different classes")
    if cache is not None and len(tree.files) >= CACHED_FROM:
        image_cache.save(cache, parts)
    return parts


def divided(parts: Mapping[str, Images]) -> dict[str, Images]:
    """Training, validation and test, each class in proportion: the test part is as given where there is one."""
    seen = parts["train" if "train" in parts else ""]
    count = len(seen.labels)
    held_out = count // (HELD_OUT if "test" in parts else HELD_OUT // 2)
    if held_out < 1:
        raise refuse("images", f"{count} images", f"at least {HELD_OUT}, to hold some out for validation")
    sizes = (count - held_out, held_out) if "test" in parts else (count - 2 * held_out, held_out, held_out)
    rows = stratified("images", seen.labels, sizes)
    for number in np.setdiff1d(seen.labels, seen.labels[rows[0]]):
        images = np.count_nonzero(seen.labels == number)
        given = f"{images} of the class '{seen.classes[number]}', none of them for training"
        raise InputError(f"images: got {given}; allowed: several of each class, so that each part has some")
    found = [Images(seen.pixels[part], seen.labels[part], seen.classes) for part in rows]
    names = ("training", "validation", "test")
    return dict(zip(names, [*found, *([parts["test"]] if "test" in parts else [])], strict=True))


def _divided(tree: Tree) -> dict[str, dict[str, list[str]]]:
    """Part -> class -> names of its images, in order; refuses a part without classes and a class without images."""
    found = PARTS if _has_parts(tree) else ("",)
    parts: dict[str, dict[str, list[str]]] = {part: {} for part in found}
    for folder in sorted(tree.folders):
        part, _, name = folder.rpartition("/")
        if part in parts and (name not in {"", "."}) and not _is_hidden(folder):
            parts[part][name] = []
    for file in tree.files:
        part, _, name = str(PurePosixPath(file).parent).rpartition("/")
        if part in parts and name in parts[part] and not _is_hidden(file):
            parts[part][name].append(file)
    _refuse_empty(tree, parts)
    return parts


def _has_parts(tree: Tree) -> bool:
    """Whether `train` is a part. It is a class where it has no folders in it and stands beside other classes."""
    alone = {folder for folder in tree.folders if "/" not in folder and not _is_hidden(folder)} <= set(PARTS)
    return "train" in tree.folders and (alone or any(folder.startswith("train/") for folder in tree.folders))


def _refuse_empty(tree: Tree, parts: dict[str, dict[str, list[str]]]) -> None:
    for part, classes in parts.items():
        if len(classes) < 2:
            raise bad(tree.root, f"'{part or '.'}' has {len(classes)} class folders, two are the least")
        empty = [name for name, files in classes.items() if not files]
        if empty:
            raise bad(tree.root, f"the class folder '{PurePosixPath(part, empty[0])}' is empty")


def _is_hidden(name: str) -> bool:
    """Files that operating systems leave in folders and zips: .DS_Store, __MACOSX, Thumbs.db."""
    return any(part.startswith((".", "__")) or part == "Thumbs.db" for part in PurePosixPath(name).parts)


def _part(tree: Tree, classes: dict[str, list[str]], side: int, resize: bool) -> Images:
    names = [name for files in classes.values() for name in files]
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes.values()])
    pixels = np.empty((len(names), side, side, 3), dtype=np.uint8)
    for row, name in zip(pixels, names, strict=True):
        row[:] = _pixels(tree, name, side, resize)
    return Images(pixels, labels.astype(np.int64), tuple(classes))


def _pixels(tree: Tree, name: str, side: int, resize: bool) -> np.ndarray:
    """One image as bytes [side, side, 3]."""
    try:
        opened = Image.open(io.BytesIO(tree.read(name)))
        if opened.width * opened.height > MOST_PIXELS:
            raise bad(
                tree.root, f"'{name}' has {opened.width} x {opened.height} pixels, more than {MOST_PIXELS:,}"
            )
        if opened.mode.startswith(WIDE):
            raise bad(tree.root, f"'{name}' has more than 8 bits for each channel (mode {opened.mode})")
        image = opened.convert("RGB")
    except UNREADABLE as error:
        raise bad(
            tree.root, f"'{name}' is no image, or cut off, encrypted or packed in another way"
        ) from error
    if image.size != (side, side) and not resize:
        raise bad(tree.root, f"'{name}' has {image.size[0]} x {image.size[1]} pixels, not {side} x {side}")
    return np.asarray(image if image.size == (side, side) else _square(image, side))


def _square(image: Image.Image, side: int) -> Image.Image:
    """The middle square, scaled to the side."""
    short = min(image.size)
    left, top = ((length - short) // 2 for length in image.size)
    box = (left, top, left + short, top + short)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box)
