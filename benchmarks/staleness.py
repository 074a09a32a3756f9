"""Does an edit of the source make every stage stale whose results may rest on it, and how many besides?

Each module of the package is edited in a copy of the checkout whose every stage is recorded as done, with placeholders
for results, and DVC is asked what is stale then. A stage rests on a module if a fresh interpreter has loaded it after
importing what the stage runs. A miss is a stage that rests on the module and is not stale: an old result would stand.

    python benchmarks/staleness.py [--modules 60] [--write FILE]

Exit status 1 with any miss.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path

from dvc.repo import Repo

from rebuttal.base import code, paths
from rebuttal.cli import pipeline

CONFIG = "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"
EDIT = "\n_edited = 1\n"
LOADED = "import sys; print(*(name for name in sys.modules if name.partition('.')[0] == 'rebuttal'))"


def copied(project: Path, folder: Path) -> Path:
    """A copy of what git tracks of a project, or would if asked to."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=project, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, dict.fromkeys([*names, "dvc.lock"])):
        if (project / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / name, folder / name)
    (folder / ".dvc").mkdir(exist_ok=True)
    (folder / ".dvc" / "config").write_text(CONFIG)
    return folder


def record_as_done(repo: Repo) -> None:
    """Write the lock of a pipeline that has run, with placeholders for the files and folders that are not there."""
    for path in [Path(one.fs_path) for one in (*repo.index.outs, *repo.index.deps)]:
        if not path.exists():
            file = path if path.suffix else path / "content"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(path.name)
    repo.commit(force=True)
    if left := repo.status():
        raise SystemExit(f"not all is as recorded before the first edit: {left}")


def rest_on(folder: Path, stage: str) -> frozenset[str]:
    """The modules that a fresh interpreter loads from the copy when it imports what a stage runs."""
    program = "".join(f"import {name}\n" for name in pipeline.entries(stage, folder)) + LOADED
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(done.stdout.splitlines()[-1].split())


@contextmanager
def edited(file: Path) -> Iterator[None]:
    """A file with a line more, for a while."""
    before = file.read_bytes()
    file.write_bytes(before + EDIT.encode())
    try:
        yield
    finally:
        file.write_bytes(before)


def spread(modules: Sequence[str], count: int) -> list[str]:
    """So many of them, as far apart as can be; all if there are fewer."""
    return [modules[number * len(modules) // count] for number in range(count)][: len(modules)]


def compare(folder: Path, modules: Sequence[str]) -> list[dict]:
    """For each module, which stages rest on it, and which of these are not stale once it is edited, or are besides."""
    with Repo(str(folder)) as repo:
        record_as_done(repo)
        pipelined = list(repo.index.stages)  # read once: an edit of the source changes no stage
        stages = {stage.addressing: stage.addressing.partition("@")[0] for stage in pipelined}
        if unknown := set(stages.values()) ^ set(pipeline.STAGES):
            raise SystemExit(f"in one of dvc.yaml and rebuttal.cli.pipeline only: {sorted(unknown)}")
        loaded = {stage: rest_on(folder, stage) for stage in pipeline.STAGES}
        rows = []
        for module in modules:
            resting = {name for name, stage in stages.items() if module in loaded[stage]}
            with edited(source(folder, module)):
                stale = {stage.addressing for stage in pipelined if any(dep.status() for dep in stage.deps)}
                if not rows and stale != (said := set(repo.status())):
                    raise SystemExit(f"{module}: stale by their dependencies are {stale}; DVC says {said}")
            rows.append({"module": module, "rest": sorted(resting), "missed": sorted(resting - stale),
                         "besides": sorted(stale - resting)})  # fmt: skip
        return rows


def source(folder: Path, module: str) -> Path:
    """The file of a module in the copy."""
    path = folder.joinpath("src", *module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def main() -> None:
    """Print every miss, and how many stages each edit makes stale with reason and without."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--modules", type=int, help="how many, spread evenly (default: all)")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    every = sorted(code.everything())
    modules = spread(every, min(given.modules or len(every), len(every)))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="staleness-") as name:
        os.environ |= {"DVC_SITE_CACHE_DIR": f"{name}/site", "DVC_NO_ANALYTICS": "1"}
        folder = copied(paths.root(), Path(name) / "project")
        with chdir(folder):
            rows = compare(folder, modules)
    for row in rows:
        for stage in row["missed"]:
            print(f"MISS: {row['module']} is loaded by {stage}, which an edit does not make stale")
    report(rows, time.perf_counter() - began)
    if given.write:
        given.write.write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit(any(row["missed"] for row in rows))


def report(rows: Sequence[dict], seconds: float) -> None:
    """Print the counts of each stage, and of all."""
    counts = {
        key: Counter(stage for row in rows for stage in row[key]) for key in ("rest", "missed", "besides")
    }
    print(f"{'stage':42}{'rests on':>10}{'missed':>10}{'stale besides':>15}")
    for stage in sorted(set().union(*counts.values())):
        print(
            f"{stage:42}{counts['rest'][stage]:10}{counts['missed'][stage]:10}{counts['besides'][stage]:15}"
        )
    missed = sum(bool(row["missed"]) for row in rows)
    print(
        f"{len(rows)} modules edited in {seconds:.0f} s; {missed} with a stage that an edit does not make stale"
    )


if __name__ == "__main__":
    main()
