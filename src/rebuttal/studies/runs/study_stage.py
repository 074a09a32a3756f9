"""A whole study: every method simulated, tuned and trained, with results in one file of each kind.

`write_study` is a stage of the pipeline: it executes the notebook that does this, so that every run has a notebook to
look at. What was computed before is read from the store of replays, so a change to one method costs that method alone.
"""

import os

from rebuttal.base import paths
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.estimate import say_what_is_left
from rebuttal.studies.runs.notebook_execution import execute
from rebuttal.studies.runs.simulating import simulate_method
from rebuttal.studies.runs.study_runs import ALL
from rebuttal.studies.runs.task_progress import LINES
from rebuttal.studies.runs.training import train_method
from rebuttal.studies.runs.tuning import tune_method


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
