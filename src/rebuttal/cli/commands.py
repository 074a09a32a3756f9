"""What each command runs. A command imports what it needs when it runs, so that help is quick."""

import argparse
import subprocess
from collections.abc import Callable

from rebuttal.base.errors import InputError, RunError


def started(then: Callable) -> Callable:
    """`then`, once this process is tied to the one that started it, so that a killed pipeline leaves no orphan."""
    from rebuttal.base.parent_death import tie_to_parent

    tie_to_parent()
    return then


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
    # The calibration first: it has the processes' common parent import what PyTorch's own methods need.
    write_calibration(loaded, given.nodes)
    write_recorded(loaded)


def pages(given: argparse.Namespace) -> None:
    """Make every page whose inputs have changed and the site around them; or the pages that are named."""
    from rebuttal.site.all_pages import write_all, write_pages
    from rebuttal.studies.runs.pool import run_all

    made = started(write_pages)(run_all, given.page) if given.page else started(write_all)(run_all)
    print(f"made: {', '.join(made) if made else 'nothing, every page stands as its inputs would make it'}")


def run(given: argparse.Namespace) -> None:
    """Run a method on real processes of this host."""
    from rebuttal.processes.run_command import run as run_processes

    said = started(run_processes)(given)
    if said is not None:
        print(said)


def verify(given: argparse.Namespace) -> None:
    """Compute a recorded run again."""
    from rebuttal.processes.run_command import check

    print(started(check)(given))


def certify(given: argparse.Namespace) -> None:
    """Compare the results with a reference, check a bundle, or write a reference: as the arguments say."""
    if given.check:
        from rebuttal.site.certificates.certificate_check import check

        print(started(check)(given.check))
    elif given.write_reference:
        from rebuttal.evidence.references.reference import write

        print(f"wrote {started(write)(given.write_reference)}")
    else:
        from rebuttal.site.certificates.certificate import certify, summary

        content = started(certify)(given.reference)
        if content["outcome"] != "reproduced":
            raise RunError(summary(content))
        print(summary(content))


def new_paper(given: argparse.Namespace) -> None:
    """Write the folder of a new paper."""
    from rebuttal.cli.new_paper import write

    print(write(given.paper))


def release(_: argparse.Namespace) -> None:
    """Publish the profile's site, its results and the README's findings.

    The pages of all profiles rest on reference/, which this writes: the lock of those that are published is renewed.

    Raises:
        InputError: something that the pages rest on was changed after they were made; also as `site.release.release`.
    """
    from rebuttal.base import paths
    from rebuttal.cli.serving import DVC
    from rebuttal.site.release import release as publish

    stage = f"pages@{paths.profile()}"
    if subprocess.run([*DVC, "status", "--quiet", "--with-deps", stage], check=False).returncode:
        raise InputError(
            f"release: got {stage} out of date; allowed: pages of an up-to-date run (make repro)"
        )
    print(publish())
    subprocess.run([*DVC, "commit", "--quiet", "--force", stage], check=True)
