"""Machines of a study's own, from plain content as it stands in a YAML file.

    ring_100m:
      description: nodes on 100 Mb/s Ethernet
      like: ethernet_10g            # a preset, which all that is not said is taken from; none: from DEFAULTS
      link: {latency_s: 1.0e-3, bandwidth_bytes_per_s: 12.5e+6, source: "assumed: ..."}  # or a name of links.LINKS
      shard_link: ten_gbe           # of a parameter server's pieces (default: as link)
      server_shards: 1
      stragglers: lognormal         # a name of STRAGGLERS, or with other numbers: {name: lognormal, sigma: 0.5}
      stragglers_source: "assumed: ..."
      compute: measured             # or {device: k40}, or {gradient_s, update_s, weight_bytes, source} with values
      collective: ring
      nodes_per_host: 1             # with more, host_link is the link among them
      assumptions: [what is assumed beside the figures]

Only a description and a link (or `like`) must be there. Every source begins with a word of `machines.TAGS`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from rebuttal.base.errors import InputError, nearest, refuse
from rebuttal.machines import MACHINES, TAGS
from rebuttal.machines.hardware import Link, Machine, Measured, Scaled, Stated
from rebuttal.machines.links import LINKS
from rebuttal.machines.own_machine_schema import (
    DevicePart,
    LinkPart,
    MachinePart,
    StatedPart,
    unknown_key,
    validate,
)
from rebuttal.machines.processors import PROCESSORS
from rebuttal.machines.stragglers import STRAGGLERS, NoStragglers, Stragglers

NAME = re.compile(r"[a-z][a-z0-9_]*")
MEASURED = "measured"
DEFAULTS: dict[str, Any] = {
    "server_shards": 1,
    "stragglers": NoStragglers(),
    "stragglers_source": "assumed: none, as no stragglers are named",
    "compute": Measured(),
}
COPIES = ("Every node is a copy of the profiled device.",)
#: The keys that are fields of a Machine as they stand, and those of links, with the fields that each is for.
PLAIN = ("description", "server_shards", "collective", "nodes_per_host")
LINKED = {"link": ("worker_link", "shard_link"), "shard_link": ("shard_link",), "host_link": ("host_link",)}
COMPUTE = f"{MEASURED}, {{device: NAME}}, or a section with the keys {', '.join(StatedPart.model_fields)}"
TAGGED = f"a text that begins with {', '.join(f'{tag}: ' for tag in TAGS)}and says where the figure is from"


def machines_of(content: Any) -> dict[str, Machine]:
    """Every machine of the section `machines`, by name.

    Raises:
        InputError: one line that names the key, what was given and what is allowed.
    """
    if not isinstance(content, Mapping):
        raise refuse("machines", content, "a section with a name for each")
    return {name: _machine(name, spec) for name, spec in content.items()}


def _machine(name: str, spec: Any) -> Machine:
    place = f"machines.{name}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise refuse(place, name, "a name of small letters, digits and _")
    if name in MACHINES:
        raise refuse(place, name, "a name of its own; this one is the package's")
    given = validate(MachinePart, spec, place)
    start = DEFAULTS if given.like is None else _fields_of(f"{place}.like", given.like)
    found: dict[str, Any] = start | _said(place, given) | {"name": name}
    if "worker_link" not in found:
        raise InputError(f"{place}.link: got nothing; allowed: a link, or a machine in `like` that has one")
    if "assumptions" not in found:
        found["assumptions"] = COPIES if found["compute"] == Measured() else ()
    try:
        return Machine(**found)
    except InputError as error:  # what its parts say about each other, in the words of Machine
        raise InputError(re.sub(r"^machine\.", f"{place}.", str(error))) from None


def _fields_of(place: str, name: str) -> dict[str, Any]:
    """The fields of a preset."""
    if name not in MACHINES:
        raise refuse(place, name, MACHINES)
    return {one.name: getattr(MACHINES[name], one.name) for one in fields(Machine)}


def _said(place: str, given: MachinePart) -> dict[str, Any]:
    """The fields of a Machine that the content says something about."""
    said = {name: value for name, value in given if value is not None and name != "like"}
    found = {name: said[name] for name in PLAIN if name in said}
    for name, fields_of_it in LINKED.items():
        if name in said:
            found |= dict.fromkeys(fields_of_it, _link(f"{place}.{name}", said[name]))
    if "compute" in said:
        found["compute"] = _compute(f"{place}.compute", said["compute"])
    if "assumptions" in said:
        found["assumptions"] = tuple(said["assumptions"])
    return found | _straggling(place, said)


def _straggling(place: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The stragglers with their source, which must be said whenever they are."""
    found, key = {}, f"{place}.stragglers_source"
    if "stragglers" in said:
        found["stragglers"] = _stragglers(f"{place}.stragglers", said["stragglers"])
        if "stragglers_source" not in said:
            raise InputError(f"{key}: got nothing; allowed: {TAGGED}")
    if "stragglers_source" in said:
        _check_source(key, said["stragglers_source"])
        found["stragglers_source"] = said["stragglers_source"]
    return found


def _link(place: str, given: Any) -> Link:
    """By name, or of a section's figures."""
    if isinstance(given, str):
        if given not in LINKS:
            raise refuse(place, given, LINKS)
        return LINKS[given]
    part = validate(LinkPart, given, place)
    _check_source(f"{place}.source", part.source)
    return Link(**part.model_dump())


def _compute(place: str, given: Any) -> Measured | Scaled | Stated:
    if given == MEASURED:
        return Measured()
    if not isinstance(given, Mapping):
        raise refuse(place, given, f"{COMPUTE}{nearest(given, [MEASURED])}")
    if "device" in given:
        name = validate(DevicePart, given, place).device
        if name not in PROCESSORS:
            raise refuse(f"{place}.device", name, PROCESSORS)
        return PROCESSORS[name]
    part = validate(StatedPart, given, place)
    _check_source(f"{place}.source", part.source)
    return Stated(**part.model_dump())


def _stragglers(place: str, given: Any) -> Stragglers:
    """By name, or a section with a name and other numbers for the parameters that the distribution has."""
    options = dict(given) if isinstance(given, Mapping) else {"name": given}
    name = options.pop("name", None)
    if not isinstance(name, str) or name not in STRAGGLERS:
        raise refuse(f"{place}.name" if isinstance(given, Mapping) else place, name, STRAGGLERS)
    model: Any = STRAGGLERS[name]
    known = [one.name for one in fields(model) if one.init and isinstance(getattr(model, one.name), float)]
    for option, value in options.items():
        if option not in known:
            raise unknown_key(f"{place}.{option}", value, ["name", *known])
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise refuse(f"{place}.{option}", value, "a finite number")
    try:
        return replace(model, **{option: float(value) for option, value in options.items()})
    except InputError as error:
        raise InputError(re.sub(r"^stragglers\b", place, str(error))) from None


def _check_source(place: str, source: str) -> None:
    """Every figure says where it is from."""
    tag, colon, text = source.partition(": ")
    if tag not in TAGS or not colon or not text.strip():
        raise refuse(place, source, f"{TAGGED}{nearest(tag, TAGS)}")
