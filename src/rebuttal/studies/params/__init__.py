"""params.yaml and the studies of the papers: read, checked as a whole, turned into what a study needs.

`load().study("backup-workers")` is the profile's numbers with every variant of every method, from
papers/backup-workers/study.yaml: a study has the name of its paper's folder. Whatever is wrong, `load` raises one
`InputError` of one line: the file, the dotted key, what was given, what is allowed, and the nearest valid name; nothing
starts before.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.config import parameter_files, refusals, yaml_text
from rebuttal.base.errors import InputError, refuse
from rebuttal.studies.params import checks, engine_choice, expansion, fitting, own_parts, schema
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.params.nameable import Catalogue, installed
from rebuttal.studies.params.study import Analyses, Study, Variant

__all__ = ["Analyses", "Catalogue", "Params", "Study", "Variant", "installed", "load"]


@dataclass(frozen=True)
class Params:
    """params.yaml under one profile.

    studies: those of the papers that params.yaml lists, by name; they are run. others: those that it does not list, or
    what is wrong with them. device_costs: the file of the device whose costs the virtual clock uses.
    """

    profile: str
    device: str  # "auto", "cpu" or "cuda"
    data_root: Path  # absolute
    studies: dict[str, Study]
    analyses: Analyses
    engine: str = LOCAL  # or the address of a Dask scheduler
    device_costs: str = "here"
    others: Mapping[str, Study | InputError] = field(default_factory=dict)

    def study(self, name: str) -> Study:
        """The numbers and variants of one study, listed or not. Raises InputError for an unknown or a broken one."""
        known = {**self.others, **self.studies}
        if not isinstance(name, str) or name not in known:
            raise refuse("study", name, known)
        found = known[name]
        if isinstance(found, InputError):
            raise found
        return found


def load(path: Path | None = None, catalogue: Catalogue | None = None) -> Params:
    """Read and check params.yaml and the studies of the papers that it lists.

    The profile is that of the command (the environment variable `paths.PROFILE`), else that of the file.

    Args:
        path: default: params.yaml in the project's root. The studies are in the folder `papers` beside it.
        catalogue: the programs, workloads and machines that may be named; default: those of the package.

    Raises:
        InputError: one line about the first thing that is wrong.
    """
    path = path or paths.root() / paths.PARAMETERS
    names = catalogue or installed()
    file = refusals.validate(schema.ParamsFile, yaml_text.read(path))
    profile = os.environ.get(paths.PROFILE) or file.profile
    if profile not in schema.PROFILES:
        raise refuse("profile", profile, schema.PROFILES)
    engine_choice.check(file.engine)
    for each in schema.PROFILES:
        checks.analyses(file, each, names)
    _check_papers(file.papers, path.parent)
    studies = [_study(file, path.parent, paper, profile, names) for paper in file.papers]
    others = {
        paper: _study_or_error(file, path.parent, paper, profile, names)
        for paper in parameter_files.studied(path.parent)
        if paper not in file.papers
    }
    analyses = expansion.analyses(file, profile)
    data_root = path.parent.resolve() / Path(file.data_root).expanduser()
    _check_data([*studies, analyses], data_root, names)
    return Params(
        profile,
        file.device,
        data_root,
        {study.name: study for study in studies},
        analyses,
        file.engine,
        file.device_costs,
        others,
    )


def _check_papers(given: list[str], project: Path) -> None:
    """Each paper once, and each one with a study."""
    known = parameter_files.studied(project)
    for index, paper in enumerate(given):
        if paper not in known:
            raise refuse(f"papers.{index}", paper, known)
        if paper in given[:index]:
            raise refuse(f"papers.{index}", paper, "papers that differ from each other")


def _study(file: schema.ParamsFile, project: Path, paper: str, profile: str, names: Catalogue) -> Study:
    """The study of one paper, checked under every profile."""
    place = parameter_files.study_file(project, paper)
    name = place.relative_to(project).as_posix()
    try:
        content = refusals.validate(schema.StudyFile, yaml_text.read(place, name))
        names = own_parts.with_own(names, content, place.parent)
        for each in schema.PROFILES:
            checks.numbers(file, content, each, names)
        return expansion.study(file, content, paper, profile, names)
    except InputError as error:
        said = str(error)
        raise InputError(said if said.startswith(name) else f"{name}: {said}") from None


def _study_or_error(*given: Any) -> Study | InputError:
    """The study of a paper that is not run; what is wrong with it, for whoever asks for it all the same."""
    try:
        return _study(*given)
    except InputError as error:
        return error


def _check_data(sections: Iterable[Study | Analyses], data_root: Path, names: Catalogue) -> None:
    """Refuse workloads whose data are not there, and methods that cannot train them."""
    for section in sections:
        for workload in section.workloads:
            names.check_data(workload, data_root)
        if isinstance(section, Study):
            fitting.check(section, {name: names.shape_of(name, data_root) for name in section.workloads})
