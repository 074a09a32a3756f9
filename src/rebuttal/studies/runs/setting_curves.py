"""Curves of settings: from their timelines, through shared units of work, to arrays by setting."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rebuttal import workloads
from rebuttal.base import devices, own_code
from rebuttal.core.update_rules import Rule, own_file
from rebuttal.studies.params import Params, Study
from rebuttal.studies.runs.executor_choice import table_of
from rebuttal.studies.runs.run_records import AXES, PackedOrder, RunRecord, records
from rebuttal.studies.runs.study_runs import StudySetting, timeline_path, workload_of
from rebuttal.studies.runs.units import StudyContext, Unit, compute_units


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
    data = {name: workloads.fingerprint(name) for name in names}
    tables = {name: table_of(params, study, name).text for name in names}
    for setting in some:
        place = (device, str(params.data_root))
        rule = setting.variant.rule
        rest = (rule, tables[setting.workload], data[setting.workload], _content_of(rule))
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
        units.append(Unit(context, orders[group[0]], some, rates, versions[group[0]], program))
    return units, places


def _content_of(rule: Rule) -> str:
    """The fingerprint of the file that a rule is from, if it is a user's own."""
    name = own_file(rule)
    return own_code.fingerprint(name, "rule") if name else ""


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
