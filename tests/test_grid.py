"""A study on a real Dask scheduler with real workers: the same results, also when a worker is killed in mid-study."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import device_costs
import numpy as np
import pytest
import units_elsewhere
import xarray as xr
from broken_params import SMALL, VALID, sizes, write
from grid import grid

from rebuttal import cli
from rebuttal.base import devices, paths
from rebuttal.base.errors import InputError, RunError
from rebuttal.studies import params
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs import grid_engine, pool, remote_call
from rebuttal.studies.runs.study_stage import run_study

TINY = {**SMALL, "workers": 3, "epochs": 1, "points": 3, "seeds": [0, 1, 2], "tuning_seeds": [100],
        "machines": ["paper_cluster"], "learning_rates": [0.05, 0.1], "shared_learning_rate": 0.1}  # fmt: skip
METHODS = {name: {"program": name} for name in ("asynchronous", "synchronous")}
NO_ONE = "tcp://127.0.0.1:9"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A scheduler and two workers."""
    with grid(tmp_path_factory.mktemp("grid")) as made:
        made.two = made.workers(2)
        yield made


def study_in(folder, engine):
    """A small study in a project of its own, and what its runs need."""
    (folder / "dvc.yaml").write_text("stages: {}\n")
    study = {"methods": METHODS, "machines": {}, "sizes": sizes()}
    tree = {"": {**VALID, "profile": "ci", "engine": engine, "papers": ["comparison"],
                 "sizes": sizes(SMALL, ci=TINY)},
            "comparison": study}  # fmt: skip
    loaded = params.load(write(folder, tree))
    return loaded, loaded.study("comparison")


def run_in(folder, engine, monkeypatch):
    """Run the study in a new project; its result files by path."""
    folder.mkdir()
    device_costs.write(folder, ["digits_mlp"])
    monkeypatch.chdir(folder)
    run_study(*study_in(folder, engine))
    kept = [path for name in ("results", ".cache/timelines") for path in (folder / name).rglob("*.n*")]
    return {path.relative_to(folder).as_posix(): path for path in kept}


def killing(worker, folder, after):
    """Kill a worker once so many time lines of a study are there."""

    def kill():
        while len(list(folder.rglob("*.npz"))) < after:
            time.sleep(0.005)
        worker.kill()

    threading.Thread(target=kill, daemon=True).start()


def test_a_study_is_the_same_on_a_grid_that_loses_a_worker(running, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 1)
    here = run_in(tmp_path / "here", LOCAL, monkeypatch)
    killing(running.two[0], tmp_path / "there", after=2)
    began_s = time.monotonic()
    there = run_in(tmp_path / "there", running.address, monkeypatch)
    assert running.two[0].wait(5) == -signal.SIGKILL
    assert time.monotonic() - began_s < 60
    assert set(there) == set(here)
    assert len([name for name in here if name.endswith(".npz")]) == 8  # two methods, four seeds
    for name, path in here.items():
        if name.endswith(".nc"):
            xr.testing.assert_identical(xr.load_dataset(path), xr.load_dataset(there[name]))
        else:
            assert arrays(path) == arrays(there[name]), name
    assert not list((tmp_path / "there").rglob("*.partial"))
    noted = json.loads((tmp_path / "there/results/ci/comparison/training/all/provenance.json").read_text())
    assert noted["engine"]["kind"] == "dask"
    assert (noted["device"]["name"], noted["device"]["costs"]) == ("synthetic device", "here")
    assert noted["host"]["name"] == devices.cpu_model()
    assert "load_average" not in noted["host"]  # nothing of the moment


def arrays(path):
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name].tobytes() for name in file.files}


def test_units_of_a_worker_that_is_killed_are_computed_by_another(running, project):
    (doomed,) = running.workers(1)
    killing_once_busy(doomed, project)
    tasks = [(number,) for number in range(24)]
    assert pool.run_all(units_elsewhere.noted, tasks, "units", engine=running.address) == [
        n**2 for n in range(24)
    ]
    files = sorted((project / "results/quick/units").iterdir(), key=lambda path: int(path.stem))
    assert [int(path.stem) for path in files] == list(range(24))
    assert doomed.wait(5) == -signal.SIGKILL
    assert str(doomed.pid) in {path.read_text() for path in files}


def killing_once_busy(worker, project):
    """Kill a worker once it has computed something, while it computes something else."""

    def kill():
        while str(worker.pid) not in {path.read_text() for path in (project / "results").rglob("[0-9]*.txt")}:
            time.sleep(0.005)
        worker.kill()

    threading.Thread(target=kill, daemon=True).start()


def test_a_timed_run_that_was_begun_again_supports_no_claim(running, project):
    running.workers(1)
    marker = project / "marker"

    def kill():
        while not (marker.exists() and marker.read_text()):
            time.sleep(0.005)
        os.kill(int(marker.read_text()), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    (lease,) = pool.run_all(
        units_elsewhere.timed, [(str(marker),)], "timed", engine=running.address, timed=True
    )
    assert (lease["attempt"], lease["supports_timing"]) == (2, False)
    assert "resumed: begun 2 times, since a worker was lost" in lease["why_not"]


def test_a_unit_reads_the_costs_and_runs_the_profile_of_its_sender(project, monkeypatch):
    device_costs.write(project, ["digits_mlp"], name="slow")
    device_costs.write_file(project / "papers/mine/own/costs.json", ["quadratic"])
    device_costs.write(project, ["digits_cnn"], name="another")
    (project / "params.yaml").write_text("profile: quick\ndevice_costs: slow\n")
    monkeypatch.setenv(paths.PROFILE, "ci")
    packed = remote_call.packed(units_elsewhere.priced, ("mine",))
    monkeypatch.delenv(paths.PROFILE)
    found = remote_call.unpacked(remote_call.computed(packed, place=project))
    assert found == ("ci", ["another is not there", "digits_mlp", "quadratic"])
    assert os.environ.get(paths.PROFILE) is None


def test_what_a_unit_refuses_is_said_in_its_own_line(running, project):
    with pytest.raises(InputError, match=r"^number: got 3; allowed: another one$"):
        pool.run_all(units_elsewhere.refused, [(3,)], "units", engine=running.address)


def test_a_machine_with_other_code_is_refused_before_anything_starts(running, project, monkeypatch):
    monkeypatch.setattr(remote_call, "identity", lambda: "other")
    with pytest.raises(InputError, match="workers with the code and the packages of this machine; tcp:"):
        pool.run_all(units_elsewhere.noted, [(3,)], "units", engine=running.address)
    assert not (project / "results").exists()


def test_workers_with_several_threads_are_refused(running, project):
    (odd,) = running.workers(1, threads=2)
    try:
        with pytest.raises(InputError, match=r"engine: got .*workers of one thread each: .* has 2 threads$"):
            pool.run_all(units_elsewhere.noted, [(3,)], "units", engine=running.address)
    finally:
        odd.kill()


def test_a_scheduler_that_dies_ends_the_run_with_one_line(tmp_path, project):
    with grid(tmp_path / "grid") as made:
        made.workers(1)
        threading.Thread(target=end_once, args=(project / "results", made.scheduler), daemon=True).start()
        with pytest.raises(RunError, match=r"^engine: the scheduler is gone; "):
            pool.run_all(units_elsewhere.noted, [(n, 0.3) for n in range(100)], "units", engine=made.address)
    assert len(list((project / "results/quick/units").iterdir())) < 100


def end_once(folder, process):
    while not list(folder.rglob("*.txt")):
        time.sleep(0.01)
    process.kill()


def test_an_address_where_nobody_answers_is_refused_in_one_line(project, monkeypatch, capsys):
    monkeypatch.setattr(grid_engine, "CONNECT_S", 1.0)
    began_s = time.monotonic()
    with pytest.raises(
        InputError, match=r"^engine: got 'tcp://127.0.0.1:9'; allowed: a Dask scheduler that answers"
    ):
        pool.run_all(units_elsewhere.noted, [(3,)], "units", engine=NO_ONE)
    loaded = replace(params.load(Path(__file__).parents[1] / "params.yaml"), engine=NO_ONE)
    monkeypatch.setattr(params, "load", lambda: loaded)
    assert cli.main(["check"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("rebuttal: engine: got 'tcp://127.0.0.1:9'")
    assert told.count("\n") == 1
    assert time.monotonic() - began_s < 20
