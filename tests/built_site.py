"""A whole site from made-up results, built once for all tests of a run, however many processes run them."""

import fcntl
import os
from pathlib import Path

import synthetic_project

from rebuttal.report import site

REVIEWS = ("backup-workers", "continuous-propagation", "layer-wise", "random-smoothing")
DRAWN = (*(f"{paper}.html" for paper in REVIEWS), "comparison.html", "machines.html", "calibration.html")
PAGES = ("index.html", *DRAWN, "measured.html", "methods/index.html", "methods/backup_workers.html")


def build(folder: Path) -> None:
    """The project, and everything that the pipeline makes of it."""
    synthetic_project.write(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for paper in REVIEWS:
            site.write_review(paper)
        site.write_comparison("comparison")
        site.write_machines()
        site.write_calibration()
        site.write_measured()
        site.write_site()
    finally:
        os.chdir(before)


def shared(of_this_run: Path) -> Path:
    """The project of this run of the tests; who comes first builds it, and the others wait. Not to be changed."""
    folder, done, failed = (of_this_run / name for name in ("site", "site.done", "site.failed"))
    with (of_this_run / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            raise RuntimeError(f"the site could not be built: {failed.read_text()}")
        if not done.exists():
            folder.mkdir()
            try:
                build(folder)
            except Exception as error:
                failed.write_text(str(error))
                raise
            done.touch()
    return folder


def read(reports: Path, page: str) -> str:
    """The text of a page."""
    return (reports / page).read_text(encoding="utf-8")
