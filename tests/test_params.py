"""params.yaml: what is valid is expanded, what is not is refused in one line before anything starts."""

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest
from broken_params import BACKUP, BROKEN, CATALOGUE, METHOD, QUICK, TEXTS, WHOLE, changed, sizes, write

from rebuttal import workloads
from rebuttal.base import paths
from rebuttal.base.config import yaml_text
from rebuttal.base.errors import InputError
from rebuttal.core.schedules import Schedule
from rebuttal.core.update_rules import SGD, Adam, Momentum, Recipe
from rebuttal.methods import METHODS
from rebuttal.studies import params
from rebuttal.studies.params import schema

LIMIT_S = 2


def load(folder, tree):
    return params.load(write(folder, tree if isinstance(tree, dict) else {"": tree}), CATALOGUE)


@pytest.mark.parametrize(
    ("key", "value", "said"), BROKEN, ids=[f"{key}={value}"[-60:] for key, value, _ in BROKEN]
)
def test_a_broken_value_is_refused_in_one_line_that_names_it(tmp_path, key, value, said):
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        load(tmp_path, changed(key, value))
    assert time.process_time() - start < LIMIT_S
    line = str(caught.value)
    below = next(iter(value), "") if isinstance(value, dict) else "0.b"
    assert line.startswith((f"{key}:", f"{key}.{below}:"))
    assert "\n" not in line
    assert "got" in line
    assert "allowed:" in line
    for part in said:
        assert part in line


@pytest.mark.parametrize(("text", "said"), TEXTS)
def test_a_broken_file_is_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    line = str(caught.value)
    assert said in line
    assert "\n" not in line
    assert "allowed: " in line


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"^params\.yaml: got no such file in "):
        params.load(tmp_path / "params.yaml", CATALOGUE)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_bytes(b"profile: \xff\xfe")
    with pytest.raises(InputError, match=r"^params\.yaml: got .*UTF-8"):
        params.load(tmp_path / "params.yaml", CATALOGUE)


def test_missing_data_is_refused_before_anything_starts_and_only_where_it_is_needed(tmp_path):
    tree = changed(f"{METHOD}.delayed.workloads", ["digits_mlp", "mnist_cnn"])
    assert load(tmp_path, tree).profile == "quick"
    tree[""]["profile"] = "full"
    with pytest.raises(InputError, match=r"^data_root: got .*MNIST"):
        load(tmp_path, tree)
    (tmp_path / "data" / "MNIST").mkdir(parents=True)
    assert load(tmp_path, tree).study("backup-workers").workers == 50


def test_data_are_divided_among_those_who_read_them_or_refused(tmp_path):
    tree = changed(f"{QUICK}.workloads", ["digits_mlp", "digits_mlp@by_class"])
    with pytest.raises(
        InputError, match=r"^quick\.backup-workers\.workers: got 16; allowed: at most 10"
    ) as refused:
        load(tmp_path, tree)
    assert str(refused.value).endswith("methods.all_reduce on digits_mlp@by_class")
    tree = changed(f"{QUICK}.workers_on", {"digits_mlp@by_class": 8}, tree)
    variant = load(tmp_path, tree).study("backup-workers").of("all_reduce")[0]
    assert variant.workloads == ("digits_mlp", "digits_mlp@by_class")


def test_a_variant_may_have_workers_of_its_own(tmp_path):
    tree = changed(
        f"{METHOD}.backup_workers.variants", [{"workers": 4, "b": 3}, {"b": 1, "workers": 2}, {"b": 1}]
    )
    found = load(tmp_path, tree).study("backup-workers").of("backup_workers")
    assert [(one.label, one.workers, one.options) for one in found] == [
        ("backup_workers b=3 workers=4", 4, {"b": 3}),
        ("backup_workers b=1 workers=2", 2, {"b": 1}),
        ("backup_workers b=1", None, {"b": 1}),
    ]
    with pytest.raises(
        InputError, match=r"variants\.0\.b: got 4; allowed: a whole number from 0 to workers - 1 = 3"
    ):
        load(tmp_path, changed(f"{METHOD}.backup_workers.variants.0.b", 4, tree))


def test_a_valid_file_is_expanded_under_its_profile(tmp_path):
    loaded = load(tmp_path, WHOLE)
    study = loaded.study("backup-workers")
    assert (loaded.profile, loaded.device, loaded.data_root) == ("quick", "auto", tmp_path / "data")
    assert (study.workers, study.seeds, study.learning_rates) == (16, (0, 1, 2, 3, 4), (0.01, 0.1, 1.0))
    assert [variant.label for variant in study.variants] == [
        "all_reduce",
        "backup_workers b=1",
        "backup_workers b=2",
        "softsync n=4",
        "delayed k=0",
        "delayed k=5",
    ]
    assert study.methods == ("all_reduce", "backup_workers", "softsync", "delayed")
    (softsync,) = study.of("softsync")
    assert (softsync.program, softsync.options, softsync.machines) == (
        "softsync",
        {"n": 4},
        ("paper_cluster",),
    )
    assert {variant.workloads for variant in study.of("delayed")} == {("digits_mlp",)}
    assert {variant.rule for variant in study.of("delayed")} == {Momentum(0.5)}
    assert softsync.rule == SGD()
    assert json.loads(json.dumps(asdict(study)))["variants"][1]["options"] == {"b": 1}


def test_a_study_has_a_recipe_and_its_methods_their_own(tmp_path):
    tree = changed(f"{BACKUP}rule", {"name": "adam"})
    study = tree["backup-workers"]
    study["schedule"], study["average"] = {"decay": "linear", "warm_up": 0.1}, 0.999
    study["methods"]["softsync"] |= {"schedule": {}, "average": 0.0}
    study["methods"]["all_reduce"] |= {"schedule": {"decay": "cosine"}}
    of = load(tmp_path, tree).study("backup-workers").of
    linear, cosine = Schedule("linear", warm_up=0.1), Schedule("cosine")
    assert of("softsync")[0].rule == Adam()
    assert of("backup_workers")[1].rule == Recipe(Adam(), linear, 0.999)
    assert of("all_reduce")[0].rule == Recipe(Adam(), cosine, 0.999)
    assert of("delayed")[0].rule == Recipe(Momentum(0.5), linear, 0.999)


def test_another_profile_selects_other_numbers_and_may_have_fewer_seeds(tmp_path):
    study = load(tmp_path, changed("profile", "ci")).study("backup-workers")
    assert (study.profile, study.workers, study.seeds) == ("ci", 4, (0, 1))


def test_the_analyses_have_the_grid_of_the_selected_profile(tmp_path):
    tree = changed("analyses.ci.nodes", [4])
    assert load(tmp_path, tree).analyses.nodes == (2, 8)
    tree[""]["profile"] = "ci"
    found = load(tmp_path, tree).analyses
    assert (found.profile, found.nodes, found.samples) == ("ci", (4,), (1, 8, 64))
    tree = changed("analyses.quick.workloads", ["mnist_cnn"])
    with pytest.raises(InputError, match=r"^data_root: got .*MNIST"):
        load(tmp_path, tree)


def test_workers_and_epochs_may_differ_by_workload(tmp_path):
    tree = changed(f"{QUICK}.workers_on", {"digits_mlp": 5})
    study = load(tmp_path, tree).study("backup-workers")
    assert (study.workers_of("digits_mlp"), study.workers_of("digits_cnn")) == (5, study.workers)
    assert study.epochs_of("digits_mlp") == study.epochs
    tree["backup-workers"]["methods"]["backup_workers"]["variants"][1]["b"] = 5  # fewer than 16, not than 5
    with pytest.raises(InputError, match=r"variants\.1\.b: got 5"):
        load(tmp_path, tree)


def test_options_are_checked_against_the_workers_of_the_selected_profile(tmp_path):
    tree = changed(f"{METHOD}.backup_workers.variants.1.b", 8)
    assert load(tmp_path, tree).study("backup-workers").of("backup_workers")[1].options == {"b": 8}
    tree[""]["profile"] = "ci"
    with pytest.raises(
        InputError,
        match=r"^papers/backup-workers/study\.yaml: methods\.backup_workers\.variants\.1\.b: got 8",
    ):
        load(tmp_path, tree)


def test_an_unknown_study_or_method_is_refused_with_the_nearest_name(tmp_path):
    loaded = load(tmp_path, WHOLE)
    with pytest.raises(InputError, match=r"study: got 'backup-worker'; .*did you mean 'backup-workers'"):
        loaded.study("backup-worker")
    with pytest.raises(InputError, match=r"method: got 'soft_sync'; .*did you mean 'softsync'"):
        loaded.study("backup-workers").of("soft_sync")


def test_scalars_are_read_as_dvc_reads_them(tmp_path):
    from ruamel.yaml import YAML

    scalars = "1e-3 1.0E+2 .5 5. 007 0x10 1_000 on yes true ~ null -3 +4 .inf 12:30 2020-01-01 a a:b"
    lines = "scalars:\n" + "".join(f"- {scalar}\n" for scalar in scalars.split())
    (tmp_path / "scalars.yaml").write_text(lines)
    ours = yaml_text.read(tmp_path / "scalars.yaml")["scalars"]
    theirs = YAML(typ="safe").load(lines)["scalars"]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other or isinstance(mine, str)  # at worst a text, which no number's place accepts
    assert ours[:3] == [1e-3, 100.0, 0.5]
    assert ours[7:11] == ["on", "yes", True, None]


@pytest.mark.parametrize("value", ["[a:b]", "{a: b:c}", "[[12:30]]"])
def test_what_dvc_cannot_read_is_refused_with_the_line_and_what_helps(tmp_path, value):
    from ruamel.yaml import YAML, YAMLError

    path = tmp_path / "names.yaml"
    path.write_text(f"first: 1\nnames: {value}\n")
    with pytest.raises(YAMLError):
        YAML(typ="safe").load(path)
    with pytest.raises(InputError, match=r'^names\.yaml, line 2: got .* allowed: it in quotes, "'):
        yaml_text.read(path)
    path.write_text("names: ['a:b', {c: \"d:e\"}]\n")
    assert yaml_text.read(path) == YAML(typ="safe").load(path)


def test_the_projects_own_parameters_are_valid_under_every_profile(root, monkeypatch):
    names = replace(params.installed(), check_data=lambda *_: None)  # a full run's data need not be here
    for name in schema.PROFILES:
        monkeypatch.setenv(paths.PROFILE, name)
        assert params.load(root / "params.yaml", names).study("backup-workers").profile == name


def test_a_command_chooses_the_profile_and_writes_no_file(tmp_path, monkeypatch):
    path = write(tmp_path, WHOLE)
    before = path.read_bytes()
    monkeypatch.setenv(paths.PROFILE, "ci")
    assert params.load(path, CATALOGUE).study("backup-workers").seeds == (0, 1)
    assert path.read_bytes() == before
    monkeypatch.setenv(paths.PROFILE, "ful")
    with pytest.raises(InputError, match=r"^profile: got 'ful'; .*did you mean 'full'"):
        params.load(path, CATALOGUE)


def test_what_is_said_last_holds_and_a_study_states_only_what_differs(tmp_path):
    tree = changed("sizes.quick", {"epochs": 7, "workers": 5})
    tree["comparison"]["sizes"] = sizes({"workers": 6}, quick={"batch": 9})
    study = load(tmp_path, tree).study("comparison")
    assert (study.epochs, study.workers, study.batch, study.points) == (7, 6, 9, 40)
    tree["comparison"]["sizes"]["quick"]["workers"] = 3
    assert load(tmp_path, tree).study("comparison").workers == 3


def test_papers_that_are_not_listed_are_not_read(tmp_path):
    tree = changed("papers", ["comparison"]) | {"backup-workers": "methods: ["}
    assert list(load(tmp_path, tree).studies) == ["comparison"]


def run(*command, cwd):
    """The command's outcome and its seconds of processor time: it waits for nothing, and others may use the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=20
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_an_unknown_profile_exits_with_2_and_one_line(project):
    write(project, WHOLE)
    done, seconds = run("rebuttal.cli", "check", "--profile", "fulll", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "rebuttal: profile: got 'fulll'; allowed: quick, standard, full, ci; did you mean 'full'?\n"
    )
    assert seconds < LIMIT_S


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (f"{QUICK}.epoch", 40, "did you mean 'epochs'?"),
        (f"{METHOD}.backup_workers.variants.0.b", 16, "got 16"),
        (f"{QUICK}.seeds", "five", "got 'five'"),
    ],
)
def test_the_command_line_refuses_with_2_and_one_line_in_time(project, key, value, said):
    write(project, changed(key, value))
    before = sorted(project.rglob("*"))
    done, seconds = run("rebuttal.cli", "check", cwd=project)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert key in done.stderr
    assert said in done.stderr
    assert seconds < LIMIT_S
    assert sorted(project.rglob("*")) == before


def test_the_packages_own_names_are_offered():
    names = params.installed()
    assert set(names.programs) == set(METHODS)
    assert "digits_mlp" in names.workloads
    assert "paper_cluster" in names.machines
    assert names.check_data is workloads.check_data


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "a: 1",
            r"study\.yaml: a: got an unknown key .* allowed: rule, schedule, average, methods, machines, sizes",
        ),
        ("a: 1\na: 2", r"study\.yaml, line 2: a: got this key twice"),
        ("- 1", r"study\.yaml: got \[1\]; allowed: sections"),
        ("", r"study\.yaml: got an empty file"),
    ],
)
def test_a_broken_study_is_refused_in_one_line_that_names_its_file(tmp_path, content, said):
    with pytest.raises(InputError, match=rf"^{BACKUP[:22]}.*{said}") as caught:
        load(tmp_path, WHOLE | {"backup-workers": content})
    assert "\n" not in str(caught.value)
