"""Workloads of a user's own, by names that say where they are. No torch.

| name                | what it is                                                                            |
|---------------------|---------------------------------------------------------------------------------------|
| `images:MODEL:PATH` | classification of the images in a folder or zip, one folder for each class            |
| `text:PATH`         | a character-level language model of a UTF-8 text                                      |
| `file:PATH.py`      | whatever that file's `load(name, data_root)` returns                                  |
"""

from pathlib import Path

from rebuttal.base import own_code, own_files
from rebuttal.base.errors import refuse
from rebuttal.workloads import image_files, image_tree, text_files

KINDS = ("images", "text", "file")
VISION_MODELS = ("alexnet", "googlenet", "resnet", "resnet9", "resnet9_bf16", "vit")
SIDE = 32  # to which images are scaled


def parts_of(name: str) -> tuple[str, str, Path]:
    """(kind, model, path) of a name; the model is empty but for images.

    Raises:
        InputError: a name of another form, or an unknown model.
    """
    kind, _, rest = name.partition(":")
    model, _, path = rest.partition(":") if kind == "images" else ("", "", rest)
    if kind not in KINDS or not path:
        raise refuse("workload", name, "images:MODEL:PATH, text:PATH or file:PATH.py")
    if kind == "images" and model not in VISION_MODELS:
        raise refuse("workload's model", model, VISION_MODELS)
    return kind, model, own_code.resolved(path)


def check(name: str) -> None:
    """Refuse data that are missing or cannot be used. Raises InputError: one line that names the file."""
    kind, _, path = parts_of(name)
    if kind == "images":
        image_files.divided(image_files.read(path, SIDE, resize=True))
    elif kind == "text":
        text_files.read(path)
    else:
        own_code.path_of(name, "workload")


def fingerprint(name: str) -> str:
    """A hash of the content, of code, a text or images, wherever it lies. Raises InputError as `parts_of`."""
    kind, _, path = parts_of(name)
    return own_code.fingerprint(name, "workload") if kind == "file" else content_digest(path)


def content_digest(path: Path) -> str:
    """The SHA-256 of a text, of images, or of code and what it brings in from beside it. Raises InputError."""
    return own_files.digest(path) if path.suffix == ".py" and path.is_file() else image_tree.digest(path)
