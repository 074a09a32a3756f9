"""Are the answers those of the seeds, or of the methods? The studies again, with other seeds, beside a reference.

Every seed of the profile, of training and of tuning, is another one: the draws of stragglers, batches, initial weights
and noise are all new. The code, the sizes, the grids and the costs of the device are the same. Runs of real processes
have no seeds to change: both sides have those of the reference. Each part of each question is then judged on both
sides by the same rules. A reversal is a part that is supported on one side and contradicted on the other.

    python benchmarks/replication.py [--profile quick] [--shift 1000] [--write reference/replication.json]
                                     [--page docs/replication.md] [--keep FOLDER]

It takes as long as the studies of the profile: about fifteen minutes for quick on two cores.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rebuttal.base import paths
from rebuttal.evidence import replication
from rebuttal.evidence.references import ledgers

SEEDS = ("seeds", "tuning_seeds")
OF_REAL_PROCESSES = "recorded.nc"  # of the analyses: the only one that no seed decides


def replicated(folder: Path, profile: str, shift: int) -> Path:
    """The results of every study of a profile in a clone of this checkout, with each seed `shift` higher."""
    subprocess.run(["git", "clone", "--quiet", str(paths.root()), str(folder)], check=True)
    for file in (folder / paths.PARAMETERS, *sorted(folder.glob("papers/*/study.yaml"))):
        _shift(file, shift)
    for command in _commands(folder):
        _run(folder, profile, command)
    return folder / "results" / profile


def _shift(file: Path, shift: int) -> None:
    """Rewrite a parameter file with other seeds; its comments and all else stay."""
    form = YAML()
    content = form.load(file)
    for section in _sections(content):
        for name in SEEDS:
            if name in section:
                section[name] = [seed + shift for seed in section[name]]
    with file.open("w") as stream:
        form.dump(content, stream)


def _sections(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The profiles' sections of a parameter file."""
    for name in ("sizes", "analyses"):
        yield from content.get(name, {}).values()


def _commands(folder: Path) -> Iterator[list[str]]:
    """The stages whose results seeds decide."""
    for study in ledgers.studies(ledgers.papers_in(folder)):
        yield ["study", study]
    yield ["analyses"]
    yield ["worker_counts"]


def _run(folder: Path, profile: str, command: Sequence[str]) -> None:
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
    whole = [sys.executable, "-m", "rebuttal.cli", *command, "--profile", profile]
    subprocess.run(whole, cwd=folder, env=environment, check=True)


def main() -> None:
    """Train, judge, print one line for each part that differs, and write the table if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--shift", type=int, default=1000)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument(
        "--keep", type=Path, help="where the clone stays; results that it has are not made again"
    )
    given = parser.parse_args()
    reference = paths.root() / "reference" / given.profile / "results"
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary) / "clone"
        again = folder / "results" / given.profile
        if not again.is_dir():
            replicated(folder, given.profile, given.shift)
        shutil.copyfile(reference / "analyses" / OF_REAL_PROCESSES, again / "analyses" / OF_REAL_PROCESSES)
        about = ledgers.papers_in(paths.root())
        content = replication.compared(*(ledgers.rows(about, each) for each in (reference, again)))
    content = {"profile": given.profile, "shift": given.shift, **content}
    print(replication.in_words(content))
    if given.write:
        given.write.write_text(json.dumps(content, indent=1) + "\n")
    if given.page:
        given.page.write_text(replication.page(content))


if __name__ == "__main__":
    main()
