"""The stage of the analyses: all that is computed without training, from figures of machines and small problems.

An analysis is a record in a module of this package. Every module is looked through, so that no list names them.
"""

import importlib
import pkgutil
import time
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path

from rebuttal.base.errors import refuse
from rebuttal.machines.hardware import Machine
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.studies.analyses.analysis_record import Analysis, Given
from rebuttal.studies.params import Params
from rebuttal.studies.runs.pool import run_all
from rebuttal.studies.runs.provenance import say, write_json

PACKAGE = __name__.rpartition(".")[0]


def records() -> dict[str, Analysis]:
    """Every analysis by name."""
    names = {each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)])} - {Path(__file__).stem}
    values = [
        value
        for name in sorted(names)
        for value in vars(importlib.import_module(f"{PACKAGE}.{name}")).values()
    ]
    return {one.schema.name: one for value in values for one in _of(value)}


def _of(value: object) -> list[Analysis]:
    """The records that a name of a module stands for: one, or several in a tuple."""
    return [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Analysis)]


RECORDS = records()


def write_all(params: Params, names: Sequence[str] = ()) -> None:
    """Write the files of some analyses (default: of all), and machines.json. Raises InputError for an unknown name."""
    for unknown in set(names) - set(RECORDS):
        raise refuse("analysis", unknown, RECORDS)
    given, wanted = Given(params), set(names or RECORDS)
    order = TopologicalSorter({name: wanted & {*RECORDS[name].needs} for name in RECORDS if name in wanted})
    order.prepare()
    while ready := order.get_ready():
        pooled = [name for name in ready if RECORDS[name].pooled]
        alone = [name for name in ready if name not in pooled]
        for name in pooled:
            _write(given, name)
        if len(alone) > 1:
            _ = given.models  # once, for all processes
        run_all(_write, [(given, name) for name in alone], "analyses", preload=[__name__])
        order.done(*ready)
    write_json(given.folder / "machines.json", described_machines())


def _write(given: Given, name: str) -> None:
    began = time.monotonic()
    RECORDS[name].write(given)
    say(f"{name.replace('_', ' ')}: {time.monotonic() - began:.0f} s")


def described_machines() -> dict[str, dict[str, object]]:
    """What machines.json holds: what each machine is and where its figures come from."""
    return {name: described(machine) for name, machine in SCALED_MACHINES.items()}


def described(machine: Machine) -> dict[str, object]:
    """What a machine is, what it assumes, and where each of its figures comes from."""
    return {
        "description": machine.description,
        "compute": machine.clock_is,
        "collective": machine.collective,
        "nodes_per_host": machine.nodes_per_host,
        "assumptions": machine.assumptions,
        "sources": machine.sources(),
    }
