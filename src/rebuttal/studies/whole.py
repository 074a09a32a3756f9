"""A whole study in one stage: every method simulated, tuned and trained, with results in one file of each kind.

For studies of many methods with few runs each, where a pipeline stage per method would take longer to start than to
compute. What was computed before is read from the store of replays, so a change to one method costs that method alone.
"""

from rebuttal.params import Params, Study
from rebuttal.studies.runs import ALL
from rebuttal.studies.simulating import simulate_method
from rebuttal.studies.training import train_method
from rebuttal.studies.tuning import tune_method


def run_study(params: Params, study: Study) -> None:
    """Write the study's timelines, summaries, tuning and training results, each under the name `all`."""
    simulate_method(study, ALL, params.engine)
    tune_method(params, study, ALL)
    train_method(params, study, ALL)
