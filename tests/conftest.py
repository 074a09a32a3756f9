"""What every test may ask for."""

import atexit
import os
import shutil
import tempfile
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
