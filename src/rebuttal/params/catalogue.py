"""What a parameter file may name: programs with their options, workloads, machines."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rebuttal.workloads.shape import Shape


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


def installed() -> Catalogue:
    """What the package has."""
    # Imported here because machines bring SciPy, which the command line's help must not wait for.
    from rebuttal import machines, methods, workloads  # noqa: PLC0415
    from rebuttal.workloads import shapes  # noqa: PLC0415

    return Catalogue(
        methods.METHODS,
        workloads.NAMES,
        machines.MACHINES,
        workloads.check_data,
        workloads.check_own,
        shapes.shape_of,
    )
