"""Stages that check, measure, simulate and train. Each imports what it needs when it runs, so that help is quick."""

import argparse

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

    asked = (given.name, given.threads, given.workload or None, given.paper)
    print(f"wrote {started(profile_device)(*asked, executors_alone=given.executors)}")


def study(given: argparse.Namespace) -> None:
    """Simulate, tune and train every method of a study."""
    from rebuttal.studies import params
    from rebuttal.studies.runs.study_stage import write_study

    write_study(started(params.load)(), given.paper)


def analyses(given: argparse.Namespace) -> None:
    """Compute analyses that need no training: those that are named, or all."""
    from rebuttal.studies import params
    from rebuttal.studies.analyses.all_of_them import write_all

    write_all(started(params.load)(), given.analysis)


def worker_counts(given: argparse.Namespace) -> None:
    """Train on few and on more workers."""
    from rebuttal.studies import params
    from rebuttal.studies.stages.worker_counts_stage import write_worker_counts

    write_worker_counts(started(params.load)())


def real_runs(given: argparse.Namespace) -> None:
    """Record runs of real processes of this host, and hold the virtual clock against such runs."""
    from rebuttal.studies import params
    from rebuttal.studies.calibration.campaign import write_calibration
    from rebuttal.studies.stages.recorded_stage import write_recorded

    loaded = started(params.load)()
    write_calibration(loaded, given.nodes)  # first: it has the processes' common parent import what PyTorch's own need
    write_recorded(loaded)
