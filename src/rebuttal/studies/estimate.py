"""How long the rest of the pipeline takes, roughly: counted in gradients, priced by the probe's table."""

from rebuttal import paths
from rebuttal.costs import Costs
from rebuttal.errors import InputError
from rebuttal.params import Study, Variant
from rebuttal.replaying.table import Table, read_table
from rebuttal.studies.pool import cores
from rebuttal.studies.provenance import say
from rebuttal.studies.simulating import budget_batches

KINDS = ("simulate", "tune", "train")
#: Typical seconds until a step does its work: interpreter, imports, worker processes, a notebook's kernel.
START_S = {"simulate": 2.0, "tune": 4.0, "train": 8.0}
REVIEW_S = 25.0  # order statistics, the review's notebook, the site
EVENT_S = 150e-6  # of the virtual clock, for one gradient and its messages
EVALUATION = 1.25  # what evaluating costs on top of the gradients


def say_what_is_left(study: Study, kind: str, method: str) -> None:
    """One line: about how long this step, the method's next ones and the methods after it take if all must run."""
    if method not in study.methods:  # the step itself refuses it
        return
    try:
        place = study.methods.index(method)
        rest = [(k, method) for k in KINDS[KINDS.index(kind) :]]
        rest += [(k, m) for m in study.methods[place + 1 :] for k in KINDS]
        seconds = sum(stage_s(study, k, m) for k, m in rest)
    except InputError:  # an estimate is no reason to stop: the stage itself says what is wrong with its files
        return
    minutes, over = divmod(round(seconds + REVIEW_S), 60)
    say(f"{kind} {method}: this and what follows takes about {minutes}:{over:02d} if all of it must run")


def stage_s(study: Study, kind: str, method: str) -> float:
    """Estimated seconds of one step."""
    runs = {"simulate": len(study.seeds) + len(study.tuning_seeds), "train": 2 * len(study.seeds)}
    runs["tune"] = len(study.learning_rates) * len(study.tuning_seeds)
    return START_S[kind] + sum(
        runs[kind] * _run_s(study, kind, variant, workload) * len(variant.machines)
        for variant in study.of(method)
        for workload in variant.workloads
    ) / min(cores(), 8)


def _run_s(study: Study, kind: str, variant: Variant, workload: str) -> float:
    """CPU seconds of one run of a variant."""
    costs = Costs.read(paths.results() / "profile.json", workload, study.batch)
    batches = budget_batches(study, costs)
    if kind == "simulate":
        return batches * EVENT_S
    table = read_table(paths.results() / "executors.json", workload, study.batch)
    per_gradient = variant.options.get("shards", 1)
    return batches / per_gradient * _gradient_s(table, per_gradient) * EVALUATION


def _gradient_s(table: Table, batches: int) -> float:
    nearest = min(table.seconds, key=lambda n: abs(n - batches))
    return min(s for by_size in table.seconds[nearest].values() for s in by_size.values())
