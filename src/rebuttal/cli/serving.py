"""Commands whose stages share one start-up, and what a warm server imports for them."""

import argparse
import os
import sys

#: What stages of pages import, and their notebooks' kernels: no torch.
PAGES = (
    "rebuttal.studies.runs.notebook_execution",
    "rebuttal.site.comparison",
    "rebuttal.site.all_pages",
    "rebuttal.studies.runs.pool",
    "rebuttal.site.on_machines",
    "rebuttal.site.paper_review",
    "rebuttal.site.site_pages",
    "rebuttal.site.site_index",
    "dask.array",  # xarray looks for it wherever it is installed, in every notebook
    "ipykernel.kernelapp",  # notebooks are executed in processes of the server
    "ipykernel.ipkernel",
)
#: What stages import: a warm server does so once.
PRELOADED = (
    "rebuttal.studies.analyses.all_of_them",
    "rebuttal.studies.runs.steps",
    "rebuttal.studies.runs.study_stage",
    "rebuttal.studies.stages.worker_counts_stage",
    "rebuttal.replaying.workers",
    *PAGES,
)
DVC = (sys.executable, "-m", "rebuttal.cli.dvc_command")


def warm(given: argparse.Namespace) -> None:
    """Run a command whose stages are forked from one process that has imported what they need."""
    from rebuttal.studies.warm.warm_command import run

    sys.exit(run(given.run, PRELOADED))


def dvc(given: argparse.Namespace) -> None:
    """Run DVC under a profile; `repro` with warm processes for its stages."""
    if given.run[:1] != ["repro"]:
        os.execv(DVC[0], (*DVC, *given.run))  # noqa: S606 - this interpreter
    from rebuttal.studies.warm.warm_command import run

    sys.exit(run((*DVC, *given.run), PRELOADED))


#: They start the server themselves.
NOT_SERVED = (warm, dvc)
