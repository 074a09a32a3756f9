"""The pipeline's graph: what a change makes stale, and what a killed run leaves behind. On DVC itself."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo
from once import made_once

ROOT = Path(__file__).resolve().parents[1]
DVC = [sys.executable, "-m", "dvc"]
ENVIRONMENT = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": "", "OMP_NUM_THREADS": "1"}


def dvc(folder: Path, *arguments: str) -> str:
    environment = ENVIRONMENT | {"DVC_SITE_CACHE_DIR": str(folder / "site-cache")}
    done = subprocess.run(
        [*DVC, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished() -> Path:
    """A copy of the project whose every stage is recorded as done, with placeholders for results. Not to be changed."""
    return made_once("pipeline", make_finished)


def make_finished(folder: Path) -> None:
    """Make that copy in `folder`."""
    for name in ("src", "docs", "notebooks", "papers", "params", "reference"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"
    )
    for out in outs(folder):
        path = folder / out
        (path.parent if path.suffix else path).mkdir(parents=True, exist_ok=True)
        (path if path.suffix else path / "content").write_text(out)
    dvc(folder, "commit", "--force")
    assert json.loads(dvc(folder, "status", "--json")) == {}


PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
STUDIES = PIPELINE["study"]["foreach"]
PARTS = ("summaries", "timelines", "training", "tuning")  # of a study that is one output


def outs(folder: Path) -> list[str]:
    """Every output of every stage."""
    pipeline = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    methods = yaml.safe_load((folder / "params/backup_workers.yaml").read_text())["methods"]
    found = []
    for stage in pipeline.values():
        each = stage.get("foreach", [""])
        for key in methods if each == "${methods}" else each:
            for out in stage.get("do", stage)["outs"]:
                name = next(iter(out)) if isinstance(out, dict) else out
                found.append(name.replace("${key}", key).replace("${item}", key))
    parts = [f"results/{study}/{part}" for study in pipeline["study"]["foreach"] for part in PARTS]
    return [*found, *parts]


def status(folder: Path) -> set[str]:
    """The stages whose own dependencies, parameters or command changed: what `dvc status` prints, without its start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site-cache"))
        with Repo(str(folder)) as repo:
            return set(repo.status())


def stages_of(name: str) -> set[str]:
    """A stage for each of the things that a stage of the pipeline is repeated for."""
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return {f"{name}@{key}" for key in pipeline[name]["foreach"]}


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A fresh copy of it, to change."""
    return Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_grid_of_learning_rates_leaves_the_other_studies_alone(project):
    text = (project / "params/quick.yaml").read_text()
    grid = next(line for line in text.splitlines() if "learning_rates: [" in line)
    (project / "params/quick.yaml").write_text(text.replace(grid, grid.replace("]", ", 7.0]"), 1))
    assert {stage.split("@")[0] for stage in status(project)} == {"method", "worker_counts"}


def test_a_change_to_one_method_makes_its_stage_stale_and_no_other(project):
    path = project / "src/rebuttal/methods/softsync.py"
    path.write_text(path.read_text() + "\n# a change\n")
    studies = {f"study@{name}" for name in STUDIES}
    assert status(project) == {"method@softsync", "calibrate", "equivalence", "memory", *studies}


def test_a_changed_option_makes_the_stage_of_its_method_stale_and_no_other(project):
    path = project / "params/backup_workers.yaml"
    replace(path, "variants: [{n: 4}]\n  softsync_aware", "variants: [{n: 2}]\n  softsync_aware")
    assert status(project) == {"method@softsync"}


def test_a_new_method_makes_only_its_own_stage(project):
    replace(
        project / "params/backup_workers.yaml",
        "  delayed:\n",
        "  synchronous_again: {program: synchronous}\n  delayed:\n",
    )
    assert status(project) == {"method@synchronous_again"}


def test_a_changed_chart_trains_nothing(project):
    path = project / "src/rebuttal/charts/theme.py"
    path.write_text(path.read_text() + "\n# a change\n")
    assert status(project) == {"reviews"}


def test_a_changed_page_of_docs_makes_pages_alone(project):
    for name in ("methods/gpipe.md", "status.md"):
        (project / "docs" / name).write_text((project / "docs" / name).read_text() + "\nA change.\n")
    assert status(project) == {"site"}


def test_the_processes_are_measured_anew_when_they_change_and_not_when_their_page_does(project):
    path = project / "notebooks/calibrate.ipynb"
    path.write_text(path.read_text() + "\n")
    assert status(project) == {"reviews"}
    path = project / "src/rebuttal/calibration/probes.py"
    path.write_text(path.read_text() + "\n# a change\n")
    assert status(project) == {"calibrate", "reviews"}


def test_a_changed_analysis_measures_nothing_and_other_samples_are_measured_anew(project):
    path = project / "src/rebuttal/analyses/steps.py"
    path.write_text(path.read_text() + "\n# a change\n")
    assert status(project) == {"analyses"}
    replace(project / "params/quick.yaml", "samples: [1, 4,", "samples: [1, 2, 4,")
    assert status(project) == {"analyses", "throughput"}


def test_a_changed_rule_of_a_verdict_trains_nothing(project):
    path = project / "papers/backup-workers/paper.yaml"
    path.write_text(path.read_text() + "\n# a change\n")
    assert status(project) == {"reviews"}


def test_a_new_reference_makes_pages_alone(project):
    (project / "reference" / "another.json").write_text("{}")
    assert status(project) == {"reviews", "site"}


def test_a_changed_result_makes_the_pages_stale(project):
    (project / "results/backup_workers/training/asynchronous/curves.nc").write_text("another")
    assert "reviews" in status(project)


def test_every_module_that_a_result_rests_on_is_a_dependency():
    """Modules that only read, write or describe are left out; the list is closed: a new module must be placed."""
    text = (ROOT / "dvc.yaml").read_text()
    indirect = {
        "__init__", "__main__", "certificates", "cli", "devices", "errors", "execution", "leases", "lifeline",
        "method_table", "params", "paths", "pictures", "predicting", "processes", "quick_imports",
        "schemas", "seeding", "straggler_fit", "studies", "tracing", "verdict_rules", "warm",
        "workload_table",
    }  # fmt: skip
    package = ROOT / "src" / "rebuttal"
    rooms = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    named = {room for room in rooms if f"src/rebuttal/{room}" in text}
    assert rooms - named <= indirect


SLOW_STAGE = """
import time
from pathlib import Path
from rebuttal.lifeline import tie_to_parent
tie_to_parent()
Path("started").write_text("")
time.sleep(float(Path("seconds").read_text()))
Path("out").write_text("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc, which only Linux has")
def test_a_killed_run_leaves_no_orphan_and_the_next_one_continues(tmp_path):
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"
    )
    (tmp_path / "slow.py").write_text(SLOW_STAGE)
    (tmp_path / "seconds").write_text("600")
    command = f"exec {sys.executable} slow.py"
    first = {"cmd": "echo first > first", "outs": ["first"]}
    stages = {"first": first, "slow": {"cmd": command, "deps": ["slow.py", "first"], "outs": ["out"]}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    environment = ENVIRONMENT | {"DVC_SITE_CACHE_DIR": str(tmp_path / "site-cache")}
    run = subprocess.Popen([*DVC, "repro"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "started").exists)
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait_for(lambda: not running_in(tmp_path), seconds=30)  # it would sleep for 600
    assert not (tmp_path / "out").exists()
    (tmp_path / "seconds").write_text("0")
    report = dvc(tmp_path, "repro")
    assert (tmp_path / "out").read_text() == "done"
    assert "Stage 'first' didn't change" in report


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def running_in(folder: Path) -> list[int]:
    """Numbers of the processes that run slow.py in the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (
                b"slow.py" in (entry / "cmdline").read_bytes()
                and (entry / "cwd").resolve() == folder.resolve()
            ):
                found.append(int(entry.name))
        except OSError:  # it ended while we looked
            continue
    return found
