"""The arguments of `rebuttal run` and `rebuttal verify`; importing this imports nothing heavy."""

import argparse
from pathlib import Path


def of_run(parser: argparse.ArgumentParser) -> None:
    """The arguments of a real run."""
    parser.add_argument("method", help="a name of rebuttal.METHODS, or file:PATH.py of your own")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the method")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--workload", default="digits_mlp")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument(
        "--rule", default="sgd", help="sgd (the default), momentum, rmsprop, adam, adamw, or file:PATH.py"
    )
    parser.add_argument("--rule-option", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--schedule",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the rate: decay, warm_up, final",
    )
    parser.add_argument("--batch", type=int, default=32, help="samples of one batch")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stragglers", default="none", help="a distribution of slowdowns, by name")
    parser.add_argument(
        "--pace", type=float, default=0.0, help="seconds that a slowdown of 1 stands for (default: 0, none)"
    )
    parser.add_argument(
        "--lock-free",
        action="store_true",
        help="memory that threads would share is read and written without locks",
    )
    parser.add_argument("--checksums-every", type=int, default=10, metavar="N", help="versions")
    parser.add_argument("--write", type=Path, help="where to (default: METHOD.npz)")


def of_verify(parser: argparse.ArgumentParser) -> None:
    """The arguments of a verification."""
    parser.add_argument("run", type=Path, help="a file that `rebuttal run` wrote")
    parser.add_argument("--data-root", type=Path)
    about = "a file that you have read: what is none of ours in the run, its workload, rule or method"
    parser.add_argument("--trust", type=Path, action="append", default=[], metavar="FILE", help=about)
