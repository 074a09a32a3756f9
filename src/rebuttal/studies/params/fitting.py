"""Whether a method can train a workload on so many workers: its programs, started on symbols, show what they need.

A method says nowhere how many layers it must have. It asks the task for stages before its first request, and for what
local losses start from; so both are known when every program has come that far, and nothing has been computed.
"""

from collections.abc import Mapping

from rebuttal.base.errors import InputError
from rebuttal.core import division
from rebuttal.core.graph import Arguments, Graph
from rebuttal.core.task import Task
from rebuttal.methods import method, reads
from rebuttal.studies.params.study import Study, Variant
from rebuttal.workloads.stage_shape import Shape


def check(study: Study, shapes: Mapping[str, Shape]) -> None:
    """Refuse what a variant of a study cannot train, given each workload's shape.

    Raises:
        InputError: more stages than a workload has layers, a local loss that a workload cannot have, or data that
            cannot be divided among so many.
    """
    for variant in study.variants:
        for name in variant.workloads:
            try:
                _check(variant, name, variant.workers or study.workers_of(name), shapes[name])
            except InputError as error:
                raise InputError(_said(str(error), study, variant, name)) from None


def _check(variant: Variant, workload: str, workers: int, shape: Shape) -> None:
    readers = reads(method(variant.program, **variant.options), workers)
    base, law = division.parsed(division.bound(workload, readers))
    if law:
        law.check(base, shape.classes)
    for operation, place in _needs(variant, workers, shape.layers):
        if operation == "classifier" or (operation == "synthesizer" and place[2]):
            shape.check_classes()
        if operation == "synthesizer":
            shape.check_synthesizer(int(place[0]), int(place[1]))


def _needs(variant: Variant, workers: int, layers: int) -> list[tuple[str, Arguments]]:
    """The operations that a method starts from, with their arguments. Raises InputError for too many stages."""
    chosen, graph = method(variant.program, **variant.options), Graph()
    task = Task(graph.symbol, layer_bytes=(1,) * layers)
    for running in chosen.programs(range(chosen.nodes(workers)), task).values():
        next(running)
    return list(zip(graph.operations, graph.arguments, strict=True))


def _said(line: str, study: Study, variant: Variant, workload: str) -> str:
    """The refusal with the key of params.yaml that it is about, and the method and the workload that it is for."""
    key, _, rest = line.partition(": ")
    key = f"{study.profile}.{study.name}.{'workloads' if key == 'workload' else key}"
    return f"{key}: {rest}, for {study.name}.methods.{variant.method} on {workload}"
