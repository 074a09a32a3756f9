"""One of four workers killed at a random moment of an asynchronous run, again and again: is anything lost but itself?

Each time, a worker gets signal 9 a random while after the run has reached a random version. A run is sound if

- no update is lost: every version is there, every gradient that the server took is in one, and their weights, each with
  a checksum, are computed again to the bit;
- nobody is left: no process, and no folder in memory;
- no file is corrupt: what was saved is read back and verified, and nothing lies beside it;
- the timeline says who was lost.

    python benchmarks/kills.py [--times 20] [--write reference/kills_benchmark.json]
"""

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from rebuttal.base.devices import identity
from rebuttal.base.errors import RunError
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD
from rebuttal.processes.launcher import folder_of_run, started
from rebuttal.processes.members import Member
from rebuttal.processes.node_progress import Progress
from rebuttal.processes.setup import Setup
from rebuttal.processes.supervisor import Supervisor
from rebuttal.processes.verification import verify
from rebuttal.simulation.timeline_metrics import gradients

WORKERS, UPDATES = 4, 120
LATER_S = 0.02  # the longest from a version to a kill: some gradients
LOOK_S = 0.0002


def killed_run(seed: int) -> dict[str, Any]:
    """Record a run and kill a worker in it, when and whom the seed says: the victim, what was lost, what is wrong."""
    draw = np.random.default_rng(seed)
    victim, version = int(draw.integers(1, WORKERS + 1)), int(draw.integers(0, UPDATES // 2))
    later_s = float(draw.uniform(0, LATER_S))
    setup = Setup.of(
        "asynchronous", None, "exponential", workload="digits_mlp", workers=WORKERS, updates=UPDATES,
        learning_rate=0.1, rule=SGD(), batch=32, seed=seed, pace_s=0.004, checksums_every=1,
    )  # fmt: skip
    with folder_of_run() as folder, started(setup, folder) as members, ThreadPoolExecutor(1) as thread:
        killing = thread.submit(_kill, Progress(folder, len(members)), members[victim], version, later_s)
        timeline = Supervisor(setup, folder, members).timeline(patience_s=60.0)
        processes = [member.pid for member in members.values()]
    if not killing.result():  # a busy host was late, and the run over: not the moment that was drawn
        return killed_run(seed)
    wrong = [*_left(processes, folder), *_loss(timeline, victim), *_lost_updates(timeline), *_file(timeline)]
    return {"seed": seed, "victim": victim, "lost": timeline.about["lost"], "wrong": wrong}


def _kill(progress: Progress, member: Member, version: int, later_s: float) -> bool:
    """Kill a worker some time after a version; whether the run was not over then."""
    while progress.of(0)[2] <= version:
        time.sleep(LOOK_S)
    time.sleep(later_s)
    member.kill()
    return progress.of(0)[2] <= UPDATES


def _left(processes: list[int], folder: Path) -> list[str]:
    alive = [f"process {pid} is left" for pid in processes if Path(f"/proc/{pid}").exists()]
    return alive + [f"{folder} is left"] * folder.exists()


def _loss(timeline: Timeline, victim: int) -> list[str]:
    lost = [(one["node"], one["how"]) for one in timeline.about["lost"]]
    return [] if lost == [(victim, "was killed by signal 9")] else [f"lost are {lost}, not node {victim}"]


def _lost_updates(timeline: Timeline) -> list[str]:
    """Gradients that the server took and that are in no version."""
    m, table = timeline.messages, gradients(timeline)
    taken = (m["tag"] == timeline.names.index("gradient")) & ~np.isnan(m["received_s"])
    applied = table["value"].values[table["update"].values >= 0]
    return [f"gradient {value} is lost" for value in np.setdiff1d(m["value"][taken], applied).tolist()]


def _file(timeline: Timeline) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "run.npz"
        timeline.save(path)
        beside = [f"beside the run is {other}" for other in Path(name).iterdir() if other != path]
        try:
            agreed = verify(Timeline.load(path))
        except RunError as error:
            return [*beside, str(error)]
    return beside + [f"{agreed} versions agree, of {UPDATES + 1}"] * (agreed != UPDATES + 1)


def main() -> None:
    """Print a line for each run and how many were sound, and write that if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    rows = []
    for seed in range(given.times):
        rows.append(row := killed_run(seed))
        (lost,) = row["lost"] or [{}]
        print(
            f"seed {seed}: node {row['victim']} at version {lost.get('version')}, "
            f"{lost.get('computations_lost')} computations and {lost.get('messages_lost')} messages lost with it: "
            + ("; ".join(row["wrong"]) or "sound")
        )
    sound = sum(not row["wrong"] for row in rows)
    print(f"{sound} of {len(rows)} runs sound")
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        report = {"device": identity("cpu"), "sound": sound, "runs": rows}
        given.write.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
