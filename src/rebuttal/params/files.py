"""params.yaml and the files of the folder `params` beside it: together, the parameters of a project.

A section may stand in params.yaml, or in a file of its own that has its name: params/quick.yaml is the section `quick`.
DVC reads each of these files again for every stage that depends on it, so small ones keep a pipeline quick in which
nothing has changed.
"""

from pathlib import Path
from typing import Any

from rebuttal.errors import InputError
from rebuttal.params import brackets, text

FOLDER = "params"


def of(path: Path) -> list[Path]:
    """The files that belong to a parameter file, itself first; the others by name."""
    return [path, *sorted((path.parent / FOLDER).glob("*.yaml"))]


def read(path: Path) -> dict[str, Any]:
    """Every section as plain dicts, lists and scalars. Raises InputError for a file's error, or a section twice."""
    first, *others = of(path)
    content = text.read(first)
    brackets.check(first, first.name)
    for file in others:
        if file.stem in content:
            raise InputError(
                f"{file.stem}: got this section in {path.name} and in {FOLDER}/{file.name}; allowed: one of the two"
            )
        name = f"{FOLDER}/{file.name}"
        content[file.stem] = text.read(file, name)
        brackets.check(file, name)
    return content
