"""Where the project's files are: the only place that knows folders."""

import contextlib
import contextvars
from collections.abc import Iterator
from pathlib import Path

from rebuttal.errors import InputError, nearest

#: (the folder in the project's place, the project on the machine that sent the work) in a unit that was sent elsewhere.
_elsewhere: contextvars.ContextVar[tuple[Path, Path] | None] = contextvars.ContextVar(
    "elsewhere", default=None
)


def root(start: Path | None = None) -> Path:
    """The project's root: the nearest folder, upwards from `start` (default: here), that holds dvc.yaml.

    JupyterLab starts in a notebook's folder and DVC in the root; both find the same one.
    """
    elsewhere = _elsewhere.get()
    if start is None and elsewhere:
        return elsewhere[0]
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise InputError(f"project root: no dvc.yaml in {here} or above; run inside a checkout of the project")


def given() -> Path:
    """Where relative paths to a user's own files start: the project, as the machine that sent the work knows it."""
    elsewhere = _elsewhere.get()
    return elsewhere[1] if elsewhere else root()


@contextlib.contextmanager
def within(folder: Path, project: Path) -> Iterator[None]:
    """Take `folder` for the project's root, for a unit of work that came from `project` on another machine."""
    token = _elsewhere.set((folder, project))
    try:
        yield
    finally:
        _elsewhere.reset(token)


def results(study: str | None = None) -> Path:
    """The folder of result files, of one study if it is named."""
    return root() / "results" / study if study else root() / "results"


def study(study: str | Path) -> Path:
    """The folder of a study's results, given its path or its name. Raises InputError if there is none."""
    folder = Path(study) if Path(study).is_dir() else results(str(study))
    if not folder.is_dir():
        known = [p.name for p in folder.parent.glob("*") if p.is_dir()] if folder.parent.is_dir() else []
        raise InputError(f"study: got {str(study)!r}; allowed: a folder of results, or one of {sorted(known)}"
                         f"{nearest(study, known)}")  # fmt: skip
    return folder
