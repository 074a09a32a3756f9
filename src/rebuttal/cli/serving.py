"""Commands whose stages share one start-up, and what a warm server imports for them."""

import argparse
import os
import sys

#: What stages of pages import, and their notebooks' kernels: no torch.
PAGES = (
    "rebuttal.execution",
    "rebuttal.report.comparison",
    "rebuttal.report.all_pages",
    "rebuttal.studies.pool",
    "rebuttal.report.on_machines",
    "rebuttal.report.paper_review",
    "rebuttal.report.site",
    "rebuttal.report.site_index",
    "dask.array",  # xarray looks for it wherever it is installed, in every notebook
    "ipykernel.kernelapp",  # notebooks are executed in processes of the server
    "ipykernel.ipkernel",
)
#: What stages import: a warm server does so once.
PRELOADED = (
    "rebuttal.studies.all_analyses",
    "rebuttal.studies.steps",
    "rebuttal.studies.whole",
    "rebuttal.studies.worker_counts",
    "rebuttal.replaying.workers",
    *PAGES,
)
DVC = (sys.executable, "-m", "rebuttal.dvc_command")


def warm(given: argparse.Namespace) -> None:
    """Run a command whose stages are forked from one process that has imported what they need."""
    from rebuttal.warm.command import run

    sys.exit(run(given.run, PRELOADED))


def dvc(given: argparse.Namespace) -> None:
    """Run DVC under a profile; `repro` with warm processes for its stages."""
    if given.run[:1] != ["repro"]:
        os.execv(DVC[0], (*DVC, *given.run))  # noqa: S606 - this interpreter
    from rebuttal.warm.command import run

    sys.exit(run((*DVC, *given.run), PRELOADED))


#: They start the server themselves.
NOT_SERVED = (warm, dvc)
