"""params.yaml and the folder params: read, checked as a whole, turned into what a study needs; nothing starts before.

`load().study("backup_workers")` is the selected profile's numbers with every variant of every method. Whatever is
wrong in them, `load` raises one `InputError` of one line: the dotted key, what was given, what is allowed, and
the nearest valid name.
"""

from dataclasses import dataclass
from pathlib import Path

from rebuttal import paths
from rebuttal.errors import refuse
from rebuttal.params import checks, engine, expansion, files, fitting, refusals, schema
from rebuttal.params.catalogue import Catalogue, installed
from rebuttal.params.engine import LOCAL
from rebuttal.params.study import Analyses, Study, Variant

__all__ = ["Analyses", "Catalogue", "Params", "Study", "Variant", "installed", "load"]


@dataclass(frozen=True)
class Params:
    """params.yaml under its selected profile."""

    profile: str
    device: str  # "auto", "cpu" or "cuda"
    data_root: Path  # absolute
    studies: dict[str, Study]
    analyses: Analyses
    engine: str = LOCAL  # or the address of a Dask scheduler

    def study(self, name: str) -> Study:
        """The numbers and variants of one study. Raises InputError for an unknown name."""
        if name not in self.studies:
            raise refuse("study", name, self.studies)
        return self.studies[name]


def load(path: Path | None = None, catalogue: Catalogue | None = None) -> Params:
    """Read and check a parameter file.

    Args:
        path: default: params.yaml in the project's root. Sections may stand in the folder `params` beside it.
        catalogue: the programs, workloads and machines that may be named; default: those of the package.

    Raises:
        InputError: one line about the first thing that is wrong.
    """
    path = path or paths.root() / "params.yaml"
    names = catalogue or installed()
    content = files.read(path)
    file = refusals.validate(schema.file_for(content), content)
    engine.check(file.engine)
    for profile in schema.PROFILES:
        checks.numbers(file, profile, names)
    studies = {name: expansion.study(file, name, names) for name in file.studies}
    analyses = expansion.analyses(file)
    data_root = path.parent.resolve() / Path(file.data_root).expanduser()
    for section in (*studies.values(), analyses):
        for workload in section.workloads:
            names.check_data(workload, data_root)
    for study in studies.values():
        fitting.check(study, {name: names.shape_of(name, data_root) for name in study.workloads})
    return Params(file.profile, file.device, data_root, studies, analyses, file.engine)
