"""A folder of analyses as the pipeline writes it, of two made-up models: for tests of what reads them."""

import functools
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from tiny_models import MODELS, line_costs

from rebuttal.analyses import delay_map, throughput
from rebuttal.analyses.continuous_time import continuous_time
from rebuttal.analyses.memory import memory
from rebuttal.analyses.ratios import with_and_without
from rebuttal.methods import method
from rebuttal.params import Analyses
from rebuttal.studies import analyses
from rebuttal.studies.provenance import write_json

METHODS = {name: method(name) for name in ("all_reduce", "asynchronous", "pipedream")} | {
    f"continuous_propagation form={form}": method("continuous_propagation", form=form)
    for form in ("store", "recompute", "stash")
}
SHORT = delay_map.Grid(batches=(1, 64), steps=300, counts=(64, 256), target=0.3)
GRID = Analyses("quick", (2, 8), (4, 64), ("digits_mlp", "digits_cnn"), (1, 8, 64))


def write(folder: Path) -> Path:
    """Write results/analyses/* into `folder`, and the profile of the measured part beside it; the folder."""
    shutil.copytree(made().name, folder, dirs_exist_ok=True)
    write_json(folder.parent / "throughput.json", {"device": {"name": "synthetic device"}})
    return folder


@functools.cache
def made() -> tempfile.TemporaryDirectory:
    """The files, made once for all tests of this process; the folder goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="synthetic_analyses_")
    measured = throughput.throughput(
        {
            "digits_mlp": line_costs(8e-3, 1e-3, GRID.samples),
            "digits_cnn": line_costs(1e-3, 2e-3, GRID.samples),
        }
    ).assign_attrs(device="synthetic device")
    modelled = analyses.modelled(with_and_without(MODELS, "flat_ended"), GRID)
    modelled["memory"] = memory(MODELS, METHODS, "h100_box", 2, 4)
    modelled["delay_map"] = delay_map.delay_map(range(5), [100, 101], SHORT)
    modelled["continuous_time"] = continuous_time(steps=(0.1, 0.05))
    analyses.save(modelled | {"throughput": measured}, GRID, Path(folder.name))
    about = {"source": "made up", "sample": [3, 224, 224]}
    models = {
        name: about | {"layers": [asdict(layer) for layer in layers]} for name, layers in MODELS.items()
    }
    write_json(Path(folder.name) / "models.json", models)
    return folder
