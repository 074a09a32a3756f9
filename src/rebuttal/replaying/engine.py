"""Replay: from timelines of one method on one workload to a dataset of curves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import xarray as xr

from rebuttal.base import arguments
from rebuttal.base.errors import refuse
from rebuttal.core import division
from rebuttal.core.graph import Order
from rebuttal.core.metrics import ATTRIBUTE, Metric, attribute
from rebuttal.core.timeline import Timeline, checked
from rebuttal.core.update_rules import SGD, Rule
from rebuttal.replaying.batch_merging import merged, shortened
from rebuttal.replaying.compiled.whole_orders import Compiled, WholeOrders
from rebuttal.replaying.curves import Curves, Evaluator, as_variables, points_of
from rebuttal.replaying.executor_table import Table
from rebuttal.replaying.executors import executors_for
from rebuttal.replaying.horizon import over_order
from rebuttal.replaying.lockstep import Gradients, Lockstep, advance
from rebuttal.replaying.probe import measure
from rebuttal.replaying.staged import stages_of
from rebuttal.simulation.timeline_metrics import progress
from rebuttal.workloads import load
from rebuttal.workloads.torch_state import stated_torch
from rebuttal.workloads.workload import Workload

EXACT = Table({1: {"loop": {1: 0.0}}})
#: What timelines of one method agree on, whatever their seeds.
ALIKE = ("workload", "batch", "method", "options", "machine", "workers", "clock", "updates")
SPLITS = ("training", "validation", "test")


@dataclass(frozen=True)
class Job:
    """One order for some seeds and learning rates, observed at some versions."""

    order: Order
    seeds: tuple[int, ...]
    learning_rates: tuple[float, ...]
    versions: tuple[int, ...]


class Replayer:
    """Replays orders on one workload; keeps its executors between calls.

    `table` says which executor serves what (default: probed now); `exact` computes one gradient at a time and merges
    nothing. Use one intra-op thread: `torch.set_num_threads(1)`.
    """

    def __init__(
        self,
        workload: Workload,
        *,
        batch: int = 32,
        rule: Rule = SGD(),
        table: Table | None = None,
        exact: bool = False,
        splits: Sequence[str] = SPLITS,
        training_samples: int = 128,
    ) -> None:
        self.workload, self.batch, self.rule, self.exact = workload, batch, rule, exact
        self._table = EXACT if exact else table
        self._executors = {executor.name: executor for executor in executors_for(workload)}
        self._stages = stages_of(workload, exact=exact)
        self._evaluate = Evaluator(workload, splits, training_samples)
        compiled = self._executors.get(Compiled.name)
        self._whole = (
            WholeOrders(workload, compiled, self._evaluate.splits) if isinstance(compiled, Compiled) else None
        )

    def run(
        self, order: Order, seeds: Sequence[int], learning_rates: Sequence[float], versions: Sequence[int]
    ) -> Curves:
        """Curves [S, R, points] of one order (what `prepare` gave), at these versions."""
        return self.run_together([Job(order, tuple(seeds), tuple(learning_rates), tuple(versions))])[0]

    def run_together(self, jobs: Sequence["Job"]) -> list[Curves]:
        """The curves of several jobs, computed side by side; all have equally many learning rates."""
        if self.exact and any(len(job.seeds) * len(job.learning_rates) > 1 for job in jobs):
            raise refuse(
                "exact replay", [job.seeds for job in jobs], "one seed and one learning rate at a time"
            )
        table = self._table or self._probed(jobs)
        curves = [
            Curves(self._evaluate, job.versions, (len(job.seeds), len(job.learning_rates))) for job in jobs
        ]
        pairs = list(zip(jobs, curves, strict=True))
        left = [pair for pair in pairs if not self._in_one_call(*pair, table)]
        most = max(1, table.widest(1) // max(1, len(left)))
        steps = [self._lockstep(job, most).steps(some.observe, set(job.versions)) for job, some in left]
        advance(steps, Gradients(self._executors, table, self.workload))
        return curves

    def _in_one_call(self, job: Job, curves: Curves, table: Table) -> bool:
        """Compute a job by compiled code, if that serves it and the table says that it is the fastest."""
        if self._whole is None or not self._whole.serves(job.order, self.rule):
            return False
        if not table.prefers(Compiled.name, _sizes(job.order)):
            return False
        order = shortened(job.order, max(job.versions))
        self._whole.run(order, self.rule, job.seeds, job.learning_rates, job.versions,
                        batch=self.batch, observe=curves.record)  # fmt: skip
        return True

    def _lockstep(self, job: Job, most: int) -> Lockstep:
        return Lockstep(
            shortened(job.order, max(job.versions)),
            self.workload,
            over_order(self.rule, job.order),
            job.seeds,
            job.learning_rates,
            self.batch,
            most,
            self._stages,
        )

    def prepare(self, order: Order) -> Order:
        """The order that is computed: merged, unless in exact mode."""
        return order if self.exact else merged(order)

    def _probed(self, jobs: Sequence[Job]) -> Table:
        sizes = {size for job in jobs for size in _sizes(job.order)}
        count = sum(_sizes(job.order).total() * len(job.seeds) * len(job.learning_rates) for job in jobs)
        if not sizes:  # all is computed stage by stage
            return EXACT
        self._table = measure(self.workload, self.batch, sorted(sizes), gradients=count)
        return self._table


def _sizes(order: Order) -> Counter[int]:
    """How many gradients of an order are over how many batches."""
    pairs = zip(order.operations, order.arguments, strict=True)
    return Counter(len(arguments) // 2 for name, arguments in pairs if name == "gradient")


def replay(
    timelines: Timeline | Sequence[Timeline],
    *,
    learning_rates: Sequence[float],
    workload: Workload | None = None,
    rule: Rule = SGD(),
    points: int = 40,
    exact: bool = False,
    table: Table | None = None,
    data_root: str | Path | None = None,
) -> xr.Dataset:
    """Train along timelines of one method, one for each seed, at all learning rates.

    Returns a dataset over (seed, learning_rate, point): losses and metrics on the three splits, diverged_at, and the
    coordinates update, epoch and seconds of each point. Timelines with one order are computed together. All must
    have equally many updates, and different seeds. torch's state of this session plays no part, and stays as it was.
    Raises InputError for what does not fit together, and for timelines that were read from a file and name a workload
    of somebody's own, where `workload` is not given.
    """
    runs = _runs(timelines)
    learning_rates = arguments.rates("learning_rates", learning_rates)
    points = arguments.whole("points", points, 1, arguments.MOST_POINTS)
    arguments.switch("exact", exact)
    data_root = arguments.folder("data_root", data_root)
    if isinstance(rule, type) or not (hasattr(rule, "start") and hasattr(rule, "step")):
        raise refuse("rule", rule, "an update rule, such as rebuttal.core.update_rules.SGD()")
    if not isinstance(workload, Workload | None):
        raise refuse(
            "workload", workload, "what rebuttal.workloads.load gives, or none: that of the timelines"
        )
    law = division.parsed(_common(runs, "workload"))[1]
    if workload is not None and law:
        workload = workload.divided(law)
    with stated_torch():
        return _replayed(
            runs, learning_rates, points, workload or _named(runs, data_root), (rule, exact, table)
        )


def _runs(given: Any) -> list[Timeline]:
    """Timelines that differ in their seeds alone. Raises InputError."""
    runs = [given] if isinstance(given, Timeline) else given
    if not isinstance(runs, Sequence) or isinstance(runs, str) or not runs:
        raise refuse("timelines", given, "a Timeline, such as rebuttal.simulate gives, or a list of them")
    for run in runs:
        checked(run, "timelines")
    for what in ALIKE:
        _common(runs, what)
    seeds = [run.about["seed"] for run in runs]
    if len(set(seeds)) < len(seeds):
        raise refuse("timelines' seeds", seeds, "each once: runs of one seed are one run")
    return list(runs)


def _replayed(
    runs: list[Timeline],
    learning_rates: Sequence[float],
    points: int,
    workload: Workload,
    how: tuple[Rule, bool, Table | None],
) -> xr.Dataset:
    """The dataset that `replay` gives."""
    rule, exact, table = how
    name, batch = _common(runs, "workload"), _common(runs, "batch")
    versions = points_of(_common(runs, "updates"), points)
    replayer = Replayer(workload, batch=batch, rule=rule, table=table, exact=exact)
    groups: dict[str, list[int]] = {}
    orders = [replayer.prepare(run.order) for run in runs]
    for number, order in enumerate(orders):
        groups.setdefault(order.key if not exact else str(number), []).append(number)
    parts = [
        _replay_group(replayer, orders, runs, group, learning_rates, versions) for group in groups.values()
    ]
    whole = xr.concat([part for group in parts for part in group], "seed").sortby("seed")
    about = {key: runs[0].about[key] for key in ("clock", "method", "machine")} | {"workload": name}
    target = workload.target
    metric = Metric(target.metric, target.lower_is_better, target.large_error)
    return whole.assign_attrs(about | {ATTRIBUTE: attribute({name: metric})})


def _named(runs: Sequence[Timeline], data_root: str | Path | None) -> Workload:
    """The workload that timelines name. What a file names, its author chose: such a name stands for no other file."""
    name = _common(runs, "workload")
    files = [run.came_from for run in runs if run.came_from]
    if ":" in name and files:
        allowed = (
            f"workload=rebuttal.workloads.load(...) of a file that you have read: {files[0]} names this one"
        )
        raise refuse("workload", name, allowed)
    return load(name, data_root)


def _replay_group(
    replayer: Replayer,
    orders: Sequence[Order],
    runs: Sequence[Timeline],
    group: Sequence[int],
    learning_rates: Sequence[float],
    versions: Sequence[int],
) -> list[xr.Dataset]:
    """Datasets of the runs that share one order; in exact mode one learning rate after the other."""
    seeds = [int(runs[number].about["seed"]) for number in group]
    rates = [[rate] for rate in learning_rates] if replayer.exact else [list(learning_rates)]
    parts = []
    for some in rates:
        curves = replayer.run(orders[group[0]], seeds, some, versions)
        parts.append(xr.Dataset(as_variables(curves), coords={"seed": seeds, "learning_rate": some}))
    whole = cast(xr.Dataset, xr.concat(parts, "learning_rate"))
    size = replayer.workload.training_size / replayer.batch
    return [
        _with_progress(whole.isel(seed=[at]), runs[number], versions, size) for at, number in enumerate(group)
    ]


def _with_progress(
    dataset: xr.Dataset, timeline: Timeline, versions: Sequence[int], batches_per_epoch: float
) -> xr.Dataset:
    along = progress(timeline).sel(version=list(versions))
    dims = ("seed", "point")
    return dataset.assign_coords(
        update=("point", np.asarray(versions)),
        epoch=(dims, along["batches_applied"].values[None] / batches_per_epoch),
        seconds=(dims, along["seconds"].values[None]),
    )


def _common(runs: Sequence[Timeline], what: str) -> Any:
    """What all timelines must agree on."""
    found = [len(run.updates["value"]) - 1 if what == "updates" else run.about.get(what) for run in runs]
    if any(one != found[0] for one in found):
        raise refuse(f"timelines' {what}", sorted({str(one) for one in found}), "the same in all")
    return found[0]
