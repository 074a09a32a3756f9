"""The pipeline's graph: what a change makes stale, and what a killed run leaves behind. On DVC itself."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo
from once import made_once

from rebuttal.base import code, paths
from rebuttal.base.errors import InputError
from rebuttal.cli import commands, pipeline

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
    for name in ("src", "docs", "notebooks", "papers", "reference"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / ".dvc" / "plots", folder / ".dvc" / "plots")
    (folder / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n"
    )
    finish(folder)


def finish(folder: Path) -> None:
    """Leave placeholders for what the stages have not written, and record all of them as done."""
    with opened(folder) as repo:
        places = [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]
    for path in places:
        if not path.exists():
            (path.parent if path.suffix else path).mkdir(parents=True, exist_ok=True)
            (path if path.suffix else path / "content").write_text(path.name)
    dvc(folder, "commit", "--force")
    assert json.loads(dvc(folder, "status", "--json")) == {}


@contextmanager
def opened(folder: Path):
    """The project as DVC sees it, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site-cache"))
        with Repo(str(folder)) as repo:
            yield repo


def status(folder: Path) -> set[str]:
    """The stages whose own dependencies, parameters or command changed: what `dvc status` prints, without its start."""
    with opened(folder) as repo:
        return {name.replace("@quick-", "@").removesuffix("@quick") for name in repo.status()}


PAPERS = yaml.safe_load((ROOT / "params.yaml").read_text())["papers"]
STUDIES = {f"study@{paper}" for paper in PAPERS}
ALL = STUDIES | set(pipeline.STAGES) - {"study"}


@pytest.fixture
def project(finished, tmp_path) -> Path:
    """A fresh copy of it, to change."""
    return Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def append(path: Path, text: str = "\n_changed = 1\n") -> None:
    path.write_text(path.read_text() + text)


def test_the_dependencies_of_every_stage_are_what_its_command_imports():
    text = (ROOT / "dvc.yaml").read_text()
    assert pipeline.written(text, ROOT) == text, "run `python -m rebuttal.cli.pipeline`"


#: Of all rooms: laws, clusters, values, studies, analyses, charts, pages.
MODULES = (
    "machines.straggler_laws",
    "studies.analyses.attacks",
    "simulation.cluster.network",
    "simulation.timeline_metrics",
    "replaying.kernels",
    "methods.softsync",
    "workloads.digits",
    "studies.calibration.probes",
    "figures.theme",
    "evidence.judging",
)


@pytest.mark.parametrize("module", MODULES)
def test_a_changed_module_makes_every_stage_stale_that_can_reach_it(project, module):
    path = ROOT / "src" / "rebuttal" / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    append(project / path.relative_to(ROOT))
    reaching = {
        stage
        for stage in pipeline.STAGES
        if f"rebuttal.{module}" in code.closure(*pipeline.entries(stage, ROOT))
    }
    assert reaching, "no stage runs it"
    assert reaching <= {stage.partition("@")[0] for stage in status(project)}


def test_a_release_leaves_the_lock_current_and_publishes_nothing_out_of_date(project, monkeypatch):
    def publish() -> str:
        (project / "reference" / "quick" / "made").touch()
        return "published"

    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project / "site-cache"))
    monkeypatch.setattr("rebuttal.site.release.release", publish)
    commands.release(argparse.Namespace())
    assert (project / "reference" / "quick" / "made").exists()
    assert status(project) == set()
    append(project / "src/rebuttal/methods/softsync.py")
    monkeypatch.setattr("rebuttal.site.release.release", lambda: pytest.fail("published"))
    with pytest.raises(InputError, match=r"^release: got pages@quick out of date"):
        commands.release(argparse.Namespace())


def test_what_no_stage_runs_makes_none_stale(project):
    append(project / "src/rebuttal/cli/new_paper.py")
    assert status(project) == set()


def test_a_changed_size_of_one_study_makes_what_rests_on_it_stale_and_no_other_study(project):
    replace(project / "papers/layer-wise/study.yaml", "batch: 8", "batch: 4")
    assert status(project) == {"study@layer-wise", "pages"}


def test_a_changed_size_of_another_profile_makes_only_pages_stale(project):
    replace(project / "papers/layer-wise/study.yaml", "epochs: 2", "epochs: 4")  # of standard
    assert status(project) == {"pages"}


def test_a_changed_option_makes_its_study_stale_and_no_other(project):
    replace(project / "papers/backup-workers/study.yaml", "variants: [{b: 2}]", "variants: [{b: 3}]")
    assert status(project) == {"study@backup-workers", "pages"}


def test_a_changed_method_of_a_papers_own_makes_its_study_stale_and_no_other(project):
    (project / "papers/layer-wise/own/mine.py").write_text("")
    assert status(project) == {"study@layer-wise", "pages"}


def test_a_new_paper_makes_no_other_study_stale(project):
    shutil.copytree(project / "papers/layer-wise", project / "papers/another")
    replace(project / "params.yaml", "layer-wise, random", "layer-wise, another, random")
    assert status(project) == {"study@another", "pages"}


def test_costs_of_another_device_make_stale_what_has_a_clock_of_its_own(project):
    costs = next((project / "reference/devices").glob("*.json"))
    (project / "reference/devices/other.json").write_bytes(costs.read_bytes())
    named = yaml.safe_load((project / "params.yaml").read_text())["device_costs"]
    replace(project / "params.yaml", f"device_costs: {named}", "device_costs: other")
    assert status(project) == STUDIES | {"analyses", "worker_counts", "pages"}


@pytest.mark.parametrize(
    "changed",
    ["src/rebuttal/figures/theme.py", "papers/backup-workers/paper.yaml", "docs/status.md", "docs/methods/gpipe.md",
     "notebooks/calibrate.ipynb", "reference/replay_benchmark.json"],
)  # fmt: skip
def test_what_only_pages_show_trains_nothing(project, changed):
    append(project / changed, "\n")
    assert status(project) == {"pages"}


def test_a_changed_training_notebook_trains_every_study_again(project):
    append(project / "notebooks/train.ipynb", "\n")
    assert status(project) == STUDIES | {"pages"}


def test_a_changed_result_makes_the_pages_stale(project):
    (project / "results/quick/random-smoothing/content").write_text("another")
    assert "pages" in status(project)


def test_profiles_stand_beside_each_other(project):
    replace(project / "params.yaml", "profile: quick ", "profile: ci ")
    with opened(project) as repo:
        assert all("@ci" in name for name in repo.status())
    finish(project)
    replace(project / "params.yaml", "profile: ci ", "profile: quick ")
    assert status(project) == set()


def test_dvc_runs_under_a_profile_of_choice_and_leaves_the_parameters_alone(project):
    before = (project / "params.yaml").read_bytes()
    environment = ENVIRONMENT | {"DVC_SITE_CACHE_DIR": str(project / "site-cache"), paths.PROFILE: "standard"}
    done = subprocess.run(
        [sys.executable, "-m", "rebuttal.cli.dvc_command", "stage", "list", "--name-only"],
        cwd=project, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {
        name.replace("study@", "study@standard-") if "@" in name else f"{name}@standard" for name in ALL
    }
    assert (project / "params.yaml").read_bytes() == before


SLOW_STAGE = """
import time
from pathlib import Path
from rebuttal.base.parent_death import tie_to_parent
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
