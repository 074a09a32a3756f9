"""Runs on real processes. Each command imports what it needs when it runs, so that help is quick."""

import argparse

from rebuttal.cli.starting import started


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
