"""The pages of docs: what they say of the code is true, their pictures are drawn by it, and their examples run."""

import ast
import inspect
import re
import sys
import textwrap
import types
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from runs import COSTS, machine, run
from synthetic_results import write as write_results

import rebuttal
from rebuttal import pictures, profiling
from rebuttal.methods import METHODS
from rebuttal.paths import root
from rebuttal.readings import gradients, summary
from rebuttal.replay.eager import eager
from rebuttal.replay.engine import EXACT, replay
from rebuttal.rules import SGD
from rebuttal.simulation import rehearse, simulate
from rebuttal.stragglers import Exponential
from rebuttal.workloads import load

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HEADINGS = [
    "Source", "Pseudo-code", "Timeline", "Options", "Differences from the paper", "When to use it", "Laws it obeys",
]  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


def page(name):
    return (DOCS / "methods" / f"{name}.md").read_text()


def section(text, heading):
    return text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def names_in(module):
    tree = ast.parse((ROOT / "tests" / module).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


every_method = pytest.mark.parametrize("name", METHODS)


# --- pages ----------------------------------------------------------------------------------------------------


def test_there_is_a_page_and_a_picture_for_each_method_and_no_other():
    found = {path.name for path in (DOCS / "methods").iterdir()}
    assert found == {f"{name}.{kind}" for name in METHODS for kind in ("md", "svg")} | {"README.md"}


@every_method
def test_a_page_has_all_headings_in_order_and_is_short(name):
    text = page(name)
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == HEADINGS
    assert 40 <= len(text.splitlines()) <= 90


@every_method
def test_the_box_of_a_page_is_that_of_the_file(name):
    (box,) = blocks(section(page(name), "Pseudo-code"), "text")
    source = inspect.getdoc(inspect.getmodule(METHODS[name]))
    assert source is not None
    assert (
        box
        == textwrap.dedent("\n".join(line for line in source.splitlines() if line.startswith("    "))) + "\n"
    )


@every_method
def test_a_page_cites_what_the_file_cites(name):
    years = re.findall(r"\((\d{4})\)", inspect.getdoc(inspect.getmodule(METHODS[name])) or "")
    assert years
    assert set(years) <= set(re.findall(r"\((\d{4})\)", section(page(name), "Source")))


@every_method
def test_a_page_explains_every_option_with_its_default(name):
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", section(page(name), "Options"), flags=re.MULTILINE)
    assert rows == [(field.name, str(field.default)) for field in fields(METHODS[name])]
    assert rows or section(page(name), "Options").strip().startswith("None")


@every_method
def test_differences_are_numbered(name):
    numbers = re.findall(r"^(\d+)\. ", section(page(name), "Differences from the paper"), flags=re.MULTILINE)
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 3


@every_method
def test_the_laws_of_a_page_are_tests(name):
    known = names_in("test_laws.py") | names_in("test_method_pages.py")
    named = set(re.findall(r"`(test_\w+)`", section(page(name), "Laws it obeys")))
    assert named
    assert named <= known


def test_links_between_pages_lead_somewhere():
    for path in [*DOCS.glob("methods/*.md"), DOCS / "adding_a_method.md", DOCS / "python_api.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_index_lists_every_method():
    assert set(re.findall(r"\[`(\w+)`\]\(\1\.md\)", (DOCS / "methods" / "README.md").read_text())) == set(
        METHODS
    )


def test_the_two_softsyncs_share_a_clock():
    one, two = (run(name, {"n": 2}) for name in ("softsync", "softsync_aware"))
    for part in ("computes", "messages", "updates"):
        for column, values in getattr(one, part).items():
            if column != "value":
                np.testing.assert_array_equal(values, getattr(two, part)[column])


# --- pictures -------------------------------------------------------------------------------------------------


def test_there_is_a_story_for_each_method():
    assert set(pictures.STORIES) == set(METHODS)


@every_method
def test_a_picture_is_what_the_code_draws(name, tmp_path):
    drawn = pictures.picture(name).encode()
    committed = (DOCS / "methods" / f"{name}.svg").read_bytes()
    assert committed == drawn, "draw them again: python -m rebuttal.pictures"
    assert len(committed) < 25_000


@every_method
def test_a_picture_is_a_sound_file_that_says_what_it_shows(name):
    tree = ET.fromstring(pictures.picture(name))  # noqa: S314 - written here
    assert tree.get("role") == "img"
    labels = [tree.find(f"{SVG}{kind}") for kind in ("title", "desc")]
    assert all(label is not None and label.text for label in labels)
    assert tree.get("aria-labelledby") == " ".join(
        label.get("id", "") for label in labels if label is not None
    )
    assert not [element for element in tree.iter() if element.tag in (f"{SVG}script", f"{SVG}image")]


@pytest.mark.parametrize("name", ["backup_workers", "k_sync", "asynchronous", "delayed"])
def test_a_picture_tells_the_story_of_its_page(name):
    found = summary(pictures.picture_run(name))
    lost = {"backup_workers": "gradients_dropped", "k_sync": "gradients_abandoned"}
    assert (found["gradients_dropped"] > 0) == (name == "backup_workers")
    assert (found["gradients_abandoned"] > 0) == (name == "k_sync")
    assert (found["staleness_max"] == 0) == (name in lost)


def test_all_pictures_are_written_at_once(tmp_path):
    paths = pictures.write(tmp_path)
    assert sorted(path.name for path in paths) == sorted(f"{name}.svg" for name in METHODS)
    assert paths[0].read_text() == pictures.picture(paths[0].stem)


def test_the_machine_of_the_pictures_is_as_unequal_as_it_says():
    stragglers = pictures.SMALL.stragglers
    factors = [stragglers.slowdowns(0, worker, 3).tolist() for worker in range(4)]
    assert factors == [[factor] * 3 for factor in pictures.FACTORS]
    assert stragglers.mean() == pytest.approx(np.mean(pictures.FACTORS))
    assert stragglers.quantile(stragglers.cdf(pictures.FACTORS)).tolist() == list(pictures.FACTORS)
    assert stragglers.upper_quantile(0.5) == stragglers.quantile(0.5)
    assert "2.6" in stragglers.describe()


# --- examples -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A folder that looks like a checkout after `dvc repro`: made-up results, and costs measured here."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    write_results(folder / "results")
    profiling.write_profile(("digits_mlp",), (32, 64), "cpu", folder / "results" / "profile.json")
    return folder


@pytest.fixture
def example(monkeypatch):
    """The method of docs/adding_a_method.md, in a module of the name that the page gives it."""
    name = "rebuttal.methods.asynchronous_cutoff"
    code = blocks((DOCS / "adding_a_method.md").read_text(), "python")[0]
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
    assert len(blocks((DOCS / "adding_a_method.md").read_text(), "python")[0].splitlines()) <= 80


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
    text = (DOCS / "adding_a_method.md").read_text()
    files = [
        "src/rebuttal/methods/__init__.py",
        "tests/runs.py",
        "tests/test_laws.py",
        "src/rebuttal/pictures/stories.py",
        "params.yaml",
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
    exec(blocks((DOCS / "adding_a_method.md").read_text(), "python")[1], {})  # noqa: S102 - the page's own code
    dropped = [int(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert dropped[0] > dropped[1] > dropped[2] == 0


def test_the_examples_of_the_python_interface_run(measured, monkeypatch, capsys):
    monkeypatch.chdir(measured)
    torch.set_num_threads(1)
    session = {}
    for code in blocks((DOCS / "python_api.md").read_text(), "python"):
        exec(code, session)  # noqa: S102 - the page's own code
    assert (measured / "timeline.html").stat().st_size > 10_000
    assert (measured / "trace.json").is_file()
    assert "did you mean 'backup_workers'?" in capsys.readouterr().out
    assert root() == measured


def test_a_public_name_is_itself_whatever_was_imported_before():
    assert "rebuttal.replay.engine" in sys.modules
    for name in dir(rebuttal):
        assert not isinstance(getattr(rebuttal, name), types.ModuleType), name
    assert rebuttal.replay is replay


def run_made(method, **given):
    """As runs.run, for a method that is not in the list."""
    given = {"machine": machine(), "workers": 6, "updates": 20, "costs": COSTS} | given
    return simulate(method, **given)
