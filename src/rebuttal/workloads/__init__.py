"""Workloads by name: a model, its data, its loss and its metric. Importing this package imports no torch."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rebuttal.errors import refuse
from rebuttal.workloads import mnist_files

if TYPE_CHECKING:
    from rebuttal.workloads.workload import Workload

MODULES = {
    "digits_mlp": "rebuttal.workloads.digits",
    "digits_deep": "rebuttal.workloads.digits",
    "digits_cnn": "rebuttal.workloads.digits",
    "mnist_cnn": "rebuttal.workloads.mnist",
    "quadratic": "rebuttal.workloads.quadratic",
}
NAMES = tuple(MODULES)


def check_data(name: str, data_root: str | Path | None) -> None:
    """Refuse, before anything starts, a workload that is unknown or whose data are missing or corrupt.

    Raises:
        InputError: one line that names the key, what is wrong and what to do about it.
    """
    if name not in MODULES:
        raise refuse("workload", name, NAMES)
    if name == "mnist_cnn":
        mnist_files.check(data_root)


def load(name: str, data_root: str | Path | None = None) -> "Workload":
    """The workload `name` on the CPU in float32; `data_root` is needed by mnist_cnn only.

    A relative `data_root` starts at the project's root, so a notebook's folder makes no difference.

    Raises:
        InputError: as `check_data`.
    """
    check_data(name, data_root)
    # Imported here because a workload's module imports torch, which checks and the help must not wait for.
    return import_module(MODULES[name]).load(name, data_root)
