"""Operations of a method's own: priced, replayed, recorded and verified as ours, and refused in one line."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from runs import COSTS, Fixed, Link, machine, run
from values import eager_weights, weights_of

from rebuttal import methods
from rebuttal.base.errors import InputError
from rebuttal.core import value_operations
from rebuttal.core.graph import Graph
from rebuttal.core.timeline import Timeline
from rebuttal.core.value_operations import ValueOperation, operation
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.engine import replay
from rebuttal.replaying.executors import Loop
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import by_layer, gantt, gradients, layer_staleness, memory, summary
from rebuttal.simulation.timeline_metrics.staleness import uses
from rebuttal.workloads import load

OWN = Path(__file__).parent / "papers" / "compressed" / "own"
TOP_K, LOW_RANK = (f"file:{OWN / name}.py" for name in ("top_k", "low_rank"))
BOTH = pytest.mark.parametrize(
    ("name", "options"), [(TOP_K, {"share": 0.05}), (LOW_RANK, {})], ids=["top_k", "low_rank"]
)
WORD, NOTHING = cast(Any, "x"), cast(Any, None)  # in the place of numbers
SLOW = Link(1e-4, 1e5, "test")


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


# --- two methods from the literature, each a file ----------------------------------------------------------------


def test_each_file_is_short():
    assert max(len(path.read_text().splitlines()) for path in OWN.glob("*.py")) <= 70


@BOTH
@pytest.mark.parametrize("workers", [1, 4])
def test_replay_equals_the_eager_run(deep, name, options, workers):
    timeline = run(name, options, workers=workers, updates=8)
    expected = eager_weights(name, options, deep, 0.1, workers=workers, updates=8)
    assert torch.equal(weights_of(timeline, deep, 0.1, exact=True), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.1), expected, rtol=1e-9, atol=1e-12)


@BOTH
def test_many_replicas_in_one_call_are_each_what_it_is_alone(name, options):
    workload = load("digits_mlp").double()
    timeline = run(name, options, workers=2, updates=6)
    together = replay(timeline, workload=workload, learning_rates=[0.05, 0.1, 0.2], points=3)
    alone = replay(timeline, workload=workload, learning_rates=[0.05, 0.1, 0.2], points=3, exact=True)
    np.testing.assert_allclose(together.test_loss.values, alone.test_loss.values, rtol=1e-9)


def test_all_of_the_entries_are_all_reduce(deep):
    every = eager_weights(TOP_K, {"share": 1.0}, deep, 0.1, workers=4, updates=6)
    torch.testing.assert_close(
        every, eager_weights("all_reduce", {}, deep, 0.1, workers=4, updates=6), rtol=1e-9, atol=1e-12
    )


def test_it_is_the_algorithm_of_the_paper(deep):
    """Node by node with plain tensors: a = e + g, the largest entries of a are sent, the others stay."""
    K, updates, rate, share = 3, 5, 0.1, 0.05
    x, y = deep.splits["training"]
    rows = [torch.from_numpy(deep.batches(32, 0, k, updates)) for k in range(K)]
    loop, w, e = Loop(deep), deep.start(0), torch.zeros(K, deep.parameters, dtype=torch.float64)
    kept = round(share * deep.parameters)
    for t in range(updates):
        a = e + torch.stack([loop.gradient(w, x[rows[k][t]], y[rows[k][t]]) for k in range(K)])
        least = a.abs().topk(kept, 1).values[:, -1:]
        sent = torch.where(a.abs() >= least, a, 0.0)
        e, w = a - sent, w - rate * sent.mean(0)
    found = eager_weights(TOP_K, {"share": share}, deep, rate, workers=K, updates=updates)
    torch.testing.assert_close(found, w, rtol=1e-9, atol=1e-12)


@BOTH
def test_on_real_processes_it_computes_the_same_and_is_verified(name, options, tmp_path):
    given: dict[str, Any] = {"workers": 4, "updates": 6}
    made = record(
        name, workload="digits_deep", learning_rate=0.05, checksums_every=2, options=options, **given
    )
    assert made.order.key == run(name, options, **given).order.key
    made.save(tmp_path / "run.npz")
    assert verify(Timeline.load(tmp_path / "run.npz")) == 4
    dense = record("all_reduce", workload="digits_deep", learning_rate=0.05, checksums_every=2, **given)
    assert summary(made)["bytes_sent"] < 0.2 * summary(dense)["bytes_sent"]


# --- what it weighs and what it takes ----------------------------------------------------------------------------


@BOTH
def test_on_a_slow_link_fewer_bytes_take_less_time(name, options):
    where = machine(NoStragglers(), SLOW, gradient_s=0.01, weight_bytes=40_000)
    small, dense = (
        summary(run(*what, workers=4, updates=5, machine=where))
        for what in ((name, options), ("all_reduce", {}))
    )
    assert small["bytes_sent"] <= 0.2 * dense["bytes_sent"]
    assert small["seconds_per_update"] < 0.4 * dense["seconds_per_update"]


def test_bytes_are_those_of_the_papers():
    """10,000 numbers: a ring of four passes on three of each node's 100 entries of 8 bytes, or sums vectors of 100."""
    where = machine(NoStragglers(), SLOW, weight_bytes=40_000)
    sent = [
        summary(run(*what, workers=4, updates=1, machine=where))["bytes_sent"]
        for what in ((TOP_K, {}), (LOW_RANK, {}))
    ]
    assert sent == [4 * 3 * 100 * 8, 2 * (4 * 2 * 3 * 400 // 4)]


def test_what_an_operation_takes_is_in_updates_or_in_seconds():
    where = machine(NoStragglers(), gradient_s=1.0, update_s=0.5)
    timeline = run(TOP_K, workers=1, updates=1, machine=where)
    lasted = timeline.computes["end_s"] - timeline.computes["start_s"]
    named = {
        timeline.names[code]: s
        for code, s in zip(timeline.computes["operation"], lasted.tolist(), strict=True)
    }
    assert named == pytest.approx(
        {"gradient": 1.0, "top": 2.5, "rest": 0.5, "spread": 0.5, "update": 0.5, "all_reduce sparse": 0.0}
    )


# --- readings ----------------------------------------------------------------------------------------------------


@BOTH
def test_every_gradient_counts_once_for_its_own_update(name, options):
    timeline = run(name, options, workers=3, updates=7)
    table = gradients(timeline)
    assert sorted(table["update"].values.tolist()) == sorted([*range(1, 8)] * 3)
    assert summary(timeline)["staleness_max"] == 0
    assert set(layer_staleness(timeline)["forward_staleness"].values.tolist()) == {0}


def test_memory_counts_a_gradient_where_walking_all_paths_first_meets_it():
    """Against every path of a small graph, walked one by one: the first update of each gradient, and how stale."""
    timeline = run(TOP_K, workers=2, updates=6)
    graph, first = timeline.graph, {}
    for version, state in enumerate(timeline.updates["value"].tolist()):
        for source in _all_paths(graph, graph.inputs[state][1]) if version else ():
            first.setdefault(source, version)
    assert {use.source: use.version for use in uses(timeline)} == first
    assert len(uses(timeline)) == len(first) == 12


def _all_paths(graph: Graph, node: int) -> list[int]:
    if graph.operations[node] == "gradient":
        return [node]
    below = [i for i in graph.inputs[node] if graph.operations[i] not in ("start", "update")]
    return [source for i in below for source in _all_paths(graph, i)]


def test_other_readings_take_it_too():
    timeline = run(TOP_K, workers=2, updates=4)
    until_s = timeline.end_s
    assert "top" in set(gantt(timeline)["kind"])
    assert set(by_layer(timeline, 0, until_s)["layer"]) == {-1}
    assert int(memory(timeline, COSTS)["total_peak_bytes"].min()) > COSTS.weight_bytes


def test_summary_is_linear_in_the_updates_of_a_method_with_memory():
    def seconds(updates):
        timeline = run(TOP_K, workers=1, updates=updates, machine=machine(Fixed()))
        began = time.process_time()
        summary(timeline)
        return time.process_time() - began

    assert seconds(8_000) < 3 * 2 * seconds(4_000)


# --- refusals ----------------------------------------------------------------------------------------------------


@operation
def doubled(g, *, by: float = 2.0):
    return g * by


@operation(batched=True)
def whole_norm(g):
    return g / g.norm()


@operation
def listed(g):
    return [g]


@operation
def failing(g):
    return g.no_such_thing()


def symbols():
    graph = Graph()
    return graph.symbol("gradient", (graph.symbol("start"),), (0.0, 0.0)), graph


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda g: doubled(g, bye=1.0), "operation doubled: got 'bye'; allowed: by; did you mean 'by'?"),
        (lambda g: doubled(g, by=WORD), "operation doubled.by: got 'x'; allowed: a number"),
        (lambda _: doubled.at(by=NOTHING), "operation doubled.by: got None; allowed: a number"),
        (
            lambda g: doubled(g, 3.0),
            "operation doubled: got 3.0; allowed: values of the run; numbers are keywords",
        ),
    ],
)
def test_what_an_operation_cannot_take_is_refused_in_one_line(call, said):
    with pytest.raises(InputError) as caught:
        call(symbols()[0])
    assert str(caught.value) == said


def inner():
    @operation
    def nested(g):
        return g


def misspelt():
    operation(batch=True)(_plain)  # pyright: ignore[reportCallIssue]


def wordy():
    operation(size_bytes=8)(_plain)  # pyright: ignore[reportCallIssue, reportArgumentType]


def _plain(g):
    return g


def taken():
    def gradient(g):
        return g

    gradient.__qualname__ = "gradient"
    ValueOperation(gradient)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (inner, "a function at the top of a file or a cell"),
        (taken, "a name that no operation"),
        (misspelt, r"^operation _plain: got 'batch'; allowed: .*; did you mean 'batched'\?$"),
        (wordy, r"^operation _plain.size_bytes: got 8; allowed: a function of the numbers of a gradient$"),
    ],
)
def test_what_cannot_be_an_operation_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            whole_norm,
            "operation whole_norm.batched: got True; allowed: False where the rows of several replicas meet",
        ),
        (listed, "operation listed: got 'list'; allowed: a function that gives a tensor"),
        (failing, "operation failing: fails with AttributeError"),
    ],
)
def test_a_body_that_gives_no_value_is_refused_in_one_line(made, said):
    timeline = Once.timeline(made)
    with pytest.raises(InputError) as caught:
        replay(timeline, learning_rates=[0.05, 0.1], points=2)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


class Once:
    """A timeline of three updates, each with an operation on its gradient."""

    @staticmethod
    def timeline(made):
        timeline = run("mini_batch", updates=3)
        graph, new = Graph(), {}
        for node, (name, inputs, numbers) in enumerate(
            zip(timeline.graph.operations, timeline.graph.inputs, timeline.graph.arguments, strict=True)
        ):
            below = tuple(new[i] for i in inputs)
            if name == "update":
                below = (below[0], graph.node(made.name, (below[1],)))
            new[node] = graph.node(name, below, numbers)
        updates = {
            **timeline.updates,
            "value": np.array([new[v] for v in timeline.updates["value"].tolist()]),
        }
        return Timeline(timeline.computes, timeline.messages, updates, timeline.names, graph, timeline.about)


def test_an_impossible_size_is_refused_in_one_line(project):
    (project / "odd.py").write_text(
        (OWN / "top_k.py").read_text().replace("8 * max(1, round(share * numbers))", "-8")
    )
    with pytest.raises(InputError, match=r"^operation top.size_bytes: got -8; allowed: a number >= 0$"):
        simulate("file:odd.py", machine="ideal", costs=COSTS, workers=2, updates=1)


def test_operations_of_a_file_that_was_not_run_are_refused_in_one_line(tmp_path):
    """In another process, which is given the time line and no file."""
    run(TOP_K, workers=2, updates=2).save(tmp_path / "run.npz")
    code = (
        "from pathlib import Path; import rebuttal; "
        "rebuttal.replay(rebuttal.Timeline.load(Path('run.npz')), learning_rates=[0.1], points=2)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert "operation: got 'top@" in told.stderr.splitlines()[-1]
    assert "KeyError" not in told.stderr


def test_a_stranger_s_operations_are_run_only_with_leave(tmp_path, monkeypatch):
    made = record(TOP_K, workload="digits_mlp", workers=2, updates=2, learning_rate=0.05)
    monkeypatch.setattr(
        value_operations, "_known", {k: v for k, v in value_operations._known.items() if "@" not in k}
    )
    monkeypatch.setattr("rebuttal.base.own_code._loaded", {})
    with pytest.raises(InputError, match=r"^trust: got 'no file for file:.*the method is none of ours$"):
        verify(made)
    assert verify(made, trust=OWN / "top_k.py") == 2


def test_another_content_is_another_operation(project):
    text = (OWN / "top_k.py").read_text()
    orders = []
    for number in range(2):
        (project / "mine.py").write_text(text + f"# {number}\n")
        orders.append(run("file:mine.py", workers=2, updates=2).order.key)
    assert orders[0] != orders[1]
    assert methods.called("file:mine.py") == "mine"
