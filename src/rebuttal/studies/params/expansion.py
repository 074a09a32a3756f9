"""From the methods that a study lists to their variants, each where it runs and with its options checked."""

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from rebuttal.base.config.refusals import dotted, unknown_key
from rebuttal.base.errors import InputError, refuse
from rebuttal.core import update_rules
from rebuttal.core.schedules import Schedule
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
        variants += _variants(place, key, method, numbers, catalogue, _recipe(place, content, method))
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
    place: str, key: str, method: MethodEntry, numbers: Numbers, catalogue: Catalogue, rule: Rule
) -> list[Variant]:
    workloads = _common(dotted(place, "workloads"), method.workloads, numbers.workloads)
    machines = _common(dotted(place, "machines"), method.machines, numbers.machines)
    found: dict[str, Variant] = {}
    for index, given in enumerate(method.variants or [{}]):
        where = dotted(place, "variants", *([index] if method.variants else []))
        program, own, count = catalogue.programs[method.program], dict(given), None
        if "workers" in own and "workers" not in {field.name for field in fields(program)}:
            count = own.pop("workers")
            options.check_type(dotted(where, "workers"), count, int)
        counts = {numbers.workers_on.get(workload, numbers.workers) for workload in workloads}
        for workers in counts if count is None else {count}:
            options.check(where, program, own, workers)
        name = label(key, own if count is None else own | {"workers": count})
        if name in found:
            raise refuse(where, given, "variants that differ from each other")
        found[name] = Variant(
            key,
            name,
            catalogue.full_name(method.program),
            own,
            rule,
            workloads,
            machines,
            workers=count,
            untuned=method.untuned,
        )
    return list(found.values())


def _recipe(place: str, study: StudyFile, method: MethodEntry) -> Rule:
    """The rule of a method with schedule and average, each its own or, where it has none, that of the study."""

    def given(key: str, default: Any) -> tuple[str, Any]:
        if getattr(method, key) is not None:
            return dotted(place, key), getattr(method, key)
        return key, default if getattr(study, key) is None else getattr(study, key)

    (at, rule), (schedule_at, schedule) = given("rule", {"name": "sgd"}), given("schedule", {})
    name = rule.get("name")
    kind = _rule_class(dotted(at, "name"), name)
    _check_options(at, {key: value for key, value in rule.items() if key != "name"}, kind)
    _check_options(schedule_at, schedule, Schedule)
    try:
        return update_rules.rule(**rule, schedule=schedule, average=given("average", 0.0)[1])
    except InputError as error:
        where = schedule_at.removesuffix("schedule") if str(error).startswith("schedule.") else f"{at}."
        raise InputError(f"{where}{error}") from None


def _rule_class(place: str, name: Any) -> type:
    if not isinstance(name, str):
        raise refuse(place, name, update_rules.RULES)
    try:
        return update_rules.class_of(name)
    except InputError as error:
        raise InputError(f"{place}{str(error).removeprefix('rule')}") from None


def _check_options(place: str, given: Mapping[str, Any], kind: type) -> None:
    """Each option one that `kind` has, and of its type."""
    hints = get_type_hints(kind)
    for option, value in given.items():
        if option not in hints:
            raise unknown_key(dotted(place, option), value, list(hints))
        options.check_type(dotted(place, option), value, hints[option])


def _common(place: str, wanted: Collection[str] | None, selected: list[str]) -> tuple[str, ...]:
    """Those of the profile's names that a method is wanted on (default: all of them), in the profile's order."""
    common = tuple(name for name in selected if wanted is None or name in wanted)
    if not common:
        raise refuse(place, wanted, f"at least one that the profile has: {', '.join(selected)}")
    return common
