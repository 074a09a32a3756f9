"""Data that are divided among the workers: by class, or by a Dirichlet law."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from runs import COSTS, METHODS, machine, run
from values import eager_weights, weights_of

from rebuttal import methods
from rebuttal.base.errors import InputError, RunError
from rebuttal.core import division
from rebuttal.core.division import Division, Law
from rebuttal.core.timeline import Timeline
from rebuttal.core.verbs import Compute, Report
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.methods.bases import Peers
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.engine import EXACT, replay
from rebuttal.simulation.simulate import simulate
from rebuttal.workloads import check_data, load

LABELS = np.repeat(np.arange(10), [5, 40, 40, 40, 40, 40, 40, 40, 40, 55])
LAWS = [Law("by_class", parts=4), *(Law("dirichlet", alpha, 4) for alpha in (1e-6, 0.01, 0.5, 1e6))]
CALM = machine(NoStragglers())


def parts(law, seed=0, labels=LABELS):
    made = Division("drawn", labels, law)
    return [made.part(seed, worker) for worker in range(law.parts)]


# --- the laws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_each_sample_is_one_workers(law):
    found = parts(law)
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(len(LABELS)))
    assert all(np.array_equal(one, np.sort(one)) for one in found)
    assert all(np.array_equal(*pair) for pair in zip(found, parts(law), strict=True))


@pytest.mark.parametrize("workers", [1, 3, 10])
def test_by_class_a_class_is_one_workers_and_all_have_about_as_many(workers):
    found = [set(LABELS[part]) for part in parts(Law("by_class", parts=workers))]
    assert sum(map(len, found)) == 10
    assert {len(one) for one in found} <= {10 // workers, -(-10 // workers)}


def test_which_classes_a_worker_has_depends_on_the_seed():
    first = {tuple(set(LABELS[parts(Law("by_class", parts=5), seed)[0]])) for seed in range(8)}
    assert len(first) > 2


@pytest.mark.parametrize("workers", [1, 3, 7])
def test_by_a_dirichlet_law_all_have_equally_many_samples(workers):
    sizes = [len(part) for part in parts(Law("dirichlet", 0.1, workers))]
    assert max(sizes) - min(sizes) <= 1


def distance(alpha):
    """How far the first worker's classes are from those of all, in total variation: the mean over seeds."""
    labels = np.repeat(np.arange(5), 400)
    mixes = [
        np.bincount(labels[parts(Law("dirichlet", alpha, 4), s, labels)[0]], minlength=5) / 500
        for s in range(20)
    ]
    return np.mean([np.abs(mix - 0.2).sum() / 2 for mix in mixes])


def test_a_dirichlet_law_goes_from_the_mix_of_all_to_one_class_for_each():
    even, between, apart = distance(1e6), distance(1.0), distance(1e-3)
    assert even < 0.06  # 500 samples drawn from five classes: 0.036 on average
    assert even < between < apart
    assert apart == pytest.approx(0.6, abs=0.05)  # 400 of a class of its own, and 100 of another


def test_a_dirichlet_law_has_the_spread_of_its_distribution():
    """The share of a class is Beta(α/5, 4α/5) with variance 0.2 · 0.8 / (α + 1)."""
    labels = np.repeat(np.arange(5), 400)
    drawn = [Division("drawn", labels, Law("dirichlet", 4.0, 4)).part(seed, 0) for seed in range(200)]
    shares = [np.mean(labels[part] == 2) for part in drawn]
    assert np.mean(shares) == pytest.approx(0.2, abs=0.04)
    assert np.var(shares) == pytest.approx(0.16 / 5, rel=0.35)


def test_one_worker_reads_what_it_reads_of_undivided_data():
    for name in ("digits_mlp@by_class/1", "digits_mlp@dirichlet=0.1/1"):
        assert np.array_equal(load(name).batches(32, 3, 0, 9), load("digits_mlp").batches(32, 3, 0, 9))


def test_a_worker_reads_its_part_once_in_every_epoch():
    workload = load("digits_mlp@by_class/5")
    assert workload.division is not None
    part = workload.division.part(1, 2)
    rows = workload.batches(10, 1, 2, len(part)).ravel()
    assert np.array_equal(np.sort(rows.reshape(10, -1)), np.tile(part, (10, 1)))


# --- both clusters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", ["by_class", "dirichlet=0.1"])
def test_replays_equal_the_eager_run(law):
    timeline = run("local_sgd", {"H": 2}, workers=4, updates=4, machine=CALM, workload=f"digits_deep@{law}")
    assert timeline.about["workload"] == f"digits_deep@{law}/4"
    deep = load(f"digits_deep@{law}/4").double()
    expected = eager_weights("local_sgd", {"H": 2}, deep, 0.1, workers=4, updates=4, machine=CALM)
    assert torch.equal(weights_of(timeline, deep, 0.1, exact=True), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.1), expected, rtol=1e-9, atol=1e-12)
    shared = weights_of(timeline, load("digits_deep").double(), 0.1, exact=True)
    assert not torch.allclose(shared, expected, rtol=1e-3)


def test_replay_takes_the_division_from_the_timeline():
    timeline = run("all_reduce", workers=3, updates=2, machine=CALM, workload="digits_mlp@by_class")
    found = [
        replay(timeline, learning_rates=[0.1], points=3, workload=given, table=EXACT).training_loss.values
        for given in (None, load("digits_mlp"), load("digits_mlp@by_class/3"))
    ]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_real_processes_read_the_same_samples_and_are_verified(tmp_path):
    made = record(
        "local_sgd", options={"H": 2}, workload="digits_mlp@by_class", workers=4, updates=3, checksums_every=1
    )
    assert made.about["workload"] == "digits_mlp@by_class/4"
    made.save(tmp_path / "run.npz")
    assert verify(Timeline.load(tmp_path / "run.npz")) == 4
    virtual = run("local_sgd", {"H": 2}, workers=4, updates=3, machine=CALM, workload="digits_mlp@by_class")
    assert virtual.order.key == made.order.key
    with pytest.raises(RunError, match="the weights do not follow from the timeline: version 1"):
        verify(replace(made, about={**made.about, "workload": "digits_mlp"}))
    with pytest.raises(InputError, match=r"^workload: got .digits_mlp@by_class/3."):
        verify(replace(made, about={**made.about, "workload": "digits_mlp@by_class/3"}))


def test_who_computes_the_batches_of_all_workers_is_all_of_them():
    """Mini-batch SGD over K shards is synchronous SGD on K workers, whatever each of them reads."""
    name = "digits_mlp@dirichlet=0.1"
    runs = [
        run(method, options, workers=4, updates=3, machine=CALM, workload=name)
        for method, options in (("mini_batch", {"shards": 4}), ("all_reduce", {}))
    ]
    first, second = (
        replay(one, learning_rates=[0.1], points=4, table=EXACT).training_loss.values for one in runs
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize("label", METHODS)
def test_a_method_reads_as_many_shards_as_it_says(label):
    name, options = METHODS[label]
    law = division.parsed(run(name, options, updates=8, workload="digits_deep@by_class").about["workload"])[1]
    assert law is not None
    assert law.parts == methods.reads(methods.method(name, **options), 6)


@dataclass(frozen=True)
class Idle(Peers):
    """All nodes read the first shard, and it does not say so."""

    servers: ClassVar[int] = 0

    def train(self, task, nodes, k):
        w = task.start()
        while (yield Report(w, shared=True)):
            g = yield Compute(task.gradient, (w, (0, 0)))
            w = yield Compute(task.update, (w, g))


def test_data_that_nobody_reads_are_refused():
    with pytest.raises(InputError, match=r"^Idle.reads: got 3; allowed: .* which are \[0\]"):
        simulate(Idle(), workers=3, updates=6, machine=CALM, costs=COSTS, workload="digits_deep@by_class")


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("digits_mlp@byclass", "workload's division: got 'byclass'.*did you mean 'by_class'"),
        ("digits_mlp@dirichlet", "workload's division: got 'dirichlet'; allowed: .*ALPHA > 0"),
        ("digits_mlp@dirichlet=-1", "workload's division: dirichlet: got '-1'; allowed: a number > 0"),
        ("digits_mlp@dirichlet=0", "workload's division: dirichlet: got '0'; allowed: a number > 0"),
        ("digits_mlp@dirichlet=nan", "workload's division: dirichlet: got 'nan'; allowed: a number > 0"),
        ("digits_mlp@by_class=3", "workload's division: got 'by_class=3'"),
        ("digit_mlp@by_class", "workload: got 'digit_mlp'.*did you mean 'digits_mlp'"),
    ],
)
def test_a_name_of_no_division_is_refused(name, said):
    with pytest.raises(InputError, match=f"^{said}"):
        check_data(name, None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quadratic@by_class/2", "workload: got 'quadratic@by_class/2'.*quadratic has none"),
        ("digits_pixelcnn@dirichlet=1/2", "workload: got .*digits_pixelcnn has none"),
        ("digits_mlp@by_class/11", "workers: got 11; allowed: at most 10 .*the classes of digits_mlp"),
        ("digits_few@dirichlet=1/41", "workers: got 41; allowed: at most 40 .*the samples of digits_few"),
    ],
)
def test_data_that_cannot_be_divided_are_refused(name, said):
    with pytest.raises(InputError, match=f"^{said}"):
        load(name)


def test_real_processes_are_not_started_for_more_workers_than_classes():
    with pytest.raises(InputError, match=r"^workers: got 12; allowed: at most 10"):
        record("all_reduce", workload="digits_mlp@by_class", workers=12)


def test_a_number_of_workers_that_the_run_does_not_have_is_refused():
    with pytest.raises(InputError, match=r"^workload: got 'digits_mlp@by_class/3'; allowed: .*@by_class/4"):
        run("all_reduce", workers=4, updates=2, machine=CALM, workload="digits_mlp@by_class/3")


def test_batches_of_data_that_nobody_divided_yet_are_refused():
    with pytest.raises(InputError, match="with the number of workers"):
        load("digits_mlp@by_class").batches(32, 0, 0, 1)
    with pytest.raises(InputError, match=r"^shard: got 4; allowed: from 0 to 3"):
        load("digits_mlp@by_class/4").batches(32, 0, 4, 1)


def test_an_at_in_a_path_is_of_the_path():
    assert division.parsed("file:a@b/c.py") == ("file:a@b/c.py", None)
    assert division.parsed("images:vit:a@b@by_class/3") == ("images:vit:a@b", Law("by_class", parts=3))


def test_a_file_of_ones_own_is_divided_too(project):
    text = (Path(__file__).resolve().parents[1] / "docs" / "adding_a_workload.md").read_text()
    (project / "rings.py").write_text(text.split("```python\n")[1].split("```")[0])
    made = record("all_reduce", workload="file:rings.py@by_class", workers=2, updates=2)
    assert set(made.about["own_code"]) == {"file:rings.py"}
    assert verify(made, trust=[project / "rings.py"]) == len(made.about["checksums"])
