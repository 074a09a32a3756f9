"""The steps of a study, by its name: what notebooks call.

A notebook that trains calls, in this order: `study(name)`, which params.yaml and papers/NAME/study.yaml describe;
`run_clock(name)`, `tune(name)` and `train(name)`, each of which writes its result files and returns them. Without the
earlier files the later steps make them first.
"""

import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.studies import params
from rebuttal.studies.params import Study
from rebuttal.studies.runs.simulating import simulate_method
from rebuttal.studies.runs.study_runs import ALL
from rebuttal.studies.runs.training import train_method
from rebuttal.studies.runs.tuning import tune_method


def study(name: str) -> Study:
    """The study of that name under the selected profile. Raises InputError."""
    return params.load().study(name)


def run_clock(name: str) -> xr.Dataset:
    """Run the virtual clock for every run of a study; what was read off the time lines. Raises InputError."""
    loaded = params.load()
    simulate_method(loaded.study(name), ALL, loaded.engine)
    return results.load_summaries(name)


def tune(name: str) -> xr.Dataset:
    """Find the learning rate of every variant of a study; losses by rate, and the best. Raises InputError."""
    loaded = params.load()
    if not any(paths.results(name).glob("summaries/*.nc")):
        run_clock(name)
    tune_method(loaded, loaded.study(name), ALL)
    return results.load_tuning(name)


def train(name: str) -> xr.Dataset:
    """Train every variant of a study at its tuned and at the shared rate; the curves. Raises InputError."""
    loaded = params.load()
    if not any(paths.results(name).glob("tuning/*.nc")):
        tune(name)
    return train_method(loaded, loaded.study(name), ALL)
