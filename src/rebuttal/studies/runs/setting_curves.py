"""Curves of settings: from their timelines, through shared units of work, to arrays by setting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rebuttal import workloads
from rebuttal.base import devices, own_code, own_files
from rebuttal.core import division
from rebuttal.core.update_rules import own_file
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.executor_choice import table_of
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.run_records import AXES, PackedOrder, RunRecord, records
from rebuttal.studies.runs.study_runs import StudySetting, timeline_path, workload_of
from rebuttal.studies.runs.units import WORKERS, StudyContext, Unit, compute_units


@dataclass(frozen=True)
class RunCurves:
    """One setting's curves: values '<split>_<what>' [seed, rate, point], diverged_at [seed, rate].

    versions [seed, point] are the updates at which the points lie; axes are `progress` of the runs there.
    """

    values: Mapping[str, np.ndarray]
    diverged_at: np.ndarray
    versions: np.ndarray
    axes: Mapping[str, np.ndarray]
    wall_s: float


def curves_of(
    params: Params,
    study: Study,
    some: Sequence[StudySetting],
    *,
    seeds: Sequence[int],
    rates: Mapping[tuple, Sequence[float]],
    splits: tuple[str, ...],
    pick: Callable[[int], list[int]],
    title: str,
) -> dict[tuple, RunCurves]:
    """The curves of each setting (by its key) at its learning rates; `pick(updates)` says at which versions."""
    device = devices.choose(params.device)
    units: list[Unit] = []
    labels: list[str] = []
    where: dict[tuple, list[tuple[int, int]]] = {}
    files = {setting.key: [timeline_path(study, setting, seed) for seed in seeds] for setting in some}
    read = iter(records([path for paths in files.values() for path in paths], title))
    runs = {key: [next(read) for _ in paths] for key, paths in files.items()}
    versions = {key: [tuple(pick(run.updates)) for run in found] for key, found in runs.items()}
    names = sorted({setting.workload for setting in some})
    data = {name: _data_of(name, params) for name in names}
    tables = {name: table_of(params, study, name).text for name in names}
    for setting in some:
        place = (device, str(params.data_root))
        rule = setting.variant.rule
        own_rule = _content_of(own_file(rule) or "")
        rest = (rule, tables[setting.workload], data[setting.workload], own_rule)
        context = StudyContext(workload_of(study, setting), *place, study.batch, splits, *rest)
        orders = [run.order for run in runs[setting.key]]
        program, own_rates = setting.variant.program, tuple(rates[setting.key])
        own, places = _units(context, orders, seeds, own_rates, versions[setting.key], program)
        where[setting.key] = [(len(units) + unit, row) for unit, row in places]
        units += own
        labels += [" on ".join(setting.key)] * len(own)
    computed = compute_units(units, title, params.engine, labels)
    return {
        setting.key: _gathered(
            [computed[unit] for unit, _ in where[setting.key]],
            [row for _, row in where[setting.key]],
            versions[setting.key],
            runs[setting.key],
        )
        for setting in some
    }


def _units(
    context: StudyContext,
    orders: Sequence[PackedOrder],
    seeds: Sequence[int],
    rates: tuple[float, ...],
    versions: Sequence[tuple[int, ...]],
    program: str,
) -> tuple[list[Unit], list[tuple[int, int]]]:
    """Units for the runs of one setting, and for each run its (unit, row): runs of one order share one."""
    groups: dict[tuple, list[int]] = {}
    for number, order in enumerate(orders):
        groups.setdefault((order.key, versions[number]), []).append(number)
    units, places = [], [(0, 0)] * len(orders)
    for group in groups.values():
        for row, number in enumerate(group):
            places[number] = (len(units), row)
        some = tuple(seeds[number] for number in group)
        order = orders[group[0]]
        own = _content_of(program) if own_code.is_named(program) and order.has_own_operations() else ""
        units.append(Unit(context, order, some, rates, versions[group[0]], program, own))
    return units, places


def _data_of(name: str, params: Params) -> str:
    """A hash of what a workload is made from: its files, and, if they are code, of what it holds once that has run."""
    name, root = division.base(name), str(params.data_root)
    files = workloads.fingerprint(name, root)
    if not own_code.is_named(name):
        return files
    task, title = (name, root), f"data of {own_code.short(name)}"
    (held,) = run_all(_held, [task], title, preload=[WORKERS], engine=params.engine)
    return f"{files} {held}"


def _held(name: str, data_root: str) -> str:
    # Imported here because it brings torch.
    from rebuttal.workloads.content import digest_of  # noqa: PLC0415

    return digest_of(name, data_root)


def _content_of(name: str) -> str:
    """A hash of a method's or rule's file, of what it brings in and of the data that it names; of no file, empty."""
    return own_files.digest_with_data(own_code.path_of(name, "file")) if name else ""


def _gathered(
    computed: Sequence[Mapping[str, np.ndarray]],
    rows: Sequence[int],
    versions: Sequence[tuple[int, ...]],
    runs: Sequence[RunRecord],
) -> RunCurves:
    names = [name for name in computed[0] if name.endswith(("_loss", "_metric"))]
    picked = {
        name: np.stack([arrays[name][row] for arrays, row in zip(computed, rows, strict=True)])
        for name in [*names, "diverged_at"]
    }
    diverged_at = picked.pop("diverged_at")
    wall_s = sum({id(arrays): float(arrays["wall_s"]) for arrays in computed}.values())
    points = [np.asarray(row) for row in versions]
    axes = {
        name: np.stack([run.axes[name][at] for run, at in zip(runs, points, strict=True)]) for name in AXES
    }
    return RunCurves(picked, diverged_at, np.stack(points), axes, wall_s)
