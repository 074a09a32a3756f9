"""Where the project's files are: the only place that knows folders."""

import contextlib
import contextvars
import os
import re
from collections.abc import Iterator
from pathlib import Path

from rebuttal.base.errors import InputError, nearest

PARAMETERS = "params.yaml"
#: The environment variable that names the profile in the place of params.yaml: a command sets it for what it starts.
PROFILE = "REBUTTAL_PROFILE"
DEFAULTS = {"profile": "quick", "device_costs": "here"}  # of a project without these lines in params.yaml

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


def setting(name: str) -> str:
    """The value of the line `name: ...` in params.yaml, unchecked; the default if there is no such line.

    Only for what decides where files are; everything else is read, and checked, by `rebuttal.studies.params`.
    """
    file = root() / PARAMETERS
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    found = re.search(rf"^{name}:[ \t]*['\"]?([^\s#'\"]+)", text, re.MULTILINE)
    return found[1] if found else DEFAULTS[name]


def profile() -> str:
    """The name of the profile that is run or looked at: the command's, or the one in params.yaml."""
    return os.environ.get(PROFILE) or setting("profile")


def results(study: str | None = None) -> Path:
    """The folder of the profile's result files, of one study if it is named."""
    folder = root() / "results" / profile()
    return folder / study if study else folder


def site() -> Path:
    """The folder that the profile's pages are written to; the published ones are copied from there to reports/."""
    return root() / "reports" / profile()


def device_costs() -> Path:
    """The file of the device whose costs the virtual clock uses: the one that params.yaml names."""
    return devices() / f"{setting('device_costs')}.json"


def devices() -> Path:
    """The folder of the cost profiles of named devices."""
    return root() / "reference" / "devices"


def papers() -> Path:
    """The folder in which every paper has its own."""
    return root() / "papers"


def study(study: str | Path) -> Path:
    """The folder of a study's results, given its path or its name. Raises InputError if there is none."""
    if not isinstance(study, str | Path) or not str(study):
        raise InputError(f"study: got {study!r}; allowed: the name of a study, or the path of its results")
    folder = Path(study) if Path(study).is_dir() else results(str(study))
    if not folder.is_dir():
        known = [p.name for p in folder.parent.glob("*") if p.is_dir()] if folder.parent.is_dir() else []
        raise InputError(f"study: got {str(study)!r}; allowed: a folder of results, or one of {sorted(known)}"
                         f"{nearest(study, known)}")  # fmt: skip
    return folder
