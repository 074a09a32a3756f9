"""What commands take. Profiles are checked where parameters are read, so that help imports nothing."""

import argparse
from argparse import ArgumentParser
from pathlib import Path


def stage(parser: ArgumentParser) -> None:
    """A profile, for what is a stage of the pipeline or looks at one."""
    parser.add_argument(
        "--profile", help="quick, standard, full or ci (default: the line `profile:` of params.yaml)"
    )


def study(parser: ArgumentParser) -> None:
    """A paper, and a profile."""
    parser.add_argument("paper", help="a folder of papers/ with a study.yaml")
    stage(parser)


def analyses(parser: ArgumentParser) -> None:
    """Names of analyses, and a profile."""
    parser.add_argument("analysis", nargs="*", help="analyses to compute, such as memory (default: all)")
    stage(parser)


def real_runs(parser: ArgumentParser) -> None:
    """Numbers of processes, and a profile."""
    about = "numbers of processes (default: the profile's); with more than cores, seconds support no claim"
    parser.add_argument("--nodes", type=int, nargs="+", default=(), metavar="N", help=about)
    stage(parser)


def pages(parser: ArgumentParser) -> None:
    """Names of pages, and a profile."""
    parser.add_argument("page", nargs="*", help="pages to make, such as backup-workers (default: all)")
    stage(parser)


def new_paper(parser: ArgumentParser) -> None:
    """The new folder's name."""
    parser.add_argument("paper", help="small letters, digits and -: the folder's name, and that of its page")


def profile(parser: ArgumentParser) -> None:
    """What is measured, and where it is written."""
    parser.add_argument("workload", nargs="*", help="workloads (default: all whose data are there)")
    parser.add_argument("--name", default="here", help="write reference/devices/NAME.json (default: here)")
    parser.add_argument("--threads", type=int, default=1, help="threads of one gradient (default: 1)")
    parser.add_argument(
        "--paper", help="measure the workloads of a paper's own, into papers/PAPER/own/costs.json"
    )
    about = (
        "measure which executor is the fastest, in a file that is there; no cost, and so no second, changes"
    )
    parser.add_argument("--executors", action="store_true", help=about)


def dvc(parser: ArgumentParser) -> None:
    """A profile before DVC's own arguments."""
    stage(parser)
    parser.add_argument("run", nargs=argparse.REMAINDER, help="a command of DVC, such as repro or status")


def warm(parser: ArgumentParser) -> None:
    """A command."""
    parser.add_argument(
        "run", nargs=argparse.REMAINDER, help="a command and its arguments, such as dvc repro"
    )


def certify(parser: ArgumentParser) -> None:
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
