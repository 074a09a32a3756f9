"""A whole study: every method simulated, tuned and trained, with results in one file of each kind.

`write_study` is a stage of the pipeline: it executes the notebook that does this, so that every run has a notebook to
look at. What was computed before is read from the store of replays, so a change to one method costs that method alone.
"""

import os

from rebuttal import paths
from rebuttal.execution import execute
from rebuttal.params import Params, Study
from rebuttal.studies.estimate import say_what_is_left
from rebuttal.studies.progress import LINES
from rebuttal.studies.runs import ALL
from rebuttal.studies.simulating import simulate_method
from rebuttal.studies.training import train_method
from rebuttal.studies.tuning import tune_method


def run_study(params: Params, study: Study) -> None:
    """Write the study's timelines, summaries, tuning and training results, each under the name `all`."""
    simulate_method(study, ALL, params.engine)
    tune_method(params, study, ALL)
    train_method(params, study, ALL)


def write_study(params: Params, name: str) -> None:
    """Execute notebooks/train.ipynb for a study; the result files, and the notebook beside them. Raises InputError."""
    study = params.study(name)
    say_what_is_left(params, study)
    os.environ.setdefault(LINES, "1")  # progress as lines: nobody looks at the notebook yet
    notebook = paths.root() / "notebooks" / "train.ipynb"
    execute(notebook, paths.results(study.name) / "notebooks" / notebook.name, {"study": study.name})
