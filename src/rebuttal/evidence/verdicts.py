"""Verdicts: what a rule of a paper.yaml says about the result files of a study.

A verdict is computed and never written by hand: `supported` if the interval lies on the supporting side of the
rule's margin on every workload and machine, `contradicted` if on the other side on every one, `mixed` if it is split,
`undecided` otherwise or with fewer than five seeds. A question that asks for words is `answered`, one without evidence
`open`. See docs/verdicts.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from rebuttal.evidence import arrays, datasets, formulas, judging, quantities, reading_rule
from rebuttal.evidence.judging import Effects, PlaceOutcome, Status
from rebuttal.evidence.papers import Evidence
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.verdict_rules import (
    BestBackups,
    Compare,
    Explained,
    OrderStatistics,
    ProductIdentity,
    Reading,
    Rule,
    Trend,
)


@dataclass(frozen=True)
class Verdict:
    """What a rule found. effect, low, high: over all parts; n: the fewest pairs of seeds behind any part."""

    status: Status
    effect: float
    low: float
    high: float
    n: int
    unit: str
    conditions: str
    parts: tuple[PlaceOutcome, ...]
    figure: str | None
    data_files: tuple[str, ...]


def judge(evidence: Evidence, data: Results) -> Verdict:
    """The verdict of one piece of evidence. Raises InputError if the rule names what the results do not have."""
    rule = evidence.rule
    if isinstance(rule, Compare):
        return _compare(rule, data, evidence.figure)
    if isinstance(rule, Trend):
        return _trend(rule, data, evidence.figure)
    if isinstance(rule, Explained):
        return Verdict(
            "answered", *arrays.NOTHING, 0, "", "in words; nothing is measured", (), evidence.figure, ()
        )
    if isinstance(rule, Reading):
        return _reading(rule, data, evidence.figure)
    parts, unit, files = formulas.parts(rule, data)
    effects = np.array([part.effect for part in parts if np.isfinite(part.effect)])
    ends = np.array([[part.low, part.high] for part in parts if np.isfinite(part.low)])
    centre = _centre(rule, effects)
    low, high = (ends[:, 0].min(), ends[:, 1].max()) if len(ends) else (np.nan, np.nan)
    return Verdict(judging.combine(part.status for part in parts), centre, float(low), float(high),
                   min((part.n for part in parts), default=0), unit, _conditions(rule, data), tuple(parts),
                   evidence.figure, files)  # fmt: skip


def _reading(rule: Reading, data: Results, figure: str | None) -> Verdict:
    parts, unit, files, clock = reading_rule.parts(rule, data)
    status = judging.combine(part.status for part in parts)
    fewest = min(part.n for part in parts)
    effects = np.array([part.effect for part in parts if np.isfinite(part.effect)])
    if not len(effects):
        return Verdict(status, *arrays.NOTHING, fewest, unit, clock, tuple(parts), figure, files)
    ends = [part for part in parts if np.isfinite(part.low)]
    low = min((part.low for part in ends), default=effects.min() if len(effects) > 1 else np.nan)
    high = max((part.high for part in ends), default=effects.max() if len(effects) > 1 else np.nan)
    return Verdict(status, float(np.median(effects)), float(low), float(high), fewest, unit, clock, tuple(parts),
                   figure, files)  # fmt: skip


def _centre(rule: OrderStatistics | BestBackups | ProductIdentity, effects: np.ndarray) -> float:
    """The worst disagreement of formulas, or the middle of the best numbers of backups."""
    if not len(effects):
        return np.nan
    return float(np.median(effects) if isinstance(rule, BestBackups) else effects.max())


def _compare(rule: Compare, data: Results, figure: str | None) -> Verdict:
    sides = [
        quantities.expand(data.curves, f"rule.{key}", names)
        for key, names in (("of", rule.of), ("against", rule.against))
    ]
    values = quantities.quantity(data, rule.what, rule.rate, rule.target)
    chosen = [quantities.best_of(data, labels, rule.what, rule.rate, rule.target) for labels in sides]
    ratio = rule.what in quantities.RATIOS
    found: list[tuple[PlaceOutcome, Effects]] = []
    for place in _places(values, rule, data):
        first, second = (str(label.sel(place).item()) for label in chosen)
        effects = _effects(values.sel(place), first, second, ratio)
        note = f"{first} against {second}" if [first, second] != [*rule.of, *rule.against] else ""
        if effects.n + effects.lost:
            found.append((judging.part(_where(place), effects, rule.better, rule.margin, note), effects))
    unit = "times" if ratio else quantities.UNITS[rule.what]
    return _verdict(found, rule, data, unit, figure, [*sides[0], *sides[1]])


def _effects(values: xr.Dataset, of: str, against: str, ratio: bool) -> Effects:
    pair = [values.value.sel({"method": label}).values for label in (of, against)]
    if not ratio:
        return judging.differences(*pair)
    ends = (
        [values.end.sel({"method": label}).values for label in (of, against)]
        if "end" in values
        else [None, None]
    )
    return judging.ratios(*pair, *ends)


def _trend(rule: Trend, data: Results, figure: str | None) -> Verdict:
    values = quantities.quantity(data, rule.what, rule.rate, rule.target).value
    along = datasets.by_parameter(values, rule.of)
    each = datasets.slopes(along.where(np.isfinite(along)))
    better, sign = ("higher", 1) if rule.direction == "rising" else ("lower", -1)
    found: list[tuple[PlaceOutcome, Effects]] = []
    for place in _places(each.to_dataset(name="value"), rule, data):
        missing = int(np.isinf(along.sel(place).transpose("seed", "parameter").values).any(axis=1).sum())
        row = each.sel(place).values
        effects = Effects(row[~np.isnan(row)], ratio=False, lost=missing)
        if effects.n + effects.lost:
            found.append((judging.part(_where(place), effects, better, sign * rule.margin), effects))
    unit = f"{'' if rule.what in quantities.RATIOS else quantities.UNITS[rule.what]} per unit of {rule.of.rstrip('=')}"
    labels = [str(label) for label in data.curves.method.values if str(label).startswith(rule.of)]
    return _verdict(found, rule, data, unit.strip(), figure, labels)


def _verdict(
    found: list[tuple[PlaceOutcome, Effects]],
    rule: Compare | Trend,
    data: Results,
    unit: str,
    figure: str | None,
    labels: list[str],
) -> Verdict:
    parts = tuple(part for part, _ in found)
    pooled = judging.pooled([effects for _, effects in found])
    return Verdict(judging.combine(part.status for part in parts) if parts else "undecided", *pooled.interval(),
                   min((part.n for part in parts), default=0), unit, _conditions(rule, data), parts, figure,
                   quantities.files(data, rule.what, labels))  # fmt: skip


def _places(values: xr.Dataset, rule: Compare | Trend, data: Results) -> Iterator[dict[str, str]]:
    """Every workload and machine that the rule names, or all in the results that it can be about."""
    quantities.check_labels(values, "rule.machines", rule.machines or [], "machine")
    for workload in quantities.workloads_of(data, rule.what, rule.workloads):
        for machine in rule.machines or values.machine.values.tolist():
            yield {"workload": workload, "machine": machine}


def _where(place: dict[str, str]) -> str:
    return ", ".join(place.values())


def _conditions(rule: Rule, data: Results) -> str:
    """Under which conditions a verdict was found, in one line."""
    words = [f"{data.curves.attrs['clock']} clock"]
    if isinstance(rule, ProductIdentity) or (
        isinstance(rule, Compare | Trend) and quantities.is_trained(rule.what)
    ):
        words.append(f"{rule.rate} learning rate")
    if isinstance(rule, ProductIdentity) or (
        isinstance(rule, Compare | Trend) and rule.what.endswith("_to_target")
    ):
        words.append(f"target: {rule.target:g} times the validation error of tuned mini-batch SGD")
    if isinstance(rule, Compare | Trend) and rule.workloads is None:
        left_out = set(map(str, data.curves.workload.values)) - set(
            quantities.workloads_of(data, rule.what, rule.workloads)
        )
        words += [f"not on {', '.join(sorted(left_out))}, which have no accuracy"] if left_out else []
    if isinstance(rule, BestBackups):
        words.append(f"{rule.workers} machines; progress per update from two published points")
    return "; ".join(words)
