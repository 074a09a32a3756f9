"""From the methods that a study lists to their variants, each where it runs and with its options checked."""

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from rebuttal.base.config.refusals import dotted, unknown_key
from rebuttal.base.errors import InputError, refuse
from rebuttal.core import update_rules
from rebuttal.core.update_rules import Rule
from rebuttal.studies.params import checks, options
from rebuttal.studies.params.nameable import Catalogue
from rebuttal.studies.params.profile_merging import merged
from rebuttal.studies.params.schema import AnalysesGrid, MethodEntry, Numbers, ParamsFile, Section, StudyFile
from rebuttal.studies.params.study import Analyses, Study, Variant

KEY = re.compile(r"[a-z][a-z0-9_]*")


def study(file: ParamsFile, content: StudyFile, paper: str, profile: str, catalogue: Catalogue) -> Study:
    """A paper's study under a profile. Raises InputError for a method, option or place that cannot be."""
    numbers = merged(Numbers, file.sizes, content.sizes, profile=profile)
    variants: list[Variant] = []
    for key, method in content.methods.items():
        place = dotted("methods", key)
        _check_method(place, key, method, catalogue)
        variants += _variants(place, key, method, numbers, catalogue)
    return Study(
        name=paper,
        paper=paper,
        profile=profile,
        variants=tuple(variants),
        own_machines=dict(catalogue.own_machines),
        **_values(numbers),
    )


def analyses(file: ParamsFile, profile: str) -> Analyses:
    """The grids of the analyses under a profile."""
    return Analyses(profile=profile, **_values(merged(AnalysesGrid, file.analyses, profile=profile)))


def _values(section: Section) -> dict[str, Any]:
    return {field: tuple(value) if isinstance(value, list) else value for field, value in section}


def label(method: str, given: dict[str, Any]) -> str:
    """A variant's name in results and charts: "softsync", or "backup_workers b=2"."""
    return " ".join([method, *(f"{option}={str(value).lower()}" for option, value in given.items())])


def _check_method(place: str, key: str, method: MethodEntry, catalogue: Catalogue) -> None:
    if not KEY.fullmatch(key):
        raise refuse(place, key, "small letters, digits and _ (files are named after this key)")
    if method.program not in catalogue.programs:
        raise refuse(dotted(place, "program"), method.program, catalogue.programs)
    checks.workload_names(dotted(place, "workloads"), method.workloads or [], catalogue)
    checks.known_names(dotted(place, "machines"), method.machines or [], catalogue.machines)


def _variants(
    place: str, key: str, method: MethodEntry, numbers: Numbers, catalogue: Catalogue
) -> list[Variant]:
    workloads = _common(dotted(place, "workloads"), method.workloads, numbers.workloads)
    machines = _common(dotted(place, "machines"), method.machines, numbers.machines)
    rule = _rule(dotted(place, "rule"), method.rule)
    found: dict[str, Variant] = {}
    for index, given in enumerate(method.variants or [{}]):
        where = dotted(place, "variants", *([index] if method.variants else []))
        for workers in {numbers.workers_on.get(workload, numbers.workers) for workload in workloads}:
            options.check(where, catalogue.programs[method.program], given, workers)
        name = label(key, given)
        if name in found:
            raise refuse(where, given, "variants that differ from each other")
        found[name] = Variant(
            key, name, catalogue.full_name(method.program), dict(given), rule, workloads, machines
        )
    return list(found.values())


def _rule(place: str, given: Mapping[str, Any]) -> Rule:
    options = dict(given)
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in update_rules.RULES:
        raise refuse(dotted(place, "name"), name, update_rules.RULES)
    known = [field.name for field in fields(update_rules.RULES[name])]
    for option, value in options.items():
        if option not in known:
            raise unknown_key(dotted(place, option), value, known)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise refuse(dotted(place, option), value, "a number")
    try:
        return update_rules.rule(name, **options)
    except InputError as error:
        raise InputError(f"{place}.{error}") from None


def _common(place: str, wanted: Collection[str] | None, selected: list[str]) -> tuple[str, ...]:
    """Those of the profile's names that a method is wanted on (default: all of them), in the profile's order."""
    common = tuple(name for name in selected if wanted is None or name in wanted)
    if not common:
        raise refuse(place, wanted, f"at least one that the profile has: {', '.join(selected)}")
    return common
