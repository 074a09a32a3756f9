"""What the Python functions are given is checked as the parameter files are: in one line, at once, before any work."""

import math
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

import rebuttal
from rebuttal import workloads
from rebuttal.base import arguments
from rebuttal.base.errors import InputError
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD
from rebuttal.replaying.executor_table import Table
from rebuttal.studies.runs.watching import watch

HUGE, NAN, INF = 10**9, math.nan, math.inf
ANY: Any = None
LOOP = Table({1: {"loop": {1: 1.0}}})


@pytest.fixture(scope="module")
def run():
    assert all(getattr(rebuttal, name) for name in rebuttal.WHERE)  # imports are no part of a refusal
    return rebuttal.simulate("asynchronous", workers=2, updates=6)


@pytest.fixture(scope="module")
def curves(run):
    return rebuttal.replay(run, learning_rates=[0.1, 0.2], points=3, table=LOOP)


def simulated(**given: Any) -> Any:
    return lambda _: rebuttal.simulate(given.pop("method", "backup_workers"), **given)


def recorded(**given: Any) -> Any:
    return lambda _: rebuttal.record(given.pop("method", "asynchronous"), **given)


def predicted(**given: Any) -> Any:
    return lambda _: rebuttal.what_if(given.pop("method", "all_reduce"), **given)


def replayed(**given: Any) -> Any:
    return lambda at: rebuttal.replay(
        given.pop("timelines", at.run), **({"learning_rates": [0.1], "table": LOOP} | given)
    )


def read(function: Any, *given: Any) -> Any:
    return lambda _: function(*given)


REFUSED = {
    "workers": [simulated(workers=one) for one in (HUGE, 0, -1, 2.0, "8", None, True, NAN, np.float64(4))]
    + [recorded(workers=one) for one in (HUGE, 0, 1.5, "2", True)]
    + [predicted(workers=one) for one in (HUGE, 0, 2.5, "4")],
    "updates": [simulated(updates=one) for one in (HUGE, 0, 1e3, "9", True)]
    + [recorded(updates=one) for one in (HUGE, 0, 2.0)],
    "batches": [simulated(batches=one) for one in (HUGE, 0, 0.5)],
    "budget": [simulated(updates=3, batches=3)],
    "batch": [simulated(batch=one) for one in (HUGE, 0, 1.5)] + [recorded(batch=HUGE), predicted(batch=HUGE)],
    "seed": [simulated(seed=one) for one in (-1, 2**32, 0.5, "0", None)] + [recorded(seed=-1)],
    "machine": [simulated(machine=one) for one in (None, 3, ["ideal"], "paper_clutser")],
    "workload": [simulated(workload=one) for one in (None, 3, "")]
    + [recorded(workload=one) for one in (None, ["digits_mlp"], "digit_mlp")]
    + [replayed(workload="digits_mlp"), read(workloads.load, 3), read(workloads.load, "digitz_mlp")],
    "method": [simulated(method=one) for one in (None, 3, "backup_worker", SGD, ["synchronous"])]
    + [recorded(method=None), predicted(method=3)],
    "options": [simulated(options=one) for one in ("b=2", ["b"], {1: 2})] + [predicted(options=3)],
    "backup_workers option b": [simulated(options={"b": one}) for one in (10**18, 1.0, "1", NAN, True, None)]
    + [predicted(method="backup_workers", options={"b": 0.5})],
    "b": [simulated(options={"b": -1}), simulated(options={"b": 99}, workers=4)],
    "synthetic_gradients option rate": [
        simulated(method="synthetic_gradients", options={"rate": one}) for one in ("1e-3", NAN, None)
    ],
    "learning_rate": [recorded(learning_rate=one) for one in (0, -1, NAN, INF, HUGE, "0.1", None)],
    "learning_rates": [replayed(learning_rates=[one]) for one in (0, -0.1, NAN, INF, "0.1", None, True)]
    + [
        replayed(learning_rates=one)
        for one in (0.1, [], None, "0.1", {0.1: 1}, [0.1, 0.1], [0.1, np.float64(0.1)], np.eye(2))
    ],
    "points": [replayed(points=one) for one in (0, HUGE, 2.5, "3", None)],
    "exact": [replayed(exact=one) for one in (1, "yes", None)],
    "rule": [replayed(rule=one) for one in ("sgd", None, SGD)] + [recorded(rule="sgd"), recorded(rule=SGD)],
    "timelines": [replayed(timelines=one) for one in (None, [], "run.npz", 3, [3])],
    "timelines' seeds": [
        lambda at: rebuttal.replay([at.run, at.run], learning_rates=[0.1]),
    ],
    "timelines' method": [
        lambda at: rebuttal.replay(
            [at.run, rebuttal.simulate("downpour", workers=2, updates=6, seed=1)], learning_rates=[0.1]
        ),
    ],
    "timelines' options": [
        lambda _: rebuttal.replay(
            [
                rebuttal.simulate("backup_workers", options={"b": b}, workers=3, updates=6, seed=b)
                for b in (0, 1)
            ],
            learning_rates=[0.1],
        ),
    ],
    "timelines' workers": [
        lambda at: rebuttal.replay(
            [at.run, rebuttal.simulate("asynchronous", workers=3, updates=6, seed=1)], learning_rates=[0.1]
        ),
    ],
    "stragglers": [predicted(stragglers=one) for one in (None, "lognormall")] + [recorded(stragglers=3)],
    "pace_s": [recorded(pace_s=one) for one in (-1, NAN, INF, HUGE, "1")],
    "patience_s": [recorded(patience_s=one) for one in (0, -1, NAN, INF, "60")],
    "checksums_every": [recorded(checksums_every=one) for one in (0, 1.5, 10**10)],
    "lock_free": [recorded(lock_free=one) for one in (1, "no")],
    "cores": [recorded(cores=one) for one in (3, "0", [0.5])],
    "bandwidth_gbit_s": [predicted(bandwidth_gbit_s=one) for one in (0, -1, NAN, "10", None, True)],
    "latency_us": [predicted(latency_us=one) for one in (-1, NAN, INF, "30")],
    "depth": [predicted(depth=one) for one in (0, HUGE, 2.0)],
    "paper": [read(rebuttal.review, one) for one in (None, 3, "backup-worker")],
    "device": [predicted(device=one) for one in (None, "p1000", 3)],
    "what_if": [predicted(worker=3)],
    "timeline": [
        read(function, one)
        for function in (
            rebuttal.summary,
            rebuttal.gradients,
            rebuttal.progress,
            rebuttal.utilisation,
            rebuttal.gantt,
            rebuttal.verify,
        )
        for one in (None, "run.npz")
    ],
    "until_s": [lambda at: rebuttal.gantt(at.run, NAN), lambda at: rebuttal.gantt(at.run, "1")],
    "path": [
        lambda at: at.run.save(ANY),
        lambda at: at.run.save(3),
        read(Timeline.load, 3),
        lambda at: rebuttal.write_trace(at.run, ANY),
        read(Timeline.load, ""),
    ],
    "data_root": [
        replayed(data_root=3),
        recorded(data_root=3),
        recorded(data_root=""),
        lambda at: rebuttal.verify(at.run, 3),
    ],
    "trust": [lambda at: rebuttal.verify(at.run, trust=[ANY])],
    "study": [
        read(function, one)
        for function in (rebuttal.study, rebuttal.load_curves, rebuttal.load_tuning, rebuttal.load_summaries)
        for one in (None, 3, "backup-worker")
    ],
    "analysis": [read(rebuttal.load_analysis, one) for one in (None, 3, ["ratios"], "ratio")],
    "replays": [read(rebuttal.side_by_side, one) for one in (None, {}, [1])]
    + [lambda at: rebuttal.side_by_side({1: at.curves, 2: at.curves})],
    "replay 'a'": [read(rebuttal.side_by_side, {"a": one}) for one in (3, xr.Dataset())],
    "chart": [read(rebuttal.chart), read(rebuttal.chart, 3), read(rebuttal.chart, xr.Dataset())],
    "figure": [
        lambda at: rebuttal.chart(at.run, figure="one_timelin"),
        lambda at: rebuttal.chart(at.run, figure=ANY or 3),
    ],
    "definitions": [lambda at: rebuttal.chart(at.curves, definitions=["a"])],
    "every_s": [read(watch, one) for one in (0, -1, NAN, "2", HUGE)],
    "for_s": [read(watch, 1.0, one) for one in (0, NAN, "9")],
}
CASES = [(key, number) for key, cases in REFUSED.items() for number in range(len(cases))]


@pytest.mark.parametrize(("key", "number"), CASES)
def test_what_cannot_be_is_refused_in_one_line_and_at_once(key, number, run, curves):
    at = SimpleNamespace(run=run, curves=curves)
    began_s = time.process_time()
    with pytest.raises(InputError) as caught:
        REFUSED[key][number](at)
    line = str(caught.value)
    assert line.startswith(f"{key}: got ")
    assert "; allowed: " in line
    assert "\n" not in line
    assert time.process_time() - began_s < 1


def test_there_are_many():
    assert len(CASES) >= 150


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (simulated(method="backup_worker"), "backup_workers"),
        (simulated(machine="paper_clutser"), "paper_cluster"),
        (predicted(device="p1000"), "p100"),
        (predicted(worker=3), "workers"),
        (read(rebuttal.load_analysis, "layer_ratio"), "layer_ratios"),
        (read(rebuttal.study, "backup-worker"), "backup-workers"),
        (read(workloads.load, "digitz_mlp"), "digits_mlp"),
    ],
)
def test_the_nearest_name_is_told(call, nearest):
    with pytest.raises(InputError, match=f"did you mean {nearest!r}"):
        call(None)


NUMPY = {"workers": np.int32(2), "updates": np.int64(6), "seed": np.uint8(0), "batch": np.int16(32)}


def test_numbers_of_numpy_s_types_are_numbers(run, curves, tmp_path):
    made = rebuttal.simulate("asynchronous", **NUMPY)
    assert made.order.key == run.order.key
    assert {type(made.about[key]) for key in ("workers", "seed", "batch")} == {int}
    made.save(str(tmp_path / "run.npz"))
    assert Timeline.load(str(tmp_path / "run.npz")).about == dict(run.about)
    again = rebuttal.replay(made, learning_rates=np.array([0.1, 0.2]), points=np.int8(3), table=LOOP)
    xr.testing.assert_identical(again, curves)
    given = {"workers": np.int32(4), "batch": np.int32(8), "depth": np.int8(4), "latency_us": np.float32(30)}
    assert rebuttal.what_if(**given).setting == rebuttal.what_if(workers=4, batch=8, depth=4).setting
    made: Any = rebuttal.method("backup_workers", b=np.int64(2))
    assert type(made.b) is int


def test_what_a_session_has_set_in_torch_plays_no_part_and_stays(run, curves):
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    torch.set_float32_matmul_precision("medium")
    try:
        found = rebuttal.replay(run, learning_rates=[0.1, 0.2], points=3, table=LOOP)
        start = workloads.load("digits_mlp").start(0)
        assert torch.get_default_dtype() == torch.float64
        assert not torch.is_grad_enabled()
        assert torch.get_num_threads() == 2
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")
    xr.testing.assert_identical(found, curves)
    assert torch.equal(start, workloads.load("digits_mlp").start(0))


@pytest.mark.parametrize("given", [7, np.int8(7), np.uint64(7), np.array(7)])
def test_whole_numbers(given):
    found = arguments.whole("n", given)
    assert (found, type(found)) == (7, int)


def test_paths():
    assert arguments.path("path", "a") == arguments.path("path", Path("a")) == Path("a")
