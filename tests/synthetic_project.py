"""A whole project in a folder, with made-up results: for tests of what makes pages."""

import re
import shutil
from pathlib import Path

import device_costs
import synthetic_analyses
import synthetic_calibration
import synthetic_comparison
import synthetic_layer_wise
import synthetic_results
import synthetic_smoothing
import synthetic_studies
from once import made_once
from runs import COSTS

from rebuttal.simulation.simulate import simulate

ROOT = Path(__file__).resolve().parents[1]
SHOWN = {"synchronous": ({}, 8), "asynchronous": ({}, 120), "backup_workers": ({"b": 4}, 8)}


def shared() -> Path:
    """The project that all tests share. Not to be changed."""
    return made_once("synthetic_project", make)


def write(folder: Path) -> Path:
    """A copy of the project, to be changed as one likes; the study's folder."""
    shutil.copytree(shared(), folder, dirs_exist_ok=True)
    return folder / "results" / "quick" / "backup-workers"


def make(folder: Path) -> None:
    """dvc.yaml, papers, notebooks, pages and results, with the time lines that the report draws."""
    (folder / "dvc.yaml").write_text("stages: {}\n")
    about = (ROOT / "params.yaml").read_text()
    (folder / "params.yaml").write_text(
        re.sub("^device_costs: .*$", "device_costs: here", about, flags=re.MULTILINE)
    )
    shutil.copytree(ROOT / "papers", folder / "papers")
    shutil.copytree(
        ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints")
    )
    shutil.copytree(ROOT / "docs", folder / "docs")
    device_costs.write(folder, ["digits_mlp", "digits_cnn"])
    study = synthetic_results.write(folder / "results" / "quick")
    synthetic_comparison.write(study, folder / "results" / "quick" / "comparison")
    synthetic_smoothing.write(study, folder / "results" / "quick" / "random-smoothing")
    synthetic_layer_wise.write(study, folder / "results" / "quick" / "layer-wise")
    synthetic_analyses.write(folder / "results" / "quick" / "analyses")
    synthetic_calibration.write(folder / "results" / "quick")
    synthetic_studies.write(
        study, "continuous-propagation", folder / "results" / "quick" / "continuous-propagation"
    )
    for name, (options, updates) in SHOWN.items():
        run = simulate(
            name, machine="paper_cluster", workers=8, updates=updates, options=options, costs=COSTS
        )
        label = " ".join([name, *(f"{key}={value}" for key, value in options.items())])
        file = f"{label}--digits_mlp--paper_cluster--seed 0.npz".replace(" ", "_")
        run.save(study / "timelines" / name / file)
