"""What a paper brings itself: methods in papers/PAPER/own/*.py, and machines in its study.yaml."""

from dataclasses import replace
from pathlib import Path

from rebuttal import methods
from rebuttal.base.errors import InputError
from rebuttal.machines import own_machines
from rebuttal.studies.params.nameable import Catalogue
from rebuttal.studies.params.schema import StudyFile

FOLDER = "own"


def with_own(names: Catalogue, content: StudyFile, folder: Path) -> Catalogue:
    """The catalogue with the methods and machines of the paper in `folder`, which only its own study may name.

    A program that the study names and the package has not is looked for in own/PROGRAM.py.

    Raises:
        InputError: a machine or a method of its own that cannot be.
    """
    wanted = {method.program for method in content.methods.values()} - set(names.programs)
    project = folder.parents[1]
    found = {name: folder / FOLDER / f"{name}.py" for name in sorted(wanted)}
    files = {
        name: f"file:{path.relative_to(project).as_posix()}" for name, path in found.items() if path.is_file()
    }
    machines = own_machines.machines_of(content.machines)
    programs = {name: _program(name, file) for name, file in files.items()}
    return replace(
        names,
        programs={**names.programs, **programs},
        machines=[*names.machines, *machines],
        own_programs=files,
        own_machines=machines,
    )


def _program(name: str, file: str) -> type:
    try:
        return methods.program(file)
    except InputError as error:
        raise InputError(f"methods: program {name}: {error}") from None
