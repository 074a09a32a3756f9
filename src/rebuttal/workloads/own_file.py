"""A workload from a Python file of the user's own, outside the package."""

from pathlib import Path

from rebuttal.base import own_code
from rebuttal.base.errors import refuse
from rebuttal.workloads.model_trial import try_model
from rebuttal.workloads.sample_checks import check_samples
from rebuttal.workloads.workload import Workload

KEY = "workload"


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """The workload that `load(name, data_root)` returns, in the file of a name `file:PATH.py`.

    Raises:
        InputError: no such file, one that fails, no function `load` in it, what it returns is no Workload, or one
            whose samples or model cannot be trained with.
    """
    module = own_code.loaded(name, KEY).module
    if not callable(getattr(module, "load", None)):
        raise refuse(KEY, name, "a file with a function load(name, data_root)")
    workload = module.load(name, data_root)
    if not isinstance(workload, Workload):
        raise refuse(KEY, name, "a file whose load(name, data_root) returns a Workload")
    check_samples(workload)
    try_model(workload)
    return workload
