"""The shapes of workloads by name, from a file that `python -m rebuttal.site.workload_table` writes. No torch."""

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

from rebuttal.base.errors import refuse
from rebuttal.core import division
from rebuttal.workloads.stage_shape import Shape

FILE = Path(__file__).with_name("shapes.json")
#: Of a user's own, by the first word of the name: whose network it is.
SAME_NETWORK = {"images": "cifar10_{model}", "text": "pydoc_transformer"}


def shape_of(name: str, data_root: str | Path | None = None) -> Shape:
    """The shape of a workload by name; only a file of the user's own is loaded for it (and brings torch).

    Raises:
        InputError: an unknown name, or a file that is no workload.
    """
    name, known = division.base(name), _stored()
    if name in known:
        return known[name]
    kind, _, rest = name.partition(":")
    if kind in SAME_NETWORK:
        return replace(known[SAME_NETWORK[kind].format(model=rest.partition(":")[0])], name=name)
    if kind != "file":
        raise refuse("workload", name, known)
    return import_module("rebuttal.workloads.own_file").load(name, data_root).shape


def check_division(name: str) -> None:
    """Refuse data of the package that cannot be divided as a name says. Those of a user's own are when they are loaded.

    Raises:
        InputError: as `Law.check`.
    """
    base, law = division.parsed(name)
    if law and base in _stored():
        law.check(base, _stored()[base].classes)


def content(shapes: Mapping[str, Shape]) -> str:
    """The content of FILE for these workloads, one per line."""
    rows = []
    for name, shape in shapes.items():
        values = {key: value for key, value in asdict(shape).items() if key != "name"}
        rows.append(f"{json.dumps(name)}: {json.dumps(values)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


@functools.cache
def _stored() -> dict[str, Shape]:
    """The shapes of FILE by name."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Shape(name, tuple(row["parameters"]), tuple(row["outputs"]), row["classes"])
        for name, row in rows.items()
    }
