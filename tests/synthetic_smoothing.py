"""Made-up results of the study of random smoothing: those of synthetic_results under its labels and places."""

from functools import cache
from pathlib import Path

import synthetic_results
import xarray as xr

from rebuttal.core import results
from rebuttal.evidence import papers
from rebuttal.evidence.rules.compare_rule import Compare
from rebuttal.studies import params

PARAMS = Path(__file__).parents[1] / "params.yaml"

STUDY = "random-smoothing"


@cache
def known() -> params.Study:
    """The study as params.yaml has it."""
    return params.load(PARAMS).study(STUDY)


def labels() -> list[str]:
    """The labels of the study's variants."""
    return [variant.label for variant in known().variants]


def made(study: Path) -> dict[str, xr.Dataset]:
    """curves, tuning and summaries under the study's labels, from the synthetic results in a study's folder."""
    return {name: _relabelled(data) for name, data in synthetic_results.loaded(study).items()}


def write(study: Path, folder: Path) -> Path:
    """The same as the files of a study in `folder`, all methods in one file of each kind."""
    data = made(study)
    results.save(data["curves"], folder / "training" / "all" / "curves.nc")
    results.save(data["tuning"], folder / "tuning" / "all.nc")
    results.save(data["summaries"], folder / "summaries" / "all.nc")
    note = {"device": "none", "git_commit": "0" * 40}
    synthetic_results.write_json(folder / "training" / "all" / "provenance.json", note)
    return folder


def equal_pairs() -> list[tuple[str, str]]:
    """Labels that the paper's checks say compute the same."""
    paper = papers.load(PARAMS.parent / "papers" / STUDY / "paper.yaml")
    checks = [one.rule for question in paper.concerns for one in question.answers if one.role == "checks"]
    return [
        (rule.of[0], rule.against[0])
        for rule in checks
        if isinstance(rule, Compare) and rule.better == "equal"
    ]


def _relabelled(data: xr.Dataset) -> xr.Dataset:
    """Without the methods that were run in one place only; each workload is one of the two that there are."""
    there = [label for label in map(str, data.method.values) if not label.startswith("delayed")]
    source = dict(zip(labels(), there * 2, strict=False))
    source |= {of: source[against] for of, against in equal_pairs()}
    chosen = [source[label] for label in labels()]
    workloads = [str(data.workload.values[number % 2]) for number in range(len(known().workloads))]
    found = data.sel({"method": chosen, "workload": workloads}).drop_vars("file")
    named = {"method": labels(), "workload": list(known().workloads), "machine": list(known().machines)}
    return found.assign_coords(named).assign_attrs(study=STUDY, parameters="{}")
