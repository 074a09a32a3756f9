"""What every test may ask for."""

import atexit
import os
import shutil
import tempfile
from multiprocessing import forkserver
from pathlib import Path

import once
import pytest

# Tests run in several processes, so each has one thread; set before anything imports a BLAS.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["DVC_NO_ANALYTICS"] = "1"
# Tests beside each other are no runs that a timed one must wait for.
LEASES = os.environ["REBUTTAL_LEASES"] = tempfile.mkdtemp(prefix="leases-")
atexit.register(shutil.rmtree, LEASES, ignore_errors=True)

ROOT = Path(__file__).resolve().parents[1]
#: What processes that tests start import: nodes of a run, those of PyTorch's own, and those of studies.
IN_PROCESSES = (
    "rebuttal.processes.node",
    "rebuttal.processes.quick_end",
    "rebuttal.processes.pytorch_baseline_node",
    "rebuttal.replaying.weight_distance",
    "rebuttal.replaying.workers",
    "rebuttal.studies.analyses.rates",
)


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """An empty project, which is the current folder during the test."""
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def _shared_folder(tmp_path_factory, request) -> None:
    """Where processes of this run leave for each other what is made once: see once.py."""
    base = tmp_path_factory.getbasetemp()
    once.Place.folder = base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session", autouse=True)
def _imports_of_processes():
    """Processes are forked from one server, and who starts it decides what all of them have imported.

    In a run of tests that may be whoever needs least. What it leaves out is imported in each process anew, which takes
    longer than most of what they are started for, so the server imports what any of them needs.
    """
    given = forkserver.set_forkserver_preload
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            forkserver,
            "set_forkserver_preload",
            lambda names: given(list(dict.fromkeys([*names, *IN_PROCESSES]))),
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_core():
    """What would use all cores computes in the process of the test: the other cores have tests of their own."""
    from rebuttal.studies.runs import pool

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "cores", lambda: 1)
        yield


@pytest.fixture(scope="session")
def synthetic_place() -> Path:
    """A project of made-up results, without its site; shared by all tests, which leave it as it is."""
    import synthetic_project

    return synthetic_project.shared()


@pytest.fixture(scope="session")
def built_project() -> Path:
    """A project whose site was made from made-up results; shared by all tests, which leave it as it is."""
    import built_site

    return built_site.shared()
