"""The stage that times workloads on this device over gradients of few and of many samples."""

from rebuttal import devices, paths
from rebuttal.params import Params
from rebuttal.profiling import write_profile
from rebuttal.studies.pool import run_all


def measure_throughput(params: Params) -> None:
    """Write results/throughput.json, a profile of every workload of the analyses at every number of samples.

    On a grid, one of its workers is measured.
    """
    run_all(_measure, [(params,)], "throughput", engine=params.engine, timed=True)


def _measure(params: Params) -> None:
    sizes = dict.fromkeys(params.analyses.workloads, params.analyses.samples)
    write_profile(sizes, devices.choose(params.device), paths.results() / "throughput.json", params.data_root)
