"""The part of the analyses about delays: small problems whose gradients are late, in discrete and continuous time."""

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.studies.analyses import continuous_time, delay_map
from rebuttal.studies.params import Params
from rebuttal.studies.runs.provenance import attributes


def write_delays(params: Params) -> None:
    """Write analyses/delay_map.nc and continuous_time.nc. Raises InputError."""
    grid, folder = params.analyses, paths.results("analyses")
    found = {
        "delay_map": delay_map.delay_map(grid.seeds, grid.tuning_seeds, delay_map.WHOLE),
        "continuous_time": continuous_time.continuous_time(continuous_time.STEPS),
    }
    for name, data in found.items():
        results.save(data.assign_attrs(attributes(grid, clock=data.attrs["clock"])), folder / f"{name}.nc")
