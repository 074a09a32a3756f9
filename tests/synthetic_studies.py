"""Made-up results of a paper's own study: those of synthetic_results under the labels that params.yaml gives it."""

import json
from pathlib import Path

import synthetic_results

from rebuttal.core import results
from rebuttal.studies import params

PARAMS = Path(__file__).parents[1] / "params.yaml"

PLACE = {"workload": ["digits_mlp"], "machine": ["paper_cluster"]}


def write(study: Path, name: str, folder: Path) -> Path:
    """The files of the study called `name` in `folder`, all methods in one file of each kind, from those of `study`."""
    labels = [variant.label for variant in params.load(PARAMS).study(name).variants]
    numbers = json.dumps({"workloads": PLACE["workload"], "machines": PLACE["machine"], "seeds": [0, 1]})
    for kind, file in (
        ("curves", "training/all/curves.nc"),
        ("tuning", "tuning/all.nc"),
        ("summaries", "summaries/all.nc"),
    ):
        data = synthetic_results.loaded(study)[kind]
        there = [label for label in map(str, data.method.values) if not label.startswith("delayed")]
        again = (there * (1 + len(labels) // len(there)))[: len(labels)]
        chosen = data.sel({"method": again, **PLACE}).drop_vars("file").assign_coords(method=labels)
        results.save(chosen.assign_attrs(study=name, parameters=numbers), folder / file)
    note = {"device": "none", "git_commit": "0" * 40}
    synthetic_results.write_json(folder / "training" / "all" / "provenance.json", note)
    return folder
