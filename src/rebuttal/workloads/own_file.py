"""A workload from a Python file of the user's own, outside the package."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from rebuttal.errors import refuse
from rebuttal.workloads import user_data
from rebuttal.workloads.workload import Workload


def load(name: str, data_root: str | Path | None = None) -> Workload:
    """What `load(name, data_root)` of the file of a name `file:PATH.py` returns.

    Raises:
        InputError: no such file, no function `load` in it, or what it returns is no Workload.
    """
    _, _, path = user_data.parts_of(name)
    spec = spec_from_file_location(f"rebuttal_own_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise refuse("workload", name, "a Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # so that what it defines can be pickled
    spec.loader.exec_module(module)
    if not callable(getattr(module, "load", None)):
        raise refuse("workload", name, "a file with a function load(name, data_root)")
    workload = module.load(name, data_root)
    if not isinstance(workload, Workload):
        raise refuse("workload", name, "a file whose load(name, data_root) returns a Workload")
    return workload
