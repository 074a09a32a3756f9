"""Where each form gains most: an "up to" is judged at the best place that a search finds, not on a coarse grid."""

from collections.abc import Sequence

import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.machines.hardware import Machine
from rebuttal.studies.analyses.grids import Models
from rebuttal.studies.analyses.speedups import BASELINE, speedups

NODES = (2, 4, 8, 16, 32, 64, 128)
BATCHES = (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256)  # steps of the root of two
PLACE = ("nodes", "batch")


def peaks(
    models: Models,
    machines: Sequence[str | Machine],
    nodes: Sequence[int] = NODES,
    batches: Sequence[int] = BATCHES,
) -> xr.Dataset:
    """The largest `speedup` of each form over one communication, and at which `ratio`, `at_nodes` and `at_batch`.

    Dims form, model, machine. The search is over all pairs of `nodes` and `batches` (samples on each node).
    """
    found = speedups(models, machines, nodes, batches)
    flat = found.drop_sel(form=BASELINE)[["speedup", "ratio"]].stack(place=PLACE)
    best = flat.isel(place=flat.speedup.argmax("place"))
    data = xr.Dataset(
        {"speedup": best.speedup, "ratio": best.ratio, "at_nodes": best.nodes, "at_batch": best.batch}
    ).drop_vars(["place", *PLACE])
    searched = {"nodes_searched": list(nodes), "batches_searched": list(batches)}
    kept = {name: found.attrs[name] for name in ("clock", "compute", "collective", "origin", "baseline")}
    return ANALYSES["peak_speedups"].annotated(data.assign_attrs(kept | searched))
