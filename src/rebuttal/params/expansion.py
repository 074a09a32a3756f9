"""From the methods that a study lists to their variants, each where it runs and with its options checked."""

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from rebuttal import rules
from rebuttal.errors import InputError, refuse
from rebuttal.params import checks, options
from rebuttal.params.catalogue import Catalogue
from rebuttal.params.refusals import dotted, unknown_key
from rebuttal.params.schema import File, Method, Numbers, Section
from rebuttal.params.study import Analyses, Study, Variant
from rebuttal.rules import Rule

KEY = re.compile(r"[a-z][a-z0-9_]*")


def study(file: File, name: str, catalogue: Catalogue) -> Study:
    """One study under the file's profile. Raises InputError for a method, option or place that cannot be."""
    numbers, listed = file.under(file.profile).numbers(name), file.methods(name)
    variants: list[Variant] = []
    for key, method in listed.methods.items():
        place = dotted(name, "methods", key)
        _check_method(place, key, method, catalogue)
        variants += _variants(place, key, method, numbers, catalogue)
    return Study(name=name, profile=file.profile, variants=tuple(variants), **_values(numbers))


def analyses(file: File) -> Analyses:
    """The grids of the analyses under the file's profile."""
    return Analyses(profile=file.profile, **_values(file.under(file.profile).analyses))


def _values(section: Section) -> dict[str, Any]:
    return {field: tuple(value) if isinstance(value, list) else value for field, value in section}


def label(method: str, given: dict[str, Any]) -> str:
    """A variant's name in results and charts: "softsync", or "backup_workers b=2"."""
    return " ".join([method, *(f"{option}={str(value).lower()}" for option, value in given.items())])


def _check_method(place: str, key: str, method: Method, catalogue: Catalogue) -> None:
    if not KEY.fullmatch(key):
        raise refuse(place, key, "small letters, digits and _ (files are named after this key)")
    if method.program not in catalogue.programs:
        raise refuse(dotted(place, "program"), method.program, catalogue.programs)
    checks.workload_names(dotted(place, "workloads"), method.workloads or [], catalogue)
    checks.known_names(dotted(place, "machines"), method.machines or [], catalogue.machines)


def _variants(place: str, key: str, method: Method, numbers: Numbers, catalogue: Catalogue) -> list[Variant]:
    workloads = _common(dotted(place, "workloads"), method.workloads, numbers.workloads)
    machines = _common(dotted(place, "machines"), method.machines, numbers.machines)
    rule = _rule(dotted(place, "rule"), method.rule)
    found: dict[str, Variant] = {}
    for index, given in enumerate(method.variants or [{}]):
        where = dotted(place, "variants", *([index] if method.variants else []))
        options.check(where, catalogue.programs[method.program], given, numbers.workers)
        name = label(key, given)
        if name in found:
            raise refuse(where, given, "variants that differ from each other")
        found[name] = Variant(key, name, method.program, dict(given), rule, workloads, machines)
    return list(found.values())


def _rule(place: str, given: Mapping[str, Any]) -> Rule:
    options = dict(given)
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in rules.RULES:
        raise refuse(dotted(place, "name"), name, rules.RULES)
    known = [field.name for field in fields(rules.RULES[name])]
    for option, value in options.items():
        if option not in known:
            raise unknown_key(dotted(place, option), value, known)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise refuse(dotted(place, option), value, "a number")
    try:
        return rules.rule(name, **options)
    except InputError as error:
        raise InputError(f"{place}.{error}") from None


def _common(place: str, wanted: Collection[str] | None, selected: list[str]) -> tuple[str, ...]:
    """Those of the profile's names that a method is wanted on (default: all of them), in the profile's order."""
    common = tuple(name for name in selected if wanted is None or name in wanted)
    if not common:
        raise refuse(place, wanted, f"at least one that the profile has: {', '.join(selected)}")
    return common
