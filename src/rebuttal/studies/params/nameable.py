"""What a parameter file may name: programs with their options, workloads, machines."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rebuttal.machines.hardware import Machine
from rebuttal.workloads.stage_shape import Shape


@dataclass(frozen=True)
class Catalogue:
    """The names that exist, and the test whether a workload's files are there."""

    programs: Mapping[str, type]  # name -> frozen dataclass of options
    workloads: Collection[str]
    machines: Collection[str]
    check_data: Callable[[str, Path], None]  # raises InputError where a workload's files are missing
    check_own: Callable[
        [str], None
    ]  # raises InputError for a name with a colon that is no workload of a user's own
    shape_of: Callable[[str, Path], Shape]  # of a workload
    own_programs: Mapping[str, str] = field(default_factory=dict)  # a paper's own: name -> file:PATH.py
    own_machines: Mapping[str, Machine] = field(default_factory=dict)  # a study's own

    def full_name(self, program: str) -> str:
        """The name by which `rebuttal.methods.method` knows a program."""
        return self.own_programs.get(program, program)


def installed() -> Catalogue:
    """What the package has."""
    # Imported here because machines bring SciPy, which the command line's help must not wait for.
    from rebuttal import machines, methods, workloads  # noqa: PLC0415
    from rebuttal.workloads import shape_table  # noqa: PLC0415

    return Catalogue(
        methods.METHODS,
        workloads.NAMES,
        machines.MACHINES,
        workloads.check_data,
        workloads.check_own,
        shape_table.shape_of,
    )
