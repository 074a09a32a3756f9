"""A paper is a folder: decentralised SGD, with a method and a machine of its own, from nothing to its page."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import built_site
import pytest
import yaml

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.cli import check
from rebuttal.core import results
from rebuttal.site import all_pages
from rebuttal.studies.params import load

ROOT = Path(__file__).resolve().parents[1]
PAPER = Path(__file__).parent / "papers" / "decentralised"
SMALL = {
    "seeds": [0, 1, 2, 3, 4],
    "tuning_seeds": [100],
    "epochs": 1,
    "points": 3,
    "learning_rates": [0.1, 0.3],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished project, with the folder of a fifth paper and its name in the list of papers; nothing else changed."""
    folder = Path(shutil.copytree(built_site.shared(), tmp_path_factory.mktemp("fifth") / "project"))
    shutil.copytree(PAPER, folder / "papers" / "decentralised")
    costs = min((ROOT / "reference" / "devices").glob("*_thread.json"))
    shutil.copy(costs, folder / "reference" / "devices" / "here.json")  # of all workloads
    study = folder / "papers" / "decentralised" / "study.yaml"
    content = yaml.safe_load(study.read_text())
    content["sizes"]["quick"] = SMALL | {"shared_learning_rate": 0.1}
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    listed = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(listed.replace("papers: [", "papers: [decentralised, "))
    return folder


@pytest.fixture(scope="module")
def made(project):
    """The project after the paper's study and the pages, as the pipeline's commands make them."""
    for command in (["study", "decentralised"], ["pages", "decentralised"]):
        done = subprocess.run(
            [sys.executable, "-m", "rebuttal.cli", *command],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
    return project


def test_its_own_method_runs_on_its_own_machine(made):
    curves = results.load_curves(made / "results/quick/decentralised")
    assert "ring_100m" in curves.machine.values
    assert bool(curves.test_loss.sel(method="dpsgd").notnull().any())
    assert (made / "results/quick/decentralised/notebooks/train.ipynb").is_file()
    about = json.loads(curves.attrs["parameters"])["own_machines"]["ring_100m"]
    assert about["sources"]["worker_link.latency_s"].startswith(("assumed", "read", "recalled", "measured"))


def test_it_gets_a_page_and_a_row_in_the_index_and_no_other_page_is_made_again(made, monkeypatch):
    monkeypatch.chdir(made)
    assert all_pages.write_all(lambda *_: None) == []
    ids = {row["id"] for row in yaml.safe_load((PAPER / "paper.yaml").read_text())["concerns"]}
    rows = json.loads((made / "reports/quick/ledger.json").read_text())
    assert ids <= {row["id"] for row in rows if row["paper"] == "decentralised"}
    index = (made / "reports/quick/index.html").read_text()
    assert all(f"decentralised.html#{name}" in index for name in ids)
    assert {path.stem for path in (made / "reports/quick/metrics").iterdir()} >= ids


def test_every_variant_is_in_the_notebook_that_trained_it(made, monkeypatch):
    monkeypatch.chdir(made)
    notebook = (made / "results/quick/decentralised/notebooks/train.ipynb").read_text()
    assert all(variant.label in notebook for variant in load().study("decentralised").variants)


def test_the_skeleton_of_a_new_paper_is_sound(project, monkeypatch):
    from rebuttal.cli.new_paper import write

    monkeypatch.chdir(project)
    said = write("another-one")
    assert "papers/another-one" in said
    text = (project / "params.yaml").read_text()
    monkeypatch.setattr(paths, "setting", lambda name: {"profile": "quick", "device_costs": "here"}[name])
    try:
        assert "not run: another-one" in check.check_project(load())
        (project / "params.yaml").write_text(text.replace("papers: [", "papers: [another-one, "))
        loaded = load()
        assert [variant.label for variant in loaded.study("another-one").variants] == [
            "mini_batch shards=1",
            "mini_batch shards=4",
            "asynchronous",
        ]
        check.check_project(loaded)
    finally:
        (project / "params.yaml").write_text(text)
        shutil.rmtree(project / "papers" / "another-one")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Another", "small letters"),
        ("a--b", "single -"),
        ("../up", "small letters"),
        ("layer-wise", "there already"),
    ],
)
def test_an_unfit_name_is_refused(project, monkeypatch, name, said):
    from rebuttal.cli.new_paper import write

    monkeypatch.chdir(project)
    with pytest.raises(InputError, match=f"^paper: got '{name}'.*{said}"):
        write(name)


BROKEN = [
    # what is changed in paper.yaml or study.yaml, and what the refusal says
    (
        "paper.yaml",
        "of: [dpsgd]",
        "of: [dpsdg]",
        ["rule.of: got 'dpsdg'", "did you mean 'dpsgd'", "(question dp-"],
    ),
    ("study.yaml", "all_reduce:\n", "all_reduce_2:\n", ["rule.against: got 'all_reduce'", "(question dp-"]),
    ("study.yaml", "batch: 16", "batch: 4096", ["study.yaml: batch size: got 4096", "digits_mlp"]),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), BROKEN)
def test_what_would_fail_later_is_refused_now(project, monkeypatch, file, old, new, said):
    monkeypatch.chdir(project)
    path = project / "papers" / "decentralised" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        with pytest.raises(InputError) as caught:
            check.check_project(load())
    finally:
        path.write_text(text)
    line = str(caught.value)
    assert line.startswith("papers/decentralised/")
    assert "\n" not in line
    assert all(part in line for part in said), line


def test_costs_of_its_own_from_a_busy_machine_are_refused(project, monkeypatch):
    monkeypatch.chdir(project)
    path = project / "papers" / "decentralised" / "own" / "costs.json"
    content = json.loads(paths.device_costs().read_text())
    busy = {"supports_timing": False, "why_not": ["contended: other programs used 1.9 of 2 cores"]}
    content["device"] = {**content["device"], "timing": busy}
    path.write_text(json.dumps(content))
    try:
        with pytest.raises(InputError, match=r"^costs papers/decentralised/own/costs\.json: got seconds"):
            check.check_project(load())
    finally:
        path.unlink()


def test_a_figure_whose_baseline_is_not_run_takes_that_of_its_rule_or_is_refused(project, monkeypatch):
    monkeypatch.chdir(project)
    path = project / "papers" / "decentralised" / "paper.yaml"
    text = path.read_text()
    figure = next(line for line in text.splitlines() if "figure: time_to_target" in line)
    path.write_text(text.replace(figure, figure.replace("time_to_target", "speed_up_split"), 1))
    try:
        check.check_project(
            load()
        )  # asynchronous, its baseline, is not run; the rule compares with one that is
        path.write_text(text.replace(figure, figure.replace("time_to_target", "speed_up_over_gpipe"), 1))
        check.check_project(load())
    finally:
        path.write_text(text)
