"""Studies: what is run for a paper, on what and how often. The one place where methods, workloads and machines meet.

Notebooks use two names: `study(name)` is the study that params.yaml describes, `train(name, method)` trains one of
its methods and returns the curves.
"""

import xarray as xr

from rebuttal import params
from rebuttal.params import Study
from rebuttal.studies.training import train_method


def study(name: str) -> Study:
    """The study of that name under the selected profile. Raises InputError."""
    return params.load().study(name)


def train(name: str, method: str) -> xr.Dataset:
    """Train all variants of one method of a study and write its result files; the curves. Raises InputError."""
    loaded = params.load()
    return train_method(loaded, loaded.study(name), method)
