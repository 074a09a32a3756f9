"""`make repro` ended at random moments: a signal to a process of any kind, again and again, and what is found then.

A small project of two studies is run in a copy of this checkout. Each time it
begins without results (and every other time without what was kept of earlier training), one of its processes, drawn by
kind, gets SIGKILL, SIGTERM or SIGINT at a random moment, and the pipeline is run again. An ending is sound if

- nobody is left 2 s after the command has ended, and it did end;
- no file is corrupt: result files, time lines and DVC's lock are read, and no entry of the stores is computed again;
- it is said without a traceback, and with a status that is not 0, unless the run came to its end;
- the second run comes to its end, does not run again what was finished, and gives every file whose bytes repeat at all
  with the bytes that an undisturbed run gives;
- nothing is left in temporary folders or beside results once the second run is over.

    python benchmarks/endings.py [--times 50] [--seed 0] [--write FILE]
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rebuttal.base import netcdf
from rebuttal.base.devices import identity
from rebuttal.base.errors import InputError
from rebuttal.core.timeline import Timeline

ROOT = Path(__file__).resolve().parents[1]
MARK = "REBUTTAL_ENDING"  # in the environment of every process of a run
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LATER_S, LONGEST_S = 2.0, 120.0  # nobody is left so long after the end; a run that takes longer hangs
STUDIES: Mapping[str, tuple[str, ...]] = {
    "backup-workers": ("synchronous", "asynchronous", "backup_workers"),
    "layer-wise": ("mini_batch", "all_reduce"),
}
SIZES = {"workloads": ["digits_mlp"], "machines": ["ethernet_10g"], "workers": 4, "batch": 32, "epochs": 2,
         "points": 5, "seeds": [0], "tuning_seeds": [100], "learning_rates": [0.03, 0.1],
         "shared_learning_rate": 0.1}  # fmt: skip
TARGETS = ("study",)
WRITTEN = ("results", "dvc.lock", ".dvc/cache", ".dvc/tmp", ".cache/progress")
STORES = ".cache"


@dataclass(frozen=True)
class Project:
    """A small project in a folder, with temporary folders of its own."""

    folder: Path

    @property
    def temporary(self) -> Path:
        """Where its processes make temporary folders; short enough for sockets."""
        return self.folder.parent / "t"

    def started(self, token: str) -> subprocess.Popen:
        """`make repro`, in a session of its own; what it says goes to a file."""
        environment = os.environ | {
            MARK: token,
            "PYTHONPATH": str(self.folder / "src"),
            "TMPDIR": str(self.temporary),
        }
        venv = Path(sys.prefix)
        command = ["make", "-o", f"{venv}/installed", "repro", f"VENV={venv}", "PROFILE=ci",
                   f"ARGS={' '.join(TARGETS)}"]  # fmt: skip
        with (self.folder.parent / "said").open("w") as said:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def run(self) -> tuple[int, str, float]:
        """`make repro` to its end: status, what it said, seconds."""
        began_s = time.monotonic()
        status = self.started("undisturbed").wait(10 * LONGEST_S)
        return status, self.said(), time.monotonic() - began_s

    def said(self) -> str:
        """What the last run said."""
        return (self.folder.parent / "said").read_text(errors="replace")

    def emptied(self, *more: str) -> None:
        """As if nothing had been run."""
        for name in (*WRITTEN, *more):
            place = self.folder / name
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)

    def finished(self) -> set[str]:
        """The stages that DVC has noted as finished."""
        lock = self.folder / "dvc.lock"
        return set(yaml.safe_load(lock.read_text())["stages"]) if lock.is_file() else set()

    def digests(self) -> dict[str, str]:
        """SHA-256 of every result file."""
        files = sorted(path for path in (self.folder / "results").rglob("*") if path.is_file())
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def corrupt(self) -> list[str]:
        """The files that cannot be read."""
        found = []
        for path in sorted((self.folder / "results").rglob("*")):
            try:
                if path.suffix == ".nc":
                    netcdf.load(path)
                elif path.suffix == ".npz":
                    Timeline.load(path)
                elif path.suffix in (".json", ".ipynb"):
                    json.loads(path.read_text())
            except (InputError, OSError, ValueError) as error:
                found.append(f"{path.name} is corrupt: {' '.join(str(error).split())}")
        return found

    def rests(self) -> set[str]:
        """What lies in the temporary folder, and half-written files."""
        beside = [path for path in self.folder.rglob("*.partial") if ".git" not in path.parts]
        return {path.name for path in (*self.temporary.iterdir(), *beside)}


def made(folder: Path) -> Project:
    """The project, in a new folder."""
    place = folder / "p"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(place)], check=True)
    (folder / "t").mkdir()
    for study, methods in STUDIES.items():
        path = place / "papers" / study / "study.yaml"
        content = yaml.safe_load(path.read_text())
        content["methods"] = {name: {"program": name} for name in methods}
        content["sizes"] = {"all": {}, "quick": {}, "standard": {}, "full": {}, "ci": SIZES}
        path.write_text(yaml.safe_dump(content))
        for name in ("paper.yaml", "review.ipynb"):
            (path.parent / name).unlink()
    lines = (place / "params.yaml").read_text().splitlines()
    papers = f"papers: [{', '.join(STUDIES)}]"
    lines = [papers if line.startswith("papers:") else line for line in lines]
    (place / "params.yaml").write_text("\n".join(lines) + "\n")
    project = Project(place)
    project.emptied()
    return project


def members(token: str) -> Iterator[tuple[int, str]]:
    """(process, its command) of all that a run has started."""
    wanted = f"{MARK}={token}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (place / "environ").read_bytes().split(b"\0"):
                words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
                state = (place / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    yield int(place.name), " ".join(words)
        except (OSError, IndexError):  # it has ended meanwhile
            continue


def kind(process: int, command: str) -> str:
    """The kind of a process, from its command line; of forks of the warm server, how deep they are, too."""
    for word in ("make repro", "dvc_command", "warm.server", "ipykernel", "forkserver", "resource_tracker",
                 "rebuttal.cli study", "rebuttal.cli worker_counts", "rebuttal dvc", "rebuttal check"):  # fmt: skip
        if word in command:
            depth = _depth(process) if word == "warm.server" else 0
            return f"{word} {depth}" if depth else word
    return command.split(" ", maxsplit=1)[0].rpartition("/")[2] or "unnamed"


def _depth(process: int) -> int:
    """How many processes of a warm server are above one: its stages, kernels and workers are forks of it."""
    found = 0
    while process > 1:
        try:
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
            found += "warm.server" in Path(f"/proc/{process}/cmdline").read_text()
        except (OSError, ValueError):
            break
    return found


def ending(project: Project, number: int, seed: int, whole_s: Mapping[bool, float]) -> dict[str, Any]:
    """End a run once, and look: whom, by what, when, and what is wrong."""
    draw = np.random.default_rng([seed, number])
    with_stores = bool(number % 2)
    project.emptied(*([] if with_stores else [STORES]))
    token = f"{os.getpid()}-{seed}-{number}"
    root = project.started(token)
    time.sleep(float(draw.uniform(0, whole_s[with_stores])))
    kinds: dict[str, list[int]] = {}
    for process, command in members(token):
        kinds.setdefault(kind(process, command), []).append(process)
    chosen = str(draw.choice(sorted(kinds))) if kinds else "none"
    by = SIGNALS[int(draw.integers(len(SIGNALS)))]
    if kinds:
        _send(int(draw.choice(kinds[chosen])), by, root)
    wrong = _ended(root, token, project)
    finished = project.finished()
    wrong += project.corrupt()
    row = {
        "number": number,
        "kind": chosen,
        "signal": by.name,
        "finished": len(finished),
        "status": root.poll(),
    }
    return row | {"wrong": wrong, "finished_stages": sorted(finished)}


def _send(process: int, by: signal.Signals, root: subprocess.Popen) -> None:
    """A signal to a process; SIGINT to `make` comes from a terminal, which tells the whole group."""
    try:
        if by is signal.SIGINT and process == root.pid:
            os.killpg(root.pid, by)
        else:
            os.kill(process, by)
    except ProcessLookupError:  # it had ended
        pass


def _ended(root: subprocess.Popen, token: str, project: Project) -> list[str]:
    """Wait for the end of a run; what is wrong with it."""
    try:
        status = root.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        hung = sorted(f"{process} {kind(process, command)}" for process, command in members(token))
        os.killpg(root.pid, signal.SIGKILL)
        root.wait()
        return [f"it hung: {', '.join(hung)}"]
    deadline = time.monotonic() + LATER_S
    while (left := list(members(token))) and time.monotonic() < deadline:
        time.sleep(0.05)
    wrong = [f"{kind(*one)} is left" for one in left]
    for process, _ in left:
        _send(process, signal.SIGKILL, root)
    said = project.said()
    if "Traceback" in said:
        wrong.append(f"a traceback: {said.splitlines()[-1]}")
    whole = len(project.finished()) == len(STUDIES)
    return wrong + ["the status is 0 and stages are missing"] * (status == 0 and not whole)


def again(project: Project, row: dict[str, Any], wanted: Mapping[str, str], stays: set[str]) -> list[str]:
    """Run the pipeline to its end after an ending; what is wrong. stays: what undisturbed runs leave, too."""
    status, said, _ = project.run()
    wrong = [] if status == 0 else [f"the second run ended with {status}: {said.splitlines()[-1]}"]
    rerun = [name for name in row["finished_stages"] if f"Running stage '{name}'" in said]
    wrong += [f"{name} was finished and ran again" for name in rerun]
    wrong += ["an entry of a store was damaged"] * ("it is computed again" in said)
    found = project.digests()
    wrong += [f"{name} is not as it was" for name, digest in wanted.items() if found.get(name) != digest]
    return wrong + [f"{name} is left" for name in sorted(project.rests() - stays)]


def undisturbed(project: Project) -> tuple[dict[str, str], dict[bool, float]]:
    """(digests of the files that repeat to the byte, seconds of a run with and without what the stores hold)."""
    found, whole_s = [], {}
    for with_stores in (False, True):
        project.emptied()
        status, said, whole_s[with_stores] = project.run()
        if status:
            raise SystemExit(f"the undisturbed run ended with {status}:\n{said}")
        found.append(project.digests())
    return {name: one for name, one in found[0].items() if found[1].get(name) == one}, whole_s


def main() -> None:
    """Print a line for each ending and how many were sound, and write that if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        project = made(Path(folder))
        wanted, whole_s = undisturbed(project)
        stays = project.rests()
        print(f"{len(wanted)} files repeat to the byte; a run takes {whole_s[False]:.0f} s, {whole_s[True]:.0f} s "
              "with what is kept of another")  # fmt: skip
        rows = []
        for number in range(given.times):
            row = ending(project, number, given.seed, whole_s)
            row["wrong"] += again(project, row, wanted, stays)
            rows.append(row)
            what = "; ".join(row["wrong"]) or "sound"
            print(f"{number}: {row['signal']} to {row['kind']}, {row['finished']} stages finished, "
                  f"status {row['status']}: {what}", flush=True)  # fmt: skip
    sound = sum(not row["wrong"] for row in rows)
    print(f"{sound} of {len(rows)} endings sound; by kind: {dict(Counter(row['kind'] for row in rows))}")
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        report = {"device": identity("cpu"), "sound": sound, "files": len(wanted), "endings": rows}
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
