"""Rules that check a formula: order statistics against simulation, the best number of backups, the split's product."""

import numpy as np
import xarray as xr

from rebuttal.core.schemas import STRAGGLERS
from rebuttal.evidence import datasets, quantities
from rebuttal.evidence.judging import FEWEST_SEEDS, PlaceOutcome, Status
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.verdict_rules import BestBackups, OrderStatistics, ProductIdentity
from rebuttal.machines.order_statistics import progress_per_update

TIMES = ("iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr")
Found = tuple[list[PlaceOutcome], str, tuple[str, ...]]


def parts(rule: OrderStatistics | BestBackups | ProductIdentity, data: Results) -> Found:
    """The outcome of each part, the unit of its effect, and the data files it was read from."""
    if isinstance(rule, ProductIdentity):
        return (
            _product(rule, data),
            "relative deviation",
            quantities.files(data, "seconds_to_target", [rule.of, rule.against]),
        )
    held = data.order_statistics()
    quantities.check_labels(held, "rule.stragglers", rule.stragglers or [], "straggler")
    models = rule.stragglers or [str(name) for name in held.straggler.values]
    files = (f"results/analyses/{STRAGGLERS.pattern}",)
    if isinstance(rule, OrderStatistics):
        return [_agreement(name, rule, held) for name in models], "standard errors", files
    quantities.check_labels(held, "rule.workers", [str(rule.workers)], "workers")
    return [_best(name, rule, held) for name in models], "backups", files


def _agreement(name: str, rule: OrderStatistics, data: xr.Dataset) -> PlaceOutcome:
    """The largest distance between formula and simulation, where the formula is finite."""
    formula, simulated, error = (data[variable].sel(straggler=name).values.ravel() for variable in TIMES)
    finite = np.isfinite(formula) & np.isfinite(simulated)
    gap = np.abs(formula - simulated)[finite]
    rounding = 1e-9 * formula[finite]  # a time without spread has no sampling error
    worst = float((gap / np.maximum(error[finite], rounding)).max(initial=0.0))
    skipped = int(np.isinf(formula).sum())
    status: Status = "supported" if worst <= rule.tolerance else "contradicted"
    n = _iterations(data) if finite.any() else 0
    note = f"{skipped} infinite expectations left out" if skipped else ""
    return PlaceOutcome(name, status if n >= FEWEST_SEEDS else "undecided", worst, np.nan, np.nan, n, note)


def _best(name: str, rule: BestBackups, data: xr.Dataset) -> PlaceOutcome:
    """The best b by formula, and the range of b that the simulation cannot tell from the best."""
    at = data.sel(straggler=name, workers=rule.workers)
    at = at.isel(backups=(at.backups < rule.workers).values)
    formula, simulated, error = (at[variable].values for variable in TIMES)
    backups = at.backups.values
    progress = np.array([progress_per_update(rule.workers - int(b)) for b in backups])
    best = int(backups[np.argmax(progress / np.where(np.isfinite(formula), formula, simulated))])
    slow, fast = (progress / (simulated + sign * 2 * error) for sign in (1, -1))
    near = [best, *backups[fast >= slow.max()].tolist()]
    low, high = int(min(near)), int(max(near))
    note = ""
    if high == backups.max() < rule.workers - 1:  # what lies beyond the grid could be better still
        high, note = rule.workers - 1, f"the best may lie beyond the {high} backups of the grid"
    inside = rule.between[0] <= low and high <= rule.between[1]
    outside = high < rule.between[0] or low > rule.between[1]
    status: Status = "supported" if inside else "contradicted" if outside else "undecided"
    n = _iterations(data)
    return PlaceOutcome(name, status if n >= FEWEST_SEEDS else "undecided", best, low, high, n, note)


def _iterations(data: xr.Dataset) -> int:
    return int(data.attrs.get("iterations", 0))


def _product(rule: ProductIdentity, data: Results) -> list[PlaceOutcome]:
    """How far total / (updates x seconds per update) is from 1, on every workload and machine."""
    quantities.check_labels(data.curves, "rule.of", [rule.of], "method")
    quantities.check_labels(data.curves, "rule.against", [rule.against], "method")
    quantities.check_labels(data.curves, "rule.machines", rule.machines or [], "machine")
    named = quantities.present(data.curves, rule.workloads) if rule.workloads else None
    goal = datasets.targets(data.tuning, multiples=[rule.target])
    found = datasets.speed_up(data.curves, rule.of, rule.against, goal, rule.rate).isel(target=0)
    total, updates, each = (found.estimate.sel(part=name) for name in datasets.PARTS)
    deviation = np.abs(total / (updates * each) - 1)
    places = [(w, m) for w in named or deviation.workload.values.tolist()
              for m in rule.machines or deviation.machine.values.tolist()]  # fmt: skip
    return [_product_part(f"{w}, {m}", deviation.sel(workload=w, machine=m), found.sel(workload=w, machine=m), rule)
            for w, m in places]  # fmt: skip


def _product_part(
    where: str, deviation: xr.DataArray, found: xr.Dataset, rule: ProductIdentity
) -> PlaceOutcome:
    n, effect = int(found.n), float(deviation)
    status: Status = "supported" if effect <= rule.tolerance else "contradicted"
    note = f"target missed by {int(found.missed)} runs, by {int(found.baseline_missed)} of the baseline"
    return PlaceOutcome(where, status if n >= FEWEST_SEEDS else "undecided", effect, np.nan, np.nan, n, note)
