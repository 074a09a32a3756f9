"""The stage about delays: small problems whose gradients are late, in discrete and in continuous time."""

from rebuttal import paths, results
from rebuttal.analyses import continuous_time, delay_map
from rebuttal.params import Params
from rebuttal.studies.provenance import attributes

STUDY = "continuous_propagation"  # whose seeds they have


def write_delays(params: Params) -> None:
    """Write results/analyses/delay_map.nc and continuous_time.nc. Raises InputError."""
    study, folder = params.study(STUDY), paths.results() / "analyses"
    found = {
        "delay_map": delay_map.delay_map(study.seeds, study.tuning_seeds, delay_map.WHOLE),
        "continuous_time": continuous_time.continuous_time(continuous_time.STEPS),
    }
    for name, data in found.items():
        results.save(data.assign_attrs(attributes(study, clock=data.attrs["clock"])), folder / f"{name}.nc")
