"""Small folders and zips of images, a colour for each class with noise on it."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

PARTS = {"train": 12, "test": 3}  # images of each class


def write_images(folder: Path, classes: int = 10, side: int = 32, parts=PARTS) -> Path:
    """folder/PART/CLASS/NN.png; a part named '' puts the classes directly into the folder."""
    random = np.random.default_rng(0)
    for part, count in parts.items():
        for label in range(classes):
            place = folder / part / f"class{label}"
            place.mkdir(parents=True)
            for number in range(count):
                noise = random.integers(0, 60, (side, side, 3))
                pixels = np.clip(noise + np.array([20 * label, 200 - 15 * label, 90]), 0, 255).astype(
                    np.uint8
                )
                Image.fromarray(pixels).save(place / f"{number:02}.png")
    return folder


def zipped(folder: Path, target: Path) -> Path:
    """The files of a folder in a zip that does not list its folders."""
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder).as_posix())
    return target
