"""Methods by file: they run wherever a name does, as what they hold at the moment, and only where somebody asks."""

import hashlib
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from doc_pages import blocks, page
from runs import COSTS, run
from values import eager_weights, weights_of

from rebuttal import methods, workloads
from rebuttal.base import own_code, paths
from rebuttal.base.errors import InputError
from rebuttal.cli import main
from rebuttal.core.timeline import Timeline
from rebuttal.evidence import papers
from rebuttal.figures.what_if.prediction import what_if
from rebuttal.figures.what_if.sliders import explore
from rebuttal.methods import METHODS
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.executors import Loop
from rebuttal.simulation.simulate import simulate
from rebuttal.site import definitions
from rebuttal.workloads import load

PAPERS = Path(__file__).parent / "papers"
FILE = PAPERS / "decentralised" / "own" / "dpsgd.py"
DPSGD = f"file:{FILE}"

METHOD = '''
from dataclasses import dataclass
from typing import ClassVar

from rebuttal.methods.all_reduce import AllReduceSGD
from rebuttal.core.verbs import Compute, Report


@dataclass(frozen=True)
class Alone:
    """One node that takes so many batches."""

    shards: int = 2
    servers: ClassVar[int] = 0

    def nodes(self, workers):
        return 1

    def programs(self, nodes, task):
        return {nodes[0]: self.train(task)}

    def train(self, task):
        w, t = task.start(), 0
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, *[(k, t) for k in range(self.shards)]))
            w = yield Compute(task.update, (w, g))
            t += 1
'''


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


@pytest.fixture
def own(project):
    """A project with a method of its own."""
    (project / "alone.py").write_text(METHOD)
    return project


# --- by name ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_a_name_of_the_catalogue_is_what_it_was(name):
    assert methods.program(name) is METHODS[name]
    assert type(methods.method(name)) is METHODS[name]
    assert methods.called(name) == name
    assert methods.fingerprint(name) == ""


def test_a_file_is_a_method_by_name(own):
    made = methods.method("file:alone.py", shards=3)
    assert made.shards == 3  # pyright: ignore[reportAttributeAccessIssue]
    assert methods.called("file:alone.py") == "alone"
    assert methods.definition("file:alone.py") == "One node that takes so many batches."
    assert methods.fingerprint("file:alone.py") == hashlib.sha256(METHOD.encode()).hexdigest()
    assert "file:alone.py" not in METHODS


def test_a_file_is_run_once_for_each_content_that_it_has(own):
    (own / "alone.py").write_text(f"with open('ran', 'a') as file:\n    file.write('x')\n{METHOD}")
    first = methods.program("file:alone.py")
    assert methods.program("file:alone.py") is methods.program(f"file:{own / 'alone.py'}") is first
    assert (own / "ran").read_text() == "x"
    before = (own / "alone.py").read_text()
    (own / "alone.py").write_text(before.replace("shards: int = 2", "shards: int = 5"))
    assert methods.program("file:alone.py")().shards == 5
    (own / "alone.py").write_text(before)
    assert methods.program("file:alone.py") is first
    assert (own / "ran").read_text() == "xx"


def test_files_of_one_name_do_not_meet(own):
    (own / "other").mkdir()
    (own / "other" / "alone.py").write_text(METHOD)
    here, there = methods.program("file:alone.py"), methods.program("file:other/alone.py")
    assert here is not there
    assert {one.__module__ for one in (here, there)} <= set(sys.modules)


def test_a_relative_name_begins_at_the_project_from_any_folder_of_it(own, monkeypatch):
    (own / "notebooks").mkdir()
    at_top = methods.program("file:alone.py")
    monkeypatch.chdir(own / "notebooks")
    assert methods.program("file:alone.py") is at_top


def test_a_file_that_came_with_the_work_is_run_in_the_place_of_the_sender_s(own, tmp_path):
    came = tmp_path / "came"
    came.mkdir()
    (came / "alone.py").write_text(METHOD)
    gone = tmp_path / "a folder of the machine that sent the work"
    with paths.within(came, gone):
        assert own_code.path_of("file:alone.py", "method") == came / "alone.py"
        with pytest.raises(InputError, match="there is none at this path"):
            own_code.path_of("file:other.py", "method")
    with paths.within(came, own):  # what did not come is looked for where the sender has it
        (came / "alone.py").unlink()
        assert own_code.path_of("file:alone.py", "method") == own / "alone.py"


def test_a_file_may_build_on_a_method_of_the_package(own):
    text = '''
from dataclasses import dataclass
from rebuttal.methods.all_reduce import AllReduceSGD

@dataclass(frozen=True)
class Mine(AllReduceSGD):
    """As all-reduce."""
'''
    (own / "mine.py").write_text(text)
    assert methods.definition("file:mine.py") == "As all-reduce."
    assert run("file:mine.py").order.key == run("all_reduce").order.key


def test_a_definition_is_read_and_not_run(own):
    (own / "papers" / "some-paper" / "own").mkdir(parents=True)
    (own / "papers" / "some-paper" / "own" / "mine.py").write_text(f"raise SystemExit(1)\n{METHOD}")
    (own / "papers" / "some-paper" / "own" / "rings.py").write_text("x = 1\n")
    (own / "papers" / "some-paper" / "own" / "broken.py").write_text("x = (\n")
    lines = definitions.methods("some-paper")
    assert lines["mine"] == "One node that takes so many batches."
    assert {
        name: line for name, line in lines.items() if not name.startswith("mine")
    } == definitions.methods()
    assert methods.definition("file:nowhere.py") == ""


# --- decentralised SGD ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3, 6])
def test_replay_equals_the_eager_run(deep, workers):
    timeline = run(DPSGD, workers=workers, updates=8)
    expected = eager_weights(DPSGD, {}, deep, 0.2, workers=workers, updates=8)
    assert torch.equal(weights_of(timeline, deep, 0.2, exact=True), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.2), expected, rtol=1e-12, atol=1e-12)


def test_it_is_the_algorithm_of_the_paper(deep):
    """The nodes' mean weights after w ← W w − η g on the whole ring at once, W written as a matrix."""
    K, updates, rate = 5, 6, 0.2
    mixing = sum(torch.roll(torch.eye(K, dtype=torch.float64), by, 0) for by in (-1, 0, 1)) / 3
    x, y = deep.splits["training"]
    w, loop = deep.start(0).repeat(K, 1), Loop(deep)
    rows = [torch.from_numpy(deep.batches(32, 0, k, updates)) for k in range(K)]
    for t in range(updates):
        g = torch.stack([loop.gradient(w[k], x[rows[k][t]], y[rows[k][t]]) for k in range(K)])
        w = mixing @ w - rate * g
    found = eager_weights(DPSGD, {}, deep, rate, workers=K, updates=updates)
    torch.testing.assert_close(found, w.mean(0), rtol=1e-12, atol=1e-12)


def test_alone_it_is_mini_batch_sgd(deep):
    alone = eager_weights(DPSGD, {}, deep, 0.2, workers=1, updates=8)
    assert torch.equal(alone, eager_weights("mini_batch", {"shards": 1}, deep, 0.2, workers=1, updates=8))


def test_what_a_node_sends_does_not_grow_with_the_ring():
    sent = [
        simulate(DPSGD, machine="ethernet_10g", workers=K, updates=5, costs=COSTS).messages for K in (4, 16)
    ]
    for messages in sent:
        first = messages["bytes"][(messages["source"] == 0) & (messages["sent_s"] == 0.0)]
        assert first.tolist() == [COSTS.weight_bytes] * 2


def test_on_real_processes_it_computes_the_same_and_is_verified(tmp_path):
    made = record(DPSGD, workload="digits_deep", workers=3, updates=6, learning_rate=0.02, checksums_every=2)
    assert made.order.key == run(DPSGD, workers=3, updates=6).order.key
    made.save(tmp_path / "run.npz")
    again = Timeline.load(tmp_path / "run.npz")
    assert verify(again) == len(made.about["checksums"]) == 3 * 4  # of each node's weights
    assert again.about["method"] == "dpsgd"
    assert again.about["own_code"] == {DPSGD: methods.fingerprint(DPSGD)}


def test_its_paper_and_its_study_are_sound():
    paper = papers.load(PAPERS / "decentralised" / "paper.yaml")
    assert (paper.id, paper.study) == ("decentralised", "decentralised")
    assert all(question.answers for question in (*paper.claims, *paper.concerns))


# --- other processes --------------------------------------------------------------------------------------------


def test_an_instance_is_the_same_in_another_process_that_stands_elsewhere(own, tmp_path_factory):
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"
    sent = pickle.dumps([methods.method("file:alone.py", shards=7)])
    told = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True,
                          cwd=tmp_path_factory.mktemp("elsewhere"))  # fmt: skip
    assert told.stdout.decode().strip() == "[Alone(shards=7)]", told.stderr.decode()
    (own / "alone.py").write_text(METHOD + "\n")
    with pytest.raises(
        InputError, match=r"^method: got 'file:.*'; allowed: the file as it was when the run began"
    ):
        pickle.loads(sent)  # noqa: S301 - made above


def test_a_file_runs_from_the_command_line(own, capsys):
    main(["run", f"file:{own / 'alone.py'}", "--option", "shards=3", "--updates", "4"])
    assert capsys.readouterr().out.startswith("alone.npz: 4 updates of alone on 1 processes")
    timeline = Timeline.load(own / "alone.npz")
    assert timeline.about["options"] == {"shards": 3}
    (own / "alone.py").unlink()  # a run is verified without its method
    main(["verify", "alone.npz"])
    assert "to the bit" in capsys.readouterr().out


# --- a stranger's run -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A recorded run whose workload is a file that leaves a trace when it is run."""
    folder = tmp_path_factory.mktemp("strange")
    example = blocks(page("adding_a_workload"), "python")[0]
    (folder / "rings.py").write_text(f"open({str(folder / 'trace')!r}, 'a').close()\n{example}")
    made = record(
        "mini_batch", workload=f"file:{folder / 'rings.py'}", workers=1, updates=3, learning_rate=0.1
    )
    made.save(folder / "run.npz")
    return folder


@pytest.fixture
def untouched(strange):
    """The same, in the state that it was recorded in, and as if nobody had run its file in this process."""
    text = (strange / "rings.py").read_text()
    (strange / "trace").unlink(missing_ok=True)
    own_code._loaded.clear()
    yield strange
    (strange / "rings.py").write_text(text)


def test_a_file_that_a_run_names_is_not_run_unasked(untouched):
    with pytest.raises(InputError, match=r"^trust: got 'no file for file:.*; allowed: trust=") as caught:
        verify(Timeline.load(untouched / "run.npz"))
    assert "\n" not in str(caught.value)
    assert not (untouched / "trace").exists()


def test_a_file_that_is_no_longer_the_run_s_is_not_run_at_all(untouched):
    (untouched / "rings.py").write_text((untouched / "rings.py").read_text() + "\n")
    with pytest.raises(
        InputError, match=r"^trust: got '.* with the sha256 \w{64}'; allowed: the file of the run"
    ):
        verify(Timeline.load(untouched / "run.npz"), trust=untouched / "rings.py")
    assert not (untouched / "trace").exists()


def test_a_run_that_does_not_say_what_its_file_was_is_not_verified(untouched):
    timeline = Timeline.load(untouched / "run.npz")
    silent = replace(timeline, about={**timeline.about, "own_code": {}})
    with pytest.raises(InputError, match="not in the timeline"):
        verify(silent, trust=untouched / "rings.py")
    assert not (untouched / "trace").exists()


def test_the_file_that_the_verifier_names_is_run_and_no_other(untouched, tmp_path, capsys):
    """A run may name any path: what is run is the file that was read, wherever it is."""
    mine = tmp_path / "read.py"
    mine.write_text((untouched / "rings.py").read_text())
    (untouched / "rings.py").write_text("raise SystemExit(1)")
    assert verify(Timeline.load(untouched / "run.npz"), trust=mine) == 2
    assert (untouched / "trace").exists()
    assert main(["verify", str(untouched / "run.npz"), "--trust", str(mine)]) == 0
    assert "2 checksums up to version 3" in capsys.readouterr().out


def test_a_text_of_somebody_s_own_is_read_from_where_the_verifier_says(tmp_path):
    text = tmp_path / "poem.txt"
    text.write_text("the quick brown fox jumps over the lazy dog. " * 400)
    made = record("mini_batch", workload=f"text:{text}", workers=1, updates=2, learning_rate=0.1)
    with pytest.raises(InputError, match=r"^trust: got 'no file for text:"):
        verify(made)
    moved = text.rename(tmp_path / "moved.txt")
    assert verify(made, trust=moved) == 2
    moved.write_text(moved.read_text() + "!")
    with pytest.raises(InputError, match="the file of the run, whose sha256 is"):
        verify(made, trust=moved)


# --- predictions ------------------------------------------------------------------------------------------------


def test_a_file_is_predicted_as_it_is_now(own):
    before = what_if("file:alone.py", workers=1)
    assert repr(before).startswith("alone, 1 worker: ")
    (own / "alone.py").write_text(METHOD.replace("shards: int = 2", "shards: int = 8"))
    after = what_if("file:alone.py", workers=1)
    assert len(after.timeline.computes["node"]) < len(before.timeline.computes["node"])
    assert explore("file:alone.py", workers=1).setting == after.setting


# --- refusals ---------------------------------------------------------------------------------------------------


TWO = METHOD + METHOD.replace("Alone", "Second")
CASES = [
    (None, {}, "method: got 'file:own.py'; allowed: a Python file; there is none at this path"),
    (
        "",
        {},
        "method: got 'file:own.py', whose methods are none; allowed: a file that defines one frozen dataclass",
    ),
    (
        "class Half:\n    def nodes(self, workers):\n        return 1\n",
        {},
        "whose methods are none; allowed: ",
    ),
    ("from rebuttal.methods.all_reduce import AllReduceSGD\n", {}, "whose methods are none; allowed: "),
    (
        TWO,
        {},
        "method: got 'file:own.py', whose methods are Alone, Second; allowed: a file that defines one frozen",
    ),
    (
        METHOD.replace("(frozen=True)", ""),
        {},
        "whose methods are Alone, which is no frozen dataclass; allowed: ",
    ),
    (
        METHOD.replace("    servers: ClassVar[int] = 0\n", ""),
        {},
        "method own.servers: got None; allowed: a number >=",
    ),
    (
        METHOD.replace("[int] = 0", "[int] = -1"),
        {},
        "method own.servers: got -1; allowed: a number >= 0: how many",
    ),
    (
        "x = 1\ny = (\n",
        {},
        "method: got 'file:own.py', which fails in line 2 with SyntaxError: '(' was never closed",
    ),
    (
        "x = 1\n\nimport nothing_like_it\n",
        {},
        "which fails in line 3 with ModuleNotFoundError: No module named",
    ),
    (
        "def f():\n    return g\n\n\nf()\n",
        {},
        "which fails in line 2 with NameError: name 'g' is not defined; allowed",
    ),
    ("import json\njson.loads('{')\n", {}, "which fails in line 2 with JSONDecodeError: "),
    (
        "raise ValueError('one\\ntwo')\n",
        {},
        "which fails in line 1 with ValueError: one two; allowed: a Python file",
    ),
    (
        "raise SystemExit(3)\n",
        {},
        "which fails in line 1 with SystemExit: 3; allowed: a Python file that runs with",
    ),
    ("x = '\xff'\n", {}, "which fails"),
    (METHOD, {"shard": 1}, "own option: got 'shard'; allowed: shards; did you mean 'shards'?"),
    (
        METHOD.replace("shards: int = 2", "shards: int"),
        {},
        "own option shards: got nothing; allowed: a value, as it",
    ),
]


@pytest.mark.parametrize(("content", "options", "said"), CASES)
def test_what_is_no_method_is_refused_in_one_line(project, content, options, said):
    if content is not None:
        (project / "own.py").write_bytes(content.encode("latin-1"))
    before = set(sys.modules)
    with pytest.raises(InputError) as caught:
        simulate("file:own.py", machine="ideal", costs=COSTS, workers=1, options=options)
    line = str(caught.value)
    assert said in line
    assert "\n" not in line
    assert options or "which fails" not in line or set(sys.modules) - before <= {"json"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "file:alon.py",
            "got 'file:alon.py'; allowed: a Python file; there is none at this path; did you mean 'alone",
        ),
        ("file:", "method: got 'file:'; allowed: file:PATH.py"),
        ("file:alone", "method: got 'file:alone'; allowed: file:PATH.py"),
        ("alone.py", "method: got 'alone.py'; allowed: mini_batch, "),
        ("al_reduce", "did you mean 'all_reduce'?"),
    ],
)
def test_names_of_another_form_are_refused_in_one_line(own, name, said):
    for given in (lambda: methods.method(name), lambda: what_if(name), lambda: record(name)):
        with pytest.raises(InputError) as caught:
            given()
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_workload_s_file_that_fails_is_refused_in_one_line(project):
    (project / "own.py").write_text("x = 1\nx.y\n")
    with pytest.raises(InputError) as caught:
        workloads.load("file:own.py")
    line = str(caught.value)
    assert line.startswith("workload: got 'file:own.py', which fails in line 2 with AttributeError: ")
    assert "\n" not in line


def test_the_command_says_it_in_one_line(own, capsys):
    assert main(["run", "file:alon.py"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
