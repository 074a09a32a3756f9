"""Where the project's files are: the only place that knows folders."""

from pathlib import Path

from rebuttal.errors import InputError


def root(start: Path | None = None) -> Path:
    """The project's root: the nearest folder, upwards from `start` (default: here), that holds dvc.yaml.

    JupyterLab starts in a notebook's folder and DVC in the root; both find the same one.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise InputError(f"project root: no dvc.yaml in {here} or above; run inside a checkout of the project")


def results(study: str | None = None) -> Path:
    """The folder of result files, of one study if it is named."""
    return root() / "results" / study if study else root() / "results"
