"""The stage of the analyses: all that is computed without training, from figures of machines and small problems."""

import time

from rebuttal.studies.params import Params
from rebuttal.studies.runs.provenance import say
from rebuttal.studies.stages.adversarial_stage import write_adversarial
from rebuttal.studies.stages.delays_stage import write_delays
from rebuttal.studies.stages.equivalence_stage import write_equivalence
from rebuttal.studies.stages.full_size_stage import write_analyses
from rebuttal.studies.stages.memory_stage import write_memory
from rebuttal.studies.stages.rates_stage import write_rates
from rebuttal.studies.stages.stragglers_stage import write_order_statistics

#: In an order in which each finds the files that it reads: memory and rates take the models of the analyses.
STEPS = (
    write_order_statistics,
    write_analyses,
    write_memory,
    write_equivalence,
    write_delays,
    write_rates,
    write_adversarial,
)


def write_all(params: Params) -> None:
    """Write every file of results/PROFILE/analyses but those of real and of trained runs. Raises InputError."""
    for step in STEPS:
        began = time.monotonic()
        step(params)
        say(f"{step.__name__.removeprefix('write_').replace('_', ' ')}: {time.monotonic() - began:.0f} s")
