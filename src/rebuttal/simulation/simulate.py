"""Run one method on one virtual machine: a timeline, and no training."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from rebuttal.base import arguments, own_code
from rebuttal.base.errors import refuse
from rebuttal.base.garbage import not_collected
from rebuttal.base.paths import device_costs
from rebuttal.core import division
from rebuttal.core.graph import Graph
from rebuttal.core.task import Draws, Task
from rebuttal.core.timeline import Recorder, Timeline
from rebuttal.machines import Machine
from rebuttal.machines import machine as found
from rebuttal.machines.costs import Costs
from rebuttal.machines.hardware import Measured
from rebuttal.methods import Method, called, check_workers, chosen_of, draws, reads
from rebuttal.simulation.cluster.budget import Budget
from rebuttal.simulation.cluster.request_costs import MachinePricing, layer_bytes
from rebuttal.simulation.cluster.virtual import VirtualCluster


@not_collected()
def simulate(  # noqa: PLR0913 - the axes of an experiment, all by name
    program: str | Method,
    *,
    machine: str | Machine = "paper_cluster",
    workload: str = "digits_mlp",
    workers: int = 16,
    seed: int = 0,
    updates: int | None = None,
    batches: int | None = None,
    options: dict[str, Any] | None = None,
    batch: int = 32,
    costs: Costs | None = None,
) -> Timeline:
    """The timeline of a method (its name, with `options`, or the method itself) on a virtual machine.

    A method's name is one of METHODS, or `file:PATH.py` for a file of your own.

    The run ends after `updates` updates (default 100), or once `batches` batches of `batch` samples have gone into
    updates. `costs` are the workload's measured costs (default: those of the device that params.yaml names; a machine
    with stated costs needs none). Raises InputError for an unknown name or an impossible value.
    """
    chosen = chosen_of(program, options)
    where = found(machine)
    arguments.text("workload", workload, "the name of a workload")
    workers, seed = arguments.whole("workers", workers, 1, arguments.MOST_WORKERS), arguments.seed(seed)
    batch = arguments.whole("batch", batch)
    check_workers(chosen, workers)
    if costs is None and isinstance(where.compute, Measured):
        costs = Costs.read(device_costs(), workload, batch)
    if updates is None and batches is None:
        updates = 100
    graph = Graph()
    task = Task(graph.symbol, layer_bytes(where, costs), Draws(seed))
    about = _about(chosen, program, where, workload, workers, seed, batch)
    recorder = Recorder(about)
    pricing = MachinePricing(where, costs, seed, chosen.servers)
    VirtualCluster(pricing, Budget(updates, batches), recorder).run(
        chosen.programs(range(chosen.nodes(workers)), task)
    )
    if task.draws.made and not draws(chosen):
        raise refuse(f"{about['method']}.draws", False, "True (ClassVar) for a method that asks task.drawn")
    timeline = recorder.timeline(graph)
    _check_readers(timeline, chosen.nodes(workers) - chosen.servers)
    return timeline


def _check_readers(timeline: Timeline, workers: int) -> None:
    """Refuse a run in which nobody reads some of the data, though every worker has computed."""
    law = division.parsed(timeline.about["workload"])[1]
    done = timeline.computes["completed"] & (timeline.computes["node"] >= timeline.about["servers"])
    if law is None or len(set(timeline.computes["node"][done].tolist())) < workers:
        return
    graph = timeline.graph
    named = (
        arguments[::2] if operation == "gradient" else arguments[:1]
        for operation, arguments in zip(graph.operations, graph.arguments, strict=True)
        if operation in ("gradient", "input")
    )
    read = {int(shard) for shards in named for shard in shards}
    if read != set(range(law.parts)):
        allowed = f"as many as the shards that its programs name, which are {sorted(read)}"
        raise refuse(f"{timeline.about['method']}.reads", law.parts, allowed)


def rehearse(
    program: Method,
    task: Any,
    on_report: Callable[[int, Any], None],
    *,
    machine: Machine,
    costs: Costs,
    workers: int,
    seed: int,
    updates: int,
) -> None:
    """Run a method with a task of real values, on the same virtual clock; `on_report` sees every version.

    Time never depends on values, so the order of events is that of `simulate` with the same arguments.
    """
    pricing = MachinePricing(machine, costs, seed, program.servers)
    cluster = VirtualCluster(pricing, Budget(updates=updates), Recorder({}), on_report)
    cluster.run(program.programs(range(program.nodes(workers)), task))


def _about(
    chosen: Method,
    program: str | Method,
    where: Machine,
    workload: str,
    workers: int,
    seed: int,
    batch: int,
) -> dict:
    by_name = isinstance(program, str)
    options = [option.name for option in fields(chosen)] if is_dataclass(chosen) else []
    about = {
        "method": called(program) if by_name else type(chosen).__name__,
        "options": {option: getattr(chosen, option) for option in options},
        "machine": where.name,
        "workload": division.bound(workload, reads(chosen, workers)),
        "workers": workers,
        "nodes": chosen.nodes(workers),
        "servers": chosen.servers,
        "seed": seed,
        "batch": batch,
        "clock": "modelled",
    }
    own = own_code.fingerprints({"method": program if by_name else own_code.file_of(type(chosen))})
    return about | ({"own_code": own} if own else {})
