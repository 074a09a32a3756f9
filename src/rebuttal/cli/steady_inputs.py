"""A stage's inputs stay as they are while it runs, or it fails: DVC notes them when it has ended, whatever it read.

What counts as an input stands in dvc.yaml: the stage's dependencies, and its keys of the parameter files.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.config import yaml_text
from rebuttal.base.errors import RunError

PIPELINE = "dvc.yaml"
#: Of a larger file the size and the time of its last change are looked at, not its content.
LARGE_BYTES = 2**20
NAMED = re.compile(r"\$\{(?:item\.)?(\w+)\}")
Inputs = dict[str, Any]  # a file, or a file and a key -> what is there


@contextlib.contextmanager
def steady(stage: str, named: Mapping[str, Any]) -> Iterator[None]:
    """Run a stage, and fail if one of its inputs is another when it has ended.

    named: what stands for `${item.paper}` in dvc.yaml. A stage that is not there has no inputs.
    Raises RunError that names the first input that has changed.
    """
    before = _inputs(stage, named)
    yield
    after = _inputs(stage, named)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            raise RunError(
                f"{name}: changed while {stage} ran, so its results are of no one state; run it again"
            )


def _inputs(stage: str, named: Mapping[str, Any]) -> Inputs:
    """The inputs of a stage as they are now."""
    root = paths.root()
    stages = yaml_text.read(root / PIPELINE).get("stages") or {}
    if stage not in stages:
        return {}
    known = yaml_text.read(root / paths.PARAMETERS) | dict(named) | {"profile": paths.profile()}
    found: Inputs = {}

    def filled(text: str) -> str:
        return NAMED.sub(lambda match: str(known.get(match[1])), text)

    for place in stages[stage].get("deps", ()):
        found |= _files(root, root / filled(place))
    for each in stages[stage].get("params", ()):
        wanted = each if isinstance(each, dict) else {paths.PARAMETERS: [each]}
        for file, keys in wanted.items():
            content = yaml_text.read(root / filled(file))
            found |= {f"{filled(file)}: {filled(key)}": _at(content, filled(key)) for key in keys}
    return found


def _files(root: Path, place: Path) -> Inputs:
    """Every file at a place, as .dvcignore leaves them, with what tells whether it has changed."""
    listed = sorted(place.rglob("*")) if place.is_dir() else [place]
    kept = [path for path in listed if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(root).as_posix(): _state(path) for path in kept}


def _state(path: Path) -> Any:
    about = path.stat()
    if about.st_size > LARGE_BYTES:
        return about.st_size, about.st_mtime_ns
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _at(content: Any, key: str) -> Any:
    """The value at a key with dots; None where there is none."""
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content
