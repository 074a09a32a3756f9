"""The examples of docs run as they stand: the method of adding_a_method.md, and the session of python_api.md."""

import sys
import types

import device_costs
import pytest
import torch
from doc_pages import ROOT, blocks, page
from runs import COSTS, machine, run
from synthetic_results import write as write_results

import rebuttal
from rebuttal.base.paths import root
from rebuttal.core.update_rules import SGD
from rebuttal.machines.stragglers import Exponential
from rebuttal.replaying.engine import EXACT, replay
from rebuttal.replaying.oracle import eager
from rebuttal.simulation.simulate import rehearse, simulate
from rebuttal.simulation.timeline_metrics import gradients, summary
from rebuttal.workloads import load


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A folder that looks like a checkout after `dvc repro`: made-up results, and made-up costs."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    write_results(folder / "results" / "quick")
    device_costs.write(folder, ["digits_mlp"])
    return folder


@pytest.fixture
def example(monkeypatch):
    """The method of docs/adding_a_method.md, in a module of the name that the page gives it."""
    name = "rebuttal.methods.asynchronous_cutoff"
    code = blocks(page("adding_a_method"), "python")[0]
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(code, name, "exec"), module.__dict__)  # noqa: S102 - the page's own code
    return module


def test_the_example_method_drops_what_is_too_old(example):
    given = {"workers": 6, "updates": 60, "machine": machine(Exponential())}
    for s in (0, 2, 4):
        table = gradients(run_made(example.AsynchronousCutoff(s), **given))
        age = table["version_read"].values
        used, late = table["update"].values >= 0, table["late"].values
        assert (table["staleness"].values[used] <= s).all()
        assert late.any()
        assert (age[late] >= 0).all()
    assert summary(run_made(example.AsynchronousCutoff(1000), **given))["gradients_dropped"] == 0


def test_the_example_method_obeys_its_law(example):
    made = run_made(example.AsynchronousCutoff(1000), workers=4, updates=30)
    assert made.order.key == run("asynchronous", workers=4, updates=30).order.key


def test_the_example_method_refuses_and_reads_as_the_page_says(example):
    with pytest.raises(ValueError, match="s: got -1"):
        example.AsynchronousCutoff(-1)
    assert "docs/methods/asynchronous_cutoff.md" in example.__doc__
    assert len(blocks(page("adding_a_method"), "python")[0].splitlines()) <= 80


def test_the_example_method_is_replayed_as_it_runs(example):
    workload, method, updates = load("digits_mlp").double(), example.AsynchronousCutoff(2), 12
    timeline = run_made(method, updates=updates)
    curves = replay(timeline, learning_rates=[0.1], workload=workload, points=2, table=EXACT)

    def rehearsal(task, on_report):
        rehearse(method, task, on_report, machine=machine(), costs=COSTS, workers=6, seed=0, updates=updates)

    weights = eager(rehearsal, workload, seed=0, learning_rate=0.1, updates=updates, rule=SGD())[updates]
    x, y = workload.splits["test"]
    loss = workload.loss(workload.predict(weights, x), y)
    assert curves.test_loss.values[0, 0, -1] == pytest.approx(float(loss), rel=1e-10)


def test_the_diffs_of_the_page_apply_to_the_files(example):
    """Every line of context in a diff stands in the file that the page names before it."""
    text = page("adding_a_method")
    files = [
        "src/rebuttal/methods/__init__.py",
        "tests/test_laws.py",
        "papers/backup-workers/study.yaml",
    ]
    diffs = blocks(text, "diff")
    assert len(diffs) == len(files)
    for diff, name in zip(diffs, files, strict=True):
        assert name in text
        context = [line[1:] for line in diff.splitlines() if line.startswith(" ") and line.strip() != "..."]
        lines = (ROOT / name).read_text().splitlines()
        assert set(context) <= set(lines), name


def test_the_first_look_at_the_example_runs(example, measured, monkeypatch, capsys):
    monkeypatch.chdir(measured)
    exec(blocks(page("adding_a_method"), "python")[1], {})  # noqa: S102 - the page's own code
    dropped = [int(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert dropped[0] > dropped[1] > dropped[2] == 0


def test_the_examples_of_the_python_interface_run(measured, monkeypatch, capsys):
    monkeypatch.chdir(measured)
    torch.set_num_threads(1)
    session = {}
    for code in blocks(page("python_api"), "python"):
        exec(code, session)  # noqa: S102 - the page's own code
    assert (measured / "timeline.html").stat().st_size > 10_000
    assert (measured / "trace.json").is_file()
    assert "did you mean 'backup_workers'?" in capsys.readouterr().out
    assert root() == measured


def test_a_public_name_is_itself_whatever_was_imported_before():
    assert "rebuttal.replaying.engine" in sys.modules
    for name in dir(rebuttal):
        assert not isinstance(getattr(rebuttal, name), types.ModuleType), name
    assert rebuttal.replay is replay


def run_made(method, **given):
    """As runs.run, for a method that is not in the list."""
    given = {"machine": machine(), "workers": 6, "updates": 20, "costs": COSTS} | given
    return simulate(method, **given)
