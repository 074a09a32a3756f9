"""The notebooks that people open: every cell runs, in seconds, from a notebook's own folder; nothing is left behind."""

import asyncio
import shutil
import sys
import warnings

import device_costs
import nbformat
import pytest
import synthetic_project
from doc_pages import ROOT
from traitlets.config import Config

from rebuttal.site import write_review

NAMES = ("tour", "what_if", "your_method", "your_model", "your_paper", "recorded_run")
SECONDS = 150  # far beyond what a notebook takes: a cell that hangs is an error
CHART, PICTURE = "application/vnd.vegalite.v5+json", "image/svg+xml"
SLIDERS = "application/vnd.jupyter.widget-view+json"


def source(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.fixture
def execute(project, tmp_path_factory):
    """Run a notebook as JupyterLab would: its kernel starts in its folder. It must leave no file there."""
    config = Config()
    if sys.platform != "win32":  # no port is opened or taken
        config.KernelManager.transport = "ipc"
        config.KernelManager.connection_file = str(tmp_path_factory.mktemp("k") / "k.json")
    resources = {"metadata": {"path": str(project / "notebooks")}}

    def run(name):
        (project / "notebooks").mkdir(exist_ok=True)
        before = files(project)
        notebook = source(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that talk to a kernel
            from nbclient import NotebookClient

            client = NotebookClient(
                notebook, timeout=SECONDS, kernel_name="python3", resources=resources, config=config
            )
            asyncio.run(client.async_execute())
        assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
        assert files(project) == before
        return notebook

    return run


def files(folder):
    return {path for path in folder.rglob("*") if ".cache" not in path.parts}


def outputs(notebook, *kinds):
    every = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output for output in every if output.output_type in kinds]


def shown(notebook):
    """The contents of everything that is displayed."""
    return [one.data for one in outputs(notebook, "display_data", "execute_result")]


def refusals(notebook):
    """What cells said that are there to fail, each in full."""
    return ["\n".join(error.traceback) for error in outputs(notebook, "error")]


def test_the_tour(execute, project):
    synthetic_project.write(project)
    device_costs.write(project, ["digits_mlp", "digits_deep"])
    assert refusals(execute("tour")) == []


def test_what_if_has_sliders_and_a_picture_for_where_there_are_none(execute):
    notebook = execute("what_if")
    found = shown(notebook)
    assert sum(SLIDERS in one for one in found) == 1
    charts = [one for one in found if CHART in one]
    assert len(charts) >= 6
    assert all(one[PICTURE].startswith("<svg") for one in charts)
    (line,) = refusals(notebook)
    assert line.startswith("InputError: workers: got 16; allowed: from 1 to 8")
    assert "\n" not in line


def test_a_method_of_ones_own_is_run_checked_and_compared(execute):
    notebook = execute("your_method")
    assert "True" in [one.get("text/plain") for one in shown(notebook)]  # without backups it is synchronous
    assert sum(CHART in one for one in shown(notebook)) == 4
    assert not any("text/html" in one and "jsdelivr" in one["text/html"] for one in shown(notebook))
    assert refusals(notebook) == ["InputError: b: got 8; allowed: a whole number from 0 to workers - 1 = 7"]


def test_a_model_of_ones_own_is_trained_and_one_that_cannot_be_is_refused(execute):
    notebook = execute("your_model")
    assert sum(CHART in one for one in shown(notebook)) == 1
    (line,) = refusals(notebook)
    assert line.startswith("InputError: model.inner.3: got 'Dropout'; allowed: a dropout of 0")


def test_a_recorded_run_is_verified_and_an_altered_one_refused(execute):
    notebook = execute("recorded_run")
    assert "(61, 61)" in [one.get("text/plain") for one in shown(notebook)]  # every version of both runs
    (line,) = refusals(notebook)
    exchanged = [one["text/plain"] for one in shown(notebook) if one.get("text/plain", "").startswith("(")]
    first = int(exchanged[-1].strip("()").split(",")[0])
    assert line.startswith(f"RunError: the weights do not follow from the timeline: version {first},")


def test_a_paper_of_ones_own_is_a_page_of_open_questions(execute, project, monkeypatch):
    notebook = execute("your_paper")
    (line,) = refusals(notebook)
    assert line.startswith("InputError: paper.yaml: concerns.1.kind: got 'base line'")
    session = {}
    exec(next(cell.source for cell in notebook.cells if cell.source.startswith("text = ")), session)  # noqa: S102
    paper = session["text"].strip()
    assert len(paper.splitlines()) <= 40
    path = project / "papers" / "lazy-workers" / "paper.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(paper)
    shutil.copy(ROOT / "notebooks" / "review_paper.ipynb", project / "notebooks")
    monkeypatch.chdir(project)
    page = write_review("lazy-workers").read_text()
    for name in ("lz-c1", "lz-1", "lz-2", "lz-3", "lz-4"):
        section = page.split(f'id="{name}"', 1)[1].split("</section>", 1)[0]
        assert 'class="badge open"' in section


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_with_what_to_do_next(name):
    last = source(name).cells[-1]
    assert last.cell_type == "markdown"
    assert "## What to do next" in last.source
