"""Commands that make pages of the site. Each imports what it needs when it runs, so that help is quick."""

import argparse

from rebuttal.cli.starting import started


def reviews(_: argparse.Namespace) -> None:
    """Make every page that a notebook makes and whose inputs have changed."""
    from rebuttal.report.all_pages import write_pages
    from rebuttal.studies.pool import run_all

    made = started(write_pages)(run_all)
    print(f"made: {', '.join(made) if made else 'nothing, every page stands as its inputs would make it'}")


def machines(_: argparse.Namespace) -> None:
    """The page on machines."""
    from rebuttal.report.site import write_machines

    started(write_machines)()


def calibration(_: argparse.Namespace) -> None:
    """The page on the virtual clock against the real one."""
    from rebuttal.report.site import write_calibration

    started(write_calibration)()


def review(given: argparse.Namespace) -> None:
    """The page of a paper."""
    from rebuttal.report.site import write_review

    started(write_review)(given.paper)


def compare(given: argparse.Namespace) -> None:
    """The page that compares a study's methods."""
    from rebuttal.report.site import write_comparison

    started(write_comparison)(given.name)


def measured(_: argparse.Namespace) -> None:
    """The page on how everything was measured."""
    from rebuttal.report.site import write_measured

    started(write_measured)()


def site(_: argparse.Namespace) -> None:
    """The site, and the tables of the README."""
    from rebuttal.report.readme import write_readme
    from rebuttal.report.site import write_site

    started(write_site)()
    write_readme()
