"""Gossip: neighbours drawn from a run's seed, and cells that wait for their first content, on both clusters."""

from dataclasses import replace
from itertools import pairwise
from operator import ne
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import COSTS, layered_costs, layered_machine, machine, run
from values import eager_weights, weights_of

from rebuttal.base.errors import InputError, RunError
from rebuttal.core.task import Draws, Task
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.compiled.order_tape import serves
from rebuttal.replaying.engine import EXACT, replay
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import progress, summary
from rebuttal.workloads import load

PAPERS = Path(__file__).parent / "papers"
FILE = f"file:{PAPERS / 'gossip' / 'own' / 'ad_psgd.py'}"
RING = f"file:{PAPERS / 'decentralised' / 'own' / 'dpsgd.py'}"
CALM = machine(NoStragglers())
LATE = '''
from dataclasses import dataclass
from typing import ClassVar

from rebuttal.core.update_rules import averaged
from rebuttal.core.verbs import Compute, Modify, Report, Write


@dataclass(frozen=True)
class Late:
    """Node 1 changes a cell that node 0 fills after a gradient of its own."""

    filled: bool = True
    servers: ClassVar[int] = 0

    def nodes(self, workers):
        return 2

    def programs(self, nodes, task):
        return {nodes[0]: self.fill(task), nodes[1]: self.change(task)}

    def fill(self, task):
        w, t = task.start(), 0
        while (yield Report(w)):
            g = yield Compute(task.gradient, (w, (0, t)))
            w = yield Compute(task.update, (w, g))
            if self.filled and t == 0:
                yield Write("c", w, at=0)
            t += 1

    def change(self, task):
        yield Modify("c", averaged, (task.start(),), at=0)
'''


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


@pytest.mark.parametrize("file", [FILE, RING])
def test_the_file_is_short(file):
    assert len(Path(file.removeprefix("file:")).read_text().splitlines()) <= 70


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("file", [FILE, RING])
def test_replay_equals_the_eager_run(deep, file, workers):
    timeline = run(file, workers=workers, updates=6)
    expected = eager_weights(file, {}, deep, 0.1, workers=workers, updates=6)
    assert torch.equal(weights_of(timeline, deep, 0.1, exact=True), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.1), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("file", "checksums"), [(FILE, 5), (RING, 4 * 5)])
def test_on_real_processes_it_runs_and_is_verified(tmp_path, file, checksums):
    made = record(file, workload="digits_mlp", workers=4, updates=12, learning_rate=0.05, checksums_every=3)
    made.save(tmp_path / "run.npz")
    assert len(made.about["checksums"]) == checksums
    assert verify(Timeline.load(tmp_path / "run.npz")) == checksums
    wrong = [[*row[:3], "0" * 64] if row[0] == 6 else row for row in made.about["checksums"]]
    with pytest.raises(RunError, match=r"version 6, replica \d .*\(version (3|6) still agrees\)"):
        verify(replace(made, about={**made.about, "checksums": wrong}))


# --- the mean of all replicas ------------------------------------------------------------------------------------


def test_a_version_is_the_mean_of_all_replicas(project, deep):
    """As the mean of what each node has, were it the one that reports."""
    text = Path(RING.removeprefix("file:")).read_text()
    each = []
    for node in range(4):
        (project / f"node{node}.py").write_text(
            text.replace("(yield Report(w, replica=(i, len(nodes))))", f"i != {node} or (yield Report(w))")
        )
        each.append(eager_weights(f"file:node{node}.py", {}, deep, 0.1, workers=4, updates=5))
    assert not torch.allclose(each[0], each[2], rtol=1e-6)
    found = eager_weights(RING, {}, deep, 0.1, workers=4, updates=5)
    torch.testing.assert_close(found, sum(each) / 4, rtol=1e-12, atol=1e-14)


def test_nodes_that_report_when_they_like_make_the_mean_of_what_each_has_last():
    timeline = run(FILE, workers=4, updates=8)
    graph, states = timeline.graph, timeline.updates["value"].tolist()
    means = [graph.inputs[state] for state in states]
    assert {graph.operations[state] for state in states} == {"averaged"}
    assert {graph.operations[i] for i in means[0]} == {"start"}
    assert all(sum(map(ne, *both)) == 1 for both in pairwise(means))


def test_all_batches_behind_the_replicas_count():
    """A version of four nodes has four batches more behind it; a budget is spent at the first that has them all."""
    timeline = simulate(RING, machine=CALM, costs=COSTS, workers=4, batches=40)
    applied = progress(timeline)["batches_applied"].values
    assert applied.tolist() == [4 * version for version in range(len(applied))]
    assert 40 <= applied[-1] <= 44


# --- draws -------------------------------------------------------------------------------------------------------


def test_neighbours_depend_on_the_seed_and_on_nothing_else():
    keys = {seed: run(FILE, workers=5, updates=20, seed=seed, machine=CALM).order.key for seed in (0, 1, 2)}
    assert len(set(keys.values())) == 3
    assert keys[1] == run(FILE, workers=5, updates=20, seed=1, machine=CALM).order.key
    drawn = [Task(lambda *_: None, draws=Draws(3)).drawn(4, 0, t) for t in range(200)]
    assert set(drawn) == {0, 1, 2, 3}
    assert np.bincount(drawn).min() > 25
    assert drawn == [Draws(3).below(4, 0, t) for t in range(200)]


def test_who_draws_says_so(project):
    (project / "silent.py").write_text(
        Path(FILE.removeprefix("file:")).read_text().replace("    draws: ClassVar = True\n", "")
    )
    with pytest.raises(
        InputError, match=r"^silent.draws: got False; allowed: True \(ClassVar\) for a method that asks"
    ):
        simulate("file:silent.py", machine=CALM, costs=COSTS, workers=3, updates=6)


def test_a_state_that_is_reported_again_is_a_version_each_time(project):
    text = Path(FILE.removeprefix("file:")).read_text().replace(", replica=(k, len(nodes))", "")
    (project / "all.py").write_text(text)
    timeline = run("file:all.py", workers=3, updates=6, machine=CALM)
    assert len(set(timeline.updates["value"][:3].tolist())) == 1
    assert not serves(timeline.order, SGD())  # one point each is what compiled code gives
    loss = replay(timeline, learning_rates=[0.1], points=7, table=EXACT).training_loss.squeeze().values
    assert np.isfinite(loss).all()
    assert loss[0] == loss[2] > loss[-1]


def test_nothing_is_drawn_below_one():
    with pytest.raises(InputError, match=r"^drawn: got 0; allowed: a whole number >= 1"):
        Task(lambda *_: None).drawn(0)


# --- bytes of cells ----------------------------------------------------------------------------------------------


def carried(timeline):
    """Tag -> (messages for each gradient, bytes of one), of what went between nodes and their cells."""
    tags, gradients = np.asarray(timeline.names)[timeline.messages["tag"]], summary(timeline)
    found = {}
    for tag in sorted(set(tags)):
        sizes = timeline.messages["bytes"][tags == tag]
        found[tag] = (len(sizes) / gradients["gradients_computed"], sizes.max())
        assert sizes.max() == sizes.min() > 0
    return found


@pytest.mark.parametrize(
    ("file", "options"), [(FILE, {}), ("one_sided", {}), ("one_sided", {"atomic": False})]
)
def test_what_goes_to_cells_and_from_them_is_counted_alike_on_both_clusters(file, options):
    costs = layered_costs(2, layer_parameters=(8320, 1290), layer_outputs=(128, 10))
    costs = replace(costs, parameters=9610, weight_bytes=4 * 9610)
    given = {"workers": 3, "updates": 30, "options": options}
    virtual = carried(simulate(file, machine=layered_machine(), costs=costs, workload="digits_mlp", **given))
    made = record(file, workload="digits_mlp", **given)
    real = carried(made)
    assert real.keys() == virtual.keys()
    for tag, (count, size) in virtual.items():
        assert real[tag][0] == pytest.approx(count, rel=0.2)  # some are on their way when a run ends
        assert size <= real[tag][1] <= size + 1024
    assert verify(made) == len(made.about["checksums"])


# --- cells that are empty ----------------------------------------------------------------------------------------


@pytest.fixture
def late(project):
    (project / "late.py").write_text(LATE)
    return "file:late.py"


def test_a_change_waits_for_the_first_content_on_the_virtual_cluster(late):
    timeline = run(late, updates=3, workers=2, machine=CALM)
    changed = [n for n, name in enumerate(timeline.graph.operations) if name == "averaged"]
    (node,) = changed
    assert [timeline.graph.operations[i] for i in timeline.graph.inputs[node]] == ["update", "start"]


def test_a_change_waits_for_the_first_content_in_real_processes(late):
    made = record(late, workload="digits_mlp", workers=2, updates=30, learning_rate=0.05, pace_s=0.01)
    assert verify(made) == len(made.about["checksums"])
    (node,) = (n for n, name in enumerate(made.graph.operations) if name == "averaged")
    assert [made.graph.operations[i] for i in made.graph.inputs[node]] == ["update", "start"]


def test_who_waits_for_a_cell_that_nobody_fills_is_named(project):
    text = LATE.replace(
        "        while (yield Report(w)):", "        for _ in range(2):\n            yield Report(w)"
    )
    (project / "never.py").write_text(text)
    with pytest.raises(
        InputError, match=r"all nodes wait and no message is on its way: node 1 for 'cell c'$"
    ):
        run("file:never.py", {"filled": False}, updates=5, workers=2, machine=CALM)
