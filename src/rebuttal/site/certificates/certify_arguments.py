"""What `rebuttal certify` takes: read by the command line, which imports nothing heavy for it."""

import argparse
from pathlib import Path


def of_certify(parser: argparse.ArgumentParser) -> None:
    """One of three: a comparison (the default), a check of what is there, a new reference."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--reference", type=Path, metavar="FOLDER",
                      help="the reference (default: the one in reference/ of the results' profile)")  # fmt: skip
    what.add_argument("--check", type=Path, metavar="FILE",
                      help="compute the hashes and verdicts of a certificate or a reference again")  # fmt: skip
    what.add_argument(
        "--write-reference", metavar="NAME", help="write reference/NAME from the present results"
    )
    parser.add_argument("--profile", help="whose results (default: the line `profile:` of params.yaml)")
