"""Commands that write files of the repository. Each imports what it needs when it runs, so that help is quick."""

import argparse


def new_paper(given: argparse.Namespace) -> None:
    """Write the folder of a new paper."""
    from rebuttal.cli.new_paper import write

    print(write(given.paper))


def release(_: argparse.Namespace) -> None:
    """Publish the profile's site, its results and the README's findings."""
    from rebuttal.site.release import release as publish

    print(publish())
