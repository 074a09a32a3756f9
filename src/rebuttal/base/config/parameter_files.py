"""The parameter files of a project: params.yaml, and the study of each paper in papers/PAPER/study.yaml.

DVC reads each of these files again for every stage that depends on it, so small ones keep a pipeline quick in which
nothing has changed.
"""

from pathlib import Path

from rebuttal.base import paths
from rebuttal.base.config import yaml_text

STUDY = "study.yaml"


def study_file(project: Path, paper: str) -> Path:
    """The file of a paper's study."""
    return project / "papers" / paper / STUDY


def studied(project: Path) -> list[str]:
    """The folders of papers/ that have a study, by name."""
    return sorted(path.parent.name for path in (project / "papers").glob(f"*/{STUDY}"))


def listed(project: Path) -> list[str]:
    """The papers that params.yaml lists: their studies are run. Nothing is checked."""
    file = project / paths.PARAMETERS
    return list(yaml_text.read(file).get("papers", [])) if file.is_file() else studied(project)


def of(path: Path) -> list[Path]:
    """The files that belong to a parameter file, itself first."""
    return [path, *(study_file(path.parent, paper) for paper in studied(path.parent))]
