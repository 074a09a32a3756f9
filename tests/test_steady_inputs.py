"""A stage whose inputs change while it runs fails, and says which: DVC would note the new ones as what it read."""

from pathlib import Path

import pytest

from rebuttal import cli
from rebuttal.base.errors import RunError
from rebuttal.cli import pipeline, steady_inputs
from rebuttal.cli.steady_inputs import steady
from rebuttal.cli.table import COMMANDS

PIPELINE = """
stages:
  study:
    cmd: rebuttal study ${item.paper}
    deps: [code, "papers/${item.paper}/own", "reference/${device_costs}.json"]
    params: [device, "sizes.${item.profile}", {"papers/${item.paper}/study.yaml": [methods]}]
"""


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A project with one stage; runs it for a paper while something is done."""
    files = {
        "dvc.yaml": PIPELINE, "code/a.py": "1", "papers/mine/own/b.py": "1", "papers/other/own/b.py": "1",
        "reference/here.json": "{}", "reference/other.json": "{}",
        "params.yaml": "profile: quick\ndevice: cpu\ndevice_costs: here\nsizes: {quick: {a: 1}, full: {a: 1}}\n",
        "papers/mine/study.yaml": "methods: {a: 1}\nabout: one\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    def run(file: str, old: str, new: str) -> None:
        with steady("study", {"paper": "mine"}):
            Path(file).write_text(Path(file).read_text().replace(old, new))

    return run


@pytest.mark.parametrize(
    ("file", "old", "said"),
    [
        ("code/a.py", "1", "code/a.py"),
        ("papers/mine/own/b.py", "1", "papers/mine/own/b.py"),
        ("reference/here.json", "{", "reference/here.json"),
        ("params.yaml", "cpu", "params.yaml: device"),
        ("params.yaml", "quick: {a: 1", "params.yaml: sizes.quick"),
        ("papers/mine/study.yaml", "methods: {a: 1", "papers/mine/study.yaml: methods"),
    ],
)
@pytest.mark.parametrize("most", [0, steady_inputs.LARGE_BYTES])
def test_an_input_that_changes_meanwhile_ends_the_stage_with_one_line(
    stage, monkeypatch, file, old, said, most
):
    monkeypatch.setattr(steady_inputs, "LARGE_BYTES", most)
    with pytest.raises(RunError) as caught:
        stage(file, old, old.replace("1", "22").replace("cpu", "cuda").replace("{", "{ "))
    assert (
        str(caught.value)
        == f"{said}: changed while study ran, so its results are of no one state; run it again"
    )


@pytest.mark.parametrize(
    ("file", "old"),
    [
        ("papers/other/own/b.py", "1"),
        ("reference/other.json", "{"),
        ("params.yaml", "full: {a: 1"),
        ("papers/mine/study.yaml", "one"),
    ],
)
def test_what_it_does_not_read_may_change(stage, file, old):
    stage(file, old, old.replace("1", "22").replace("{", "{ ").replace("one", "two"))


def test_a_new_file_and_one_that_is_gone_count_too(stage):
    with pytest.raises(RunError, match=r"^code/new\.py: changed"), steady("study", {"paper": "mine"}):
        Path("code/new.py").write_text("")
    with pytest.raises(RunError, match=r"^code/new\.py: changed"), steady("study", {"paper": "mine"}):
        Path("code/new.py").unlink()


def test_what_python_keeps_beside_the_code_does_not(stage):
    with steady("study", {"paper": "mine"}):
        Path("code/__pycache__").mkdir()
        Path("code/__pycache__/a.pyc").write_text("")


def test_the_command_line_ends_with_1(stage, monkeypatch, capsys):
    def study(given: object) -> None:
        Path("code/a.py").write_text("2")

    monkeypatch.setattr("rebuttal.cli.table.commands.study", study)
    monkeypatch.setattr(cli, "COMMANDS", [(n, study if n == "study" else c, *r) for n, c, *r in COMMANDS])
    assert cli.main(["study", "mine"]) == 1
    assert capsys.readouterr().err.startswith("rebuttal: code/a.py: changed while study ran")


def test_every_stage_of_the_pipeline_is_a_command_of_that_name():
    assert set(pipeline.STAGES) <= {command.__name__ for _, command, *_ in COMMANDS}
