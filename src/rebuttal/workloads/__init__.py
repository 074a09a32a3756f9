"""Workloads by name: a model, its data, its loss and its metric. Importing this package imports no torch."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rebuttal.base.errors import refuse
from rebuttal.core import division

if TYPE_CHECKING:
    from rebuttal.workloads.workload import Workload

MODULES = {
    "digits_mlp": "rebuttal.workloads.digits",
    "digits_deep": "rebuttal.workloads.digits",
    "digits_cnn": "rebuttal.workloads.digits",
    "digits_few": "rebuttal.workloads.digits",
    "mnist_cnn": "rebuttal.workloads.mnist",
    "quadratic": "rebuttal.workloads.quadratic",
    **dict.fromkeys(("max_abs", "hinge", "quadratic_strong", "quadratic_weak"), "rebuttal.workloads.convex"),
    "digits_resnet": "rebuttal.workloads.digits",
    "digits_vit": "rebuttal.workloads.digits",
    "digits_pixelcnn": "rebuttal.workloads.pixelcnn",
    "pydoc_transformer": "rebuttal.workloads.language",
    "mnist_pixelcnn": "rebuttal.workloads.pixelcnn",
    "cifar10_alexnet": "rebuttal.workloads.cifar10",
    "cifar10_googlenet": "rebuttal.workloads.cifar10",
    "cifar10_resnet": "rebuttal.workloads.cifar10",
    "cifar10_resnet9": "rebuttal.workloads.cifar10",
    "cifar10_resnet9_bf16": "rebuttal.workloads.cifar10",
    "cifar10_vit": "rebuttal.workloads.cifar10",
    "cifar10_pixelcnn": "rebuttal.workloads.pixelcnn",
    "mnist_small_deep": "rebuttal.workloads.reduced",
    "mnist_small_few": "rebuttal.workloads.reduced",
    "mnist_small_cnn": "rebuttal.workloads.reduced",
    "mnist_half_cnn": "rebuttal.workloads.reduced",
    "mnist_small_pixelcnn": "rebuttal.workloads.pixelcnn",
    "cifar10_small_cnn": "rebuttal.workloads.reduced",
    "cifar10_small_googlenet": "rebuttal.workloads.reduced",
    **dict.fromkeys(
        (
            "mnist1d_linear",
            "mnist1d_mlp",
            "mnist1d_cnn",
            "mnist1d_resnet",
            "mnist1d_transformer",
        ),
        "rebuttal.workloads.mnist1d",
    ),
}
# What a workload's data are checked and told apart with, by the first word of its name; the others come with the
# dependencies.
CHECKS = {"mnist": "rebuttal.workloads.mnist_files", "cifar10": "rebuttal.workloads.cifar10_files"}
# Of a user's own, by the first word of names with a colon.
OWN = {
    "images": "rebuttal.workloads.images",
    "text": "rebuttal.workloads.language",
    "file": "rebuttal.workloads.own_file",
}
NAMES = tuple(MODULES)


def check_own(name: str) -> None:
    """Refuse a name with a colon that is none of a user's own workloads; nothing is read.

    Raises:
        InputError: as `user_data.parts_of`.
    """
    import_module("rebuttal.workloads.user_data").parts_of(division.base(name))


def check_data(name: str, data_root: str | Path | None) -> None:
    """Refuse, before anything starts, a workload that is unknown or whose data are missing or corrupt.

    name: one of NAMES, or one of a user's own: `images:MODEL:PATH`, `text:PATH`, `file:PATH.py`; behind it may stand
    how its data are divided among workers (`rebuttal.core.division`).

    Raises:
        InputError: one line that names the key, what is wrong and what to do about it.
    """
    if not isinstance(name, str):
        raise refuse("workload", name, NAMES)
    name = division.base(name)
    if ":" in name:
        import_module("rebuttal.workloads.user_data").check(name)
        return
    if name not in MODULES:
        raise refuse("workload", name, NAMES)
    data = name.split("_", maxsplit=1)[0]
    if data in CHECKS:
        import_module(CHECKS[data]).check(data_root)


def load(name: str, data_root: str | Path | None = None) -> "Workload":
    """The workload `name` on the CPU in float32; `data_root` is where MNIST and CIFAR-10 are.

    A relative `data_root` starts at the project's root, so a notebook's folder makes no difference.

    Raises:
        InputError: as `check_data`, or data that cannot be divided as the name says.
    """
    check_data(name, data_root)
    name, law = division.parsed(name)
    # Imported here because a workload's module imports torch, which checks and the help must not wait for.
    with import_module("rebuttal.workloads.torch_state").stated_torch():
        found = import_module(_module(name)).load(name, data_root)
    return found.divided(law) if law else found


def fingerprint(name: str, data_root: str | Path | None = None) -> str:
    """A hash of the files that a workload is made from, wherever they lie: empty for one that comes with the package.

    Of a file of code it is of the code, not of what that reads: see `content.digest`.

    Raises:
        InputError: a name of another form, or files that are not there.
    """
    name = division.base(name)
    if ":" in name:
        return import_module("rebuttal.workloads.user_data").fingerprint(name)
    data = name.split("_", maxsplit=1)[0]
    return import_module(CHECKS[data]).fingerprint(data_root) if data in CHECKS else ""


def without_place(name: str) -> str:
    """A workload's name without where its files lie: `file:`, `images:vit:`, `text:@by_class`."""
    base, law = division.parsed(name)
    kind, colon, _ = base.rpartition(":")
    return f"{kind}{colon}{law or ''}" if colon else name


def _module(name: str) -> str:
    """The module whose `load` makes the workload."""
    return MODULES[name] if name in MODULES else OWN[name.split(":", maxsplit=1)[0]]
