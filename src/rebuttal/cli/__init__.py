"""The command line: one command for each stage of the pipeline. Bad input is one line on stderr and exit status 2."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence

from rebuttal.base import paths
from rebuttal.base.errors import InputError, RunError
from rebuttal.cli.commands import started
from rebuttal.cli.serving import NOT_SERVED
from rebuttal.cli.table import COMMANDS
from rebuttal.studies import warm

INTERRUPTED, PIPED = 128 + signal.SIGINT, 128 + 13  # as shells say that a signal ended a command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        _run(given)
    except InputError as error:
        print(f"rebuttal: {error}", file=sys.stderr)
        return 2
    except (RunError, warm.GoneError) as error:
        print(f"rebuttal: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, MemoryError, OSError) as error:
        return _ended(error)
    return 0


def _ended(error: BaseException) -> int:
    """Say in one line what the system or the user ended a command with; the exit status that shells know it by."""
    if isinstance(error, BrokenPipeError):  # whoever read our output has gone, and reads no message either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPED
    told = "interrupted" if isinstance(error, KeyboardInterrupt) else " ".join(str(error).split())
    name = "out of memory" if isinstance(error, MemoryError) else ""
    print(f"rebuttal: {': '.join(part for part in (name, told) if part)}", file=sys.stderr)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _run(given: argparse.Namespace) -> None:
    """Run a command; all that it starts has its profile."""
    if getattr(given, "profile", None):
        os.environ[paths.PROFILE] = given.profile
    if not hasattr(given, "profile") or given.command in NOT_SERVED:  # no stage of the pipeline
        _served_or_here(given)
        return
    from rebuttal.cli.steady_inputs import steady

    with steady(given.command.__name__, vars(given)):
        _served_or_here(given)


def _served_or_here(given: argparse.Namespace) -> None:
    """Run a command in a warm process if there is one, here if not."""
    served = given.command not in NOT_SERVED and warm.offered()
    worker = started(warm.connect)() if served else None
    if worker is None:
        given.command(given)
    else:
        with contextlib.closing(worker):
            worker(given.command, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rebuttal", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command, about, takes in COMMANDS:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(command=command)
        takes(sub)
    return parser
