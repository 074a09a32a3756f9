"""Stages that check, measure, simulate and train. Each imports what it needs when it runs, so that help is quick."""

import argparse
import functools
import importlib

from rebuttal.cli.starting import started


def check(given: argparse.Namespace) -> None:
    """Check the parameters, the papers' files and the data; what is wrong with the parameters first, and at once."""
    from rebuttal.studies import params

    loaded = params.load()
    from rebuttal.cli.check import check_project

    print(check_project(loaded))


def profile(given: argparse.Namespace) -> None:
    """Measure this device."""
    from rebuttal.studies.runs.device_profile import profile_device

    print(f"wrote {started(profile_device)(given.name, given.threads, given.workload or None, given.paper)}")


def study(given: argparse.Namespace) -> None:
    """Simulate, tune and train every method of a study."""
    from rebuttal.studies import params
    from rebuttal.studies.runs.study_stage import write_study

    write_study(started(params.load)(), given.paper)


def with_params(module: str, function: str, _: argparse.Namespace) -> None:
    """A stage that needs the parameters and nothing else: `function` of `module`."""
    from rebuttal.studies import params

    getattr(importlib.import_module(module), function)(started(params.load)())


def real_runs(given: argparse.Namespace) -> None:
    """Record runs of real processes of this host, and hold the virtual clock against such runs."""
    from rebuttal.studies import params
    from rebuttal.studies.calibration.campaign import write_calibration
    from rebuttal.studies.stages.recorded_stage import write_recorded

    loaded = started(params.load)()
    write_recorded(loaded)
    write_calibration(loaded, given.nodes)


ANALYSES = functools.partial(with_params, "rebuttal.studies.stages.analyses_stage", "write_all")
WORKER_COUNTS = functools.partial(
    with_params, "rebuttal.studies.stages.worker_counts_stage", "write_worker_counts"
)
