"""Made-up results of a study of many methods: those of synthetic_results under other labels, of every group.

Two labels share one run, one run diverged, one method diverged at every learning rate, and one is new to the package.
"""

import json
from pathlib import Path

import numpy as np
import synthetic_results
import xarray as xr

from rebuttal.core import results

LABELS = (
    "mini_batch shards=1", "mini_batch shards=4", "all_reduce", "layer_wise", "bucketed cap_mib=0.02 first_mib=0.01",
    "local_sgd H=4", "local_sgd H=4 post=50", "synchronous", "asynchronous", "downpour n_fetch=4 n_push=4",
    "one_sided atomic=true", "one_sided atomic=false", "hogwild", "model_parallel", "gpipe m=4",
    "continuous_propagation form=store", "continuous_propagation form=stash mitigation=spike",
    "synthetic_gradients rate=0.001", "greedy", "nesterov m=4", "pprs K=4 gamma=0.001 m=1",
    "pprs K=4 gamma=0.001 m=1 pipelined=false", "method_of_my_own",
)  # fmt: skip
SAME = ("mini_batch shards=4", "all_reduce")
DIVERGED, NEVER = "downpour n_fetch=4 n_push=4", "synthetic_gradients rate=0.001"
PLACE = {"workload": ["digits_mlp"], "machine": ["paper_cluster"]}
PARAMETERS = {
    "workloads": ["digits_mlp"],
    "machines": ["paper_cluster"],
    "workers": 4,
    "epochs": 3,
    "seeds": [0, 1],
}


def made(study: Path) -> dict[str, xr.Dataset]:
    """curves, tuning and summaries of LABELS, from the synthetic results in a study's folder."""
    found = {name: _relabelled(data) for name, data in synthetic_results.loaded(study).items()}
    found["curves"]["test_loss"] += xr.DataArray(np.arange(len(LABELS)) * 1e-6, dims="method")
    one, other = (found["curves"].get_index("method").get_loc(label) for label in SAME)
    for name in ("test_loss", "test_metric"):
        found["curves"][name][other] = found["curves"][name][one]
    found["curves"]["diverged_at"].loc[{"method": DIVERGED, "seed": 0, "rate": "tuned"}] = 40.0
    found["tuning"]["diverged"].loc[{"method": NEVER}] = 1.0
    found["tuning"]["validation_loss"].loc[{"method": NEVER}] = np.nan
    return found


def write(study: Path, folder: Path) -> Path:
    """The same as the files of a study in `folder`, all methods in one file of each kind."""
    data = made(study)
    results.save(data["curves"], folder / "training" / "all" / "curves.nc")
    results.save(data["tuning"], folder / "tuning" / "all.nc")
    results.save(data["summaries"], folder / "summaries" / "all.nc")
    note = {"device": "none", "git_commit": "0" * 40}
    synthetic_results.write_json(folder / "training" / "all" / "provenance.json", note)
    return folder


def _relabelled(data: xr.Dataset) -> xr.Dataset:
    """Under LABELS, without the methods that were run in one place only."""
    there = [label for label in map(str, data.method.values) if not label.startswith("delayed")]
    again = (there * 2)[: len(LABELS)]
    chosen = data.sel({"method": again, **PLACE}).drop_vars("file")
    parameters = json.dumps(PARAMETERS)
    return chosen.assign_coords(method=list(LABELS)).assign_attrs(study="comparison", parameters=parameters)
