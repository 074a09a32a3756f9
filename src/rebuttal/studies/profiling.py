"""The stage that measures this device: costs of layers for the virtual clock, and the probe of the executors."""

from collections.abc import Sequence

from rebuttal import devices, paths
from rebuttal.params import Params, Study
from rebuttal.profiling import write_profile
from rebuttal.replaying.probe import measure
from rebuttal.replaying.table import write_tables
from rebuttal.workloads import load


def profile_study(params: Params, study: Study) -> None:
    """Write results/profile.json and results/executors.json for the study's workloads."""
    device = devices.choose(params.device)
    sizes = _batches(study)
    folder = paths.results()
    write_profile(
        study.workloads, [study.batch * n for n in sizes], device, folder / "profile.json", params.data_root
    )
    workloads = {name: load(name, params.data_root).to(device) for name in study.workloads}
    write_tables(
        {name: measure(w, study.batch, sizes) for name, w in workloads.items()}, folder / "executors.json"
    )


def _batches(study: Study) -> Sequence[int]:
    """Batches per gradient at which costs are measured: one, a few, as many as the study has workers or shards."""
    most = max([study.workers, *(v.options.get("shards", 1) for v in study.variants)])
    return sorted({1, max(1, most // 4), most})
