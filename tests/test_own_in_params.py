"""Workloads of a user's own in params.yaml: by name alone, refused before anything starts, remembered by content."""

import json

import device_costs
import pytest
import xarray as xr
from broken_params import BACKUP, CATALOGUE, QUICK, SMALL, VALID, WHOLE, changed, sizes, write
from doc_pages import blocks, page

from rebuttal.base.errors import InputError
from rebuttal.core import metrics, results
from rebuttal.core.update_rules import SGD
from rebuttal.evidence.result_files import Runs
from rebuttal.site import data
from rebuttal.studies import params
from rebuttal.studies.params import Variant
from rebuttal.studies.runs import pool, tuning
from rebuttal.studies.runs.study_runs import StudySetting, safe, timeline_path
from rebuttal.studies.runs.study_stage import run_study

RINGS, TEXT = "file:rings.py", "text:my texts/novel.txt"
TINY = {**SMALL, "workers": 2, "epochs": 1, "points": 3, "seeds": [0], "tuning_seeds": [100],
        "machines": ["ethernet_10g"],
        "learning_rates": [0.05, 0.1], "shared_learning_rate": 0.1}  # fmt: skip


def load(folder, tree, catalogue=CATALOGUE):
    return params.load(write(folder, tree), catalogue)


def write_text(folder, seed):
    (folder / "my texts").mkdir(exist_ok=True)
    letters = "".join(chr(97 + (number * number + seed) % 26) for number in range(5_000))
    (folder / "my texts/novel.txt").write_text(letters)


@pytest.fixture
def own(project):
    """A project with a text and a file of the user's own."""
    (project / "rings.py").write_text(blocks(page("adding_a_workload"), "python")[0])
    write_text(project, 0)
    return project


def study_of(own):
    study = {
        "methods": {"synchronous": {"program": "synchronous"}, "gpipe": {"program": "gpipe"},
                    "greedy": {"program": "greedy", "workloads": [RINGS]}},
        "machines": {},
        "sizes": sizes(ci={**TINY, "workloads": [RINGS, TEXT]}),
    }  # fmt: skip
    whole = {
        "": {**VALID, "profile": "ci", "papers": ["comparison"], "sizes": sizes(SMALL)},
        "comparison": study,
    }
    return load(own, whole, params.installed())


def test_a_file_and_a_text_go_through_a_whole_study(own, monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 1)
    loaded = study_of(own)
    study = loaded.study("comparison")
    device_costs.write(own, ["digits_mlp"])
    device_costs.write_file(own / "papers/comparison/own/costs.json", study.workloads, data_root=own)
    run_study(loaded, study)
    curves = results.load_curves(own / "results/ci/comparison")
    assert curves.workload.values.tolist() == [RINGS, TEXT]
    assert bool(curves.test_loss.sel({"method": "gpipe", "rate": "tuned"}).notnull().all())
    assert metrics.metric_of(curves.attrs, RINGS) == metrics.Metric()
    assert metrics.metric_of(curves.attrs, TEXT) == metrics.Metric("bits per character", lower_is_better=True)

    stored = own / ".cache/replays"
    before = set(stored.rglob("*.npz"))
    tuning.tune_method(loaded, study, "synchronous")
    assert set(stored.rglob("*.npz")) == before
    write_text(own, 1)
    tuning.tune_method(loaded, study, "synchronous")
    new = set(stored.rglob("*.npz")) - before
    assert len(new) == 1  # the text's; what rests on the file is as it was


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("picture:resnet:here", "images:MODEL:PATH, text:PATH or file:PATH.py"),
        ("images:resne:here", "did you mean 'resnet'?"),
        ("images:resnet", "images:MODEL:PATH"),
        ("text:", "text:PATH"),
    ],
)
@pytest.mark.parametrize("key", [f"{QUICK}.workloads.0", f"{BACKUP}sizes.full.workloads.0"])
def test_a_name_of_another_form_is_refused_by_its_key(own, key, name, said):
    with pytest.raises(InputError) as caught:
        load(own, changed(key, name), params.installed())
    line = str(caught.value)
    assert line.startswith(f"{key}: got ")
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["text:no.txt", "file:no.py", "images:vit:no"])
def test_what_is_not_there_is_refused_by_its_name(own, name):
    place = f"{BACKUP}sizes".replace("backup-workers", "comparison")
    with pytest.raises(InputError, match=r"got '.*no.*; allowed"):
        load(own, changed(f"{place}.quick", {"workloads": [name]}), params.installed())
    tree = changed(
        f"{place}.full", {"workloads": [name]}
    )  # of a profile that is not selected, the form alone
    assert load(own, tree, params.installed()).profile == "quick"


def cut_into(stages, workloads, program, **options):
    tree = json.loads(json.dumps(WHOLE))
    tree["comparison"]["sizes"]["quick"] = {"workers": stages, "workloads": workloads}
    tree["comparison"]["methods"] = {"it": {"program": program, "variants": [options]}}
    return tree


@pytest.mark.parametrize(
    "program", ["gpipe", "pipedream", "bounded_delay", "pprs", "greedy", "synthetic_gradients"]
)
def test_more_stages_than_layers_are_refused_before_anything_starts(tmp_path, program):
    with pytest.raises(InputError) as caught:
        load(tmp_path, cut_into(4, ["digits_mlp", "digits_cnn"], program))
    line = str(caught.value)
    assert line.startswith(
        "quick.comparison.workers: got 4; allowed: from 1 to 2, the layers that have parameters"
    )
    assert line.endswith("for comparison.methods.it on digits_mlp")
    assert load(tmp_path, cut_into(2, ["digits_mlp", "digits_cnn"], program)).profile == "quick"
    assert load(tmp_path, cut_into(50, ["digits_mlp"], "synchronous")).profile == "quick"


@pytest.mark.parametrize(
    ("workload", "program", "options", "said"),
    [
        ("digits_pixelcnn", "greedy", {}, "a sample has a class"),
        ("pydoc_transformer", "synthetic_gradients", {"conditioned": True}, "a sample has a class"),
    ],
)
def test_a_local_loss_without_classes_is_refused_before_anything_starts(
    tmp_path, workload, program, options, said
):
    with pytest.raises(InputError) as caught:
        load(tmp_path, cut_into(2, [workload], program, **options), params.installed())
    line = str(caught.value)
    assert line.startswith(f"quick.comparison.workloads: got '{workload}'; allowed: ")
    assert said in line
    assert "\n" not in line


def test_timelines_have_names_that_every_file_system_takes(own):
    study = study_of(own).study("comparison")
    names = {}
    for workload in (
        "digits_mlp",
        RINGS,
        TEXT,
        "text:my texts/novel_txt",
        "images:vit:/a/b c",
        f"text:{'x' * 400}",
    ):
        setting = StudySetting(
            Variant("gpipe", "gpipe m=4", "gpipe", {"m": 4}, SGD(), (), ()), workload, "paper_cluster"
        )
        names[workload] = timeline_path(study, setting, 3).name
        assert timeline_path(study, setting, 3).parent.name == "gpipe"
        assert set(names[workload]).isdisjoint('/\\:*?"<>| ')
        assert len(names[workload]) < 255
        curves = xr.Dataset(coords={"workload": [workload], "machine": ["paper_cluster"], "seed": [3]})
        shown = data.timeline_file(Runs(own, curves, curves, curves), "gpipe m=4")
        assert shown.name == names[workload]  # a page looks where the study wrote
    assert len(set(names.values())) == len(names)
    assert names["digits_mlp"] == "gpipe_m=4--digits_mlp--paper_cluster--seed_3.npz"  # as it always was
    assert safe("a b") == "a_b"
