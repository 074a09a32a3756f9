"""A whole site from made-up results, built once for all tests of a run, however many processes run them."""

import os
import subprocess
import sys
from pathlib import Path

import synthetic_project
from once import made_once

REVIEWS = ("backup-workers", "continuous-propagation", "layer-wise", "random-smoothing")
DRAWN = (*(f"{paper}.html" for paper in REVIEWS), "comparison.html", "machines.html", "calibration.html")
PAGES = ("index.html", *DRAWN, "measured.html", "methods/index.html", "methods/backup_workers.html")
#: What the processes share, pages and notebooks alike: imported once. The simulations of the studies are not needed.
IMPORTED = ("rebuttal.site.site_pages", "rebuttal.site.site_index", "rebuttal.site.comparison",
            "rebuttal.site.on_machines", "rebuttal.site.paper_review", "ipykernel.kernelapp",
            "ipykernel.ipkernel")  # fmt: skip
WARM = (
    f"import sys; from rebuttal.studies.warm.warm_command import run; sys.exit(run(sys.argv[1:], {IMPORTED}))"
)


def build(folder: Path) -> None:
    """The project, and everything that the pipeline makes of it, in warm processes."""
    synthetic_project.write(folder)
    script = Path(__file__).with_name("site_stages.py")
    done = subprocess.run(
        [sys.executable, "-c", WARM, sys.executable, str(script)],
        cwd=folder, env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)


def shared() -> Path:
    """The project of this run of the tests. Not to be changed."""
    return made_once("site", build)


def read(reports: Path, page: str) -> str:
    """The text of a page."""
    return (reports / page).read_text(encoding="utf-8")
