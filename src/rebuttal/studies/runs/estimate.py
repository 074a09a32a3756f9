"""How long a study takes, roughly: counted in gradients, priced by the probe's table where there is one."""

from rebuttal.base import devices
from rebuttal.base.errors import InputError
from rebuttal.studies.params import Params, Study, Variant
from rebuttal.studies.runs.executor_choice import stored
from rebuttal.studies.runs.pool import cores
from rebuttal.studies.runs.provenance import say
from rebuttal.studies.runs.simulating import budget_batches
from rebuttal.studies.runs.study_costs import costs_of
from rebuttal.studies.runs.tuning import runs_of_each

KINDS = ("simulate", "tune", "train")
START_S = 12.0  # typical seconds until a study does its work: imports, processes, a notebook's kernel
EVENT_S = 150e-6  # of the virtual clock, for one gradient and its messages
EVALUATION = 1.25  # what evaluating costs on top of the gradients


def say_what_is_left(params: Params, study: Study) -> None:
    """One line: about how long the study takes, and the studies after it, if all of them must run."""
    names = list(params.studies)
    rest = names[names.index(study.name) + 1 :] if study.name in names else []
    try:
        seconds = study_s(params, study)
        left = sum(study_s(params, params.study(name)) for name in rest)
    except InputError:  # an estimate is no reason to stop: the stage itself says what is wrong with its files
        return
    after = f", and {', '.join(rest)} another {_minutes(left)}" if rest else ""
    say(f"study {study.name}: about {_minutes(seconds)} minutes{after}, if all of it must run")


def _minutes(seconds: float) -> str:
    minutes, over = divmod(round(seconds), 60)
    return f"{minutes}:{over:02d}"


def study_s(params: Params, study: Study) -> float:
    """Estimated seconds of a study."""
    device = devices.choose(params.device)
    runs = {
        "simulate": len(study.seeds) + len(study.tuning_seeds),
        "tune": runs_of_each(study),
        "train": len(study.seeds),
    }
    places = [(variant, workload) for variant in study.variants for workload in variant.workloads]
    return START_S + sum(
        runs[kind]
        * _run_s(study, kind, variant, workload, device)
        * len(variant.machines)
        * _rates(kind, variant)
        for variant, workload in places
        for kind in KINDS
    ) / min(cores(), 8)


def _rates(kind: str, variant: Variant) -> int:
    """At how many learning rates each of the runs is made that `runs` counts."""
    return 2 if kind == "train" and variant.untuned else 1


def _run_s(study: Study, kind: str, variant: Variant, workload: str, device: str) -> float:
    """CPU seconds of one run of a variant."""
    costs = costs_of(study, workload)
    batches = budget_batches(study, costs)
    if kind == "simulate":
        return batches * EVENT_S
    table = stored(study, workload, device)
    shards = variant.options.get("shards", 1)
    gradient_s = table.quickest_s(shards) if table else costs.gradient_s(shards)
    return batches / shards * gradient_s * EVALUATION
