"""Files and folders that are written whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write the file or folder that is to stand at `path`.

    When the block ends, it takes the place of what is there. If the block fails or the process is killed, `path` stays
    as it was. Processes that write the same path do not meet before the end: the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if partial.is_dir():  # a folder replaces no other folder that has content
            shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write a text file in UTF-8; its path."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path
