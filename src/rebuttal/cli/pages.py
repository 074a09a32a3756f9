"""The command that makes the site. It imports what it needs when it runs, so that help is quick."""

import argparse

from rebuttal.cli.starting import started


def pages(given: argparse.Namespace) -> None:
    """Make every page whose inputs have changed and the site around them; or the pages that are named."""
    from rebuttal.site.all_pages import write_all, write_pages
    from rebuttal.studies.runs.pool import run_all

    made = started(write_pages)(run_all, given.page) if given.page else started(write_all)(run_all)
    print(f"made: {', '.join(made) if made else 'nothing, every page stands as its inputs would make it'}")
