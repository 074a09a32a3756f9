"""The stage that reads memory off timelines: every method of a study, on models at full size."""

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.machines.full_size_costs import read_models
from rebuttal.methods import method
from rebuttal.studies.analyses.memory import memory
from rebuttal.studies.params import Params
from rebuttal.studies.runs.provenance import attributes

STUDY = "comparison"  # the one that has every method
MACHINE = "h100_box"


def write_memory(params: Params) -> None:
    """Write analyses/memory.nc from the models that the analyses counted. Raises InputError."""
    study, folder = params.study(STUDY), paths.results("analyses")
    methods = {variant.label: method(variant.program, **variant.options) for variant in study.variants}
    data = memory(read_models(folder / "models.json"), methods, MACHINE, study.workers, study.batch)
    results.save(data.assign_attrs(attributes(study, clock=data.attrs["clock"])), folder / "memory.nc")
