"""Commands whose stages share one start-up, and what a warm server imports for them."""

import argparse
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
    "rebuttal.studies.simulating",
    "rebuttal.studies.tuning",
    "rebuttal.studies.training",
    "rebuttal.studies.profiling",
    "rebuttal.studies.stragglers",
    "rebuttal.studies.throughput",
    "rebuttal.studies.memory",
    "rebuttal.studies.rates",
    "rebuttal.studies.adversarial",
    "rebuttal.studies.worker_counts",
    "rebuttal.studies.equivalence",
    "rebuttal.studies.delays",
    "rebuttal.studies.whole",
    "rebuttal.studies.estimate",
    "rebuttal.replaying.workers",
    *PAGES,
)


def warm(given: argparse.Namespace) -> None:
    """Run a command whose stages are forked from one process that has imported what they need."""
    from rebuttal.warm.command import run

    sys.exit(run(given.run, PRELOADED))


def pages(_: argparse.Namespace) -> None:
    """Run the pipeline with what pages need."""
    from rebuttal.warm.command import run

    sys.exit(run(("dvc", "repro"), PAGES))


#: They start the server themselves.
NOT_SERVED = (warm, pages)
