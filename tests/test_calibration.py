"""The virtual clock against the real one: probes give back what a machine costs, and runs are priced by it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rebuttal.base.errors import InputError
from rebuttal.core import results
from rebuttal.figures import calibration_error
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.methods import METHODS, method
from rebuttal.studies.calibration import both_clocks, campaign, probes
from rebuttal.studies.calibration.grid import GRIDS, WORKLOADS, CalibrationGrid, cases, grid_on
from rebuttal.studies.calibration.host import WHOLE, Host, Line, measure, read
from rebuttal.studies.calibration.spans import by_node
from rebuttal.workloads import load
from rebuttal.workloads.stage_shape import Shape

ROUNDS, LAYERS = 12, 4
SHAPE = Shape("made up", (100,) * LAYERS, (10,) * LAYERS, 10)
LINES = {"sending": Line(0.01, 1e-5), "hop": Line(0.03, 4e-5), "exchange": Line(0.2, 2e-4), "reducing": Line(0.0, 0.0),
         "reading": Line(0.02, 1e-5), "writing": Line(0.03, 2e-5)}  # fmt: skip
ALONE = {
    "exclusive": True,
    "processes": 4,
    "cores": 3,
    "others_cores": 0.1,
    "attempt": 1,
    "stood_still_s": 0.0,
}
FREE = dict.fromkeys(LINES, Line(0.0, 0.0))


def host(nodes=2, operation_s=None, request_s=0.001, lines=LINES):
    """A host whose every figure is known: a gradient takes a second, any other operation a tenth, unless told."""
    stages = [(l, n) for n in (2, LAYERS) for l in range(n)]
    passes = {(name, l, n): 0.1 for name in ("forward", "backward") for l, n in stages}
    known = passes | {WHOLE: 1.0, ("update", 0, 1): 0.1, ("mean", 0, 1): 0.0} | (operation_s or {})
    return Host(nodes, "made up", 32, SHAPE, (), known, request_s, 0.007, **lines)


def update_s(name, made, workers=2, **options):
    return both_clocks.predicted(name, options, workers, made, updates=20)


def virtual_probes(made):
    """Runs a probe on the virtual machine that a host is."""

    def probing(program, *, workers, updates, **given):
        chosen = method(program) if isinstance(program, str) else program
        return both_clocks.simulated(chosen, workers, made, updates, **given)

    return probing


@pytest.mark.parametrize("nodes", [2, 4])
def test_probes_on_a_machine_of_known_costs_give_these_costs_back(nodes):
    made = host(nodes)
    found = read(virtual_probes(made), nodes, "made up", 32, SHAPE, ROUNDS)
    assert found.request_s == pytest.approx(made.request_s)
    assert found.oversleep_s == pytest.approx(made.oversleep_s)
    assert found.operation_s[WHOLE] == pytest.approx(1.0)
    assert found.operation_s["forward", 1, 2] == pytest.approx(0.1)
    for name in ("sending", "hop", "exchange", "reading", "writing"):
        line, expected = getattr(found, name), getattr(made, name)
        assert (line.fixed_s, line.byte_s) == pytest.approx((expected.fixed_s, expected.byte_s)), name


def test_an_update_of_all_reduce_is_the_sum_of_what_it_consists_of():
    made, size = host(lines=LINES | {"reducing": Line(0.05, 0.0)}), 4 * 100 * LAYERS
    expected = 1.0 + made.exchange(size) + 0.1 + 4 * made.request_s  # gradient, all-reduce, update, report
    assert update_s("all_reduce", made) == pytest.approx(expected)


def test_an_update_of_one_worker_and_a_server_is_the_sum_of_what_it_consists_of():
    made, size = host(), 4 * 100 * LAYERS
    expected = 1.0 + 0.1 + 2 * made.hop(size)
    assert update_s("synchronous", made, workers=1) == pytest.approx(expected, abs=20 * made.request_s)


def test_what_a_program_computes_by_the_way_holds_its_node():
    cheap, dear = (host(operation_s={("loss", 1, 2): seconds}) for seconds in (0.0, 0.5))
    assert update_s("model_parallel", dear) - update_s("model_parallel", cheap) == pytest.approx(0.5)


def test_without_overheads_methods_cost_what_their_computations_do():
    free = host(request_s=0.0, lines=FREE)
    assert update_s("all_reduce", free) == pytest.approx(1.1)
    assert update_s("mini_batch", free, workers=1) == pytest.approx(1.1)
    assert update_s("hogwild", free) < update_s("hogwild", host())


def test_injected_stragglers_are_those_of_the_processes():
    made, pace_s, updates = host(request_s=0.0, lines=FREE), 3.0, 30
    found = both_clocks.predicted(
        "mini_batch", {}, 1, made, updates, seed=5, stragglers="lognormal", pace_s=pace_s
    )
    drawn = STRAGGLERS["lognormal"].slowdowns(5, 0, updates)[both_clocks.WARM_UP :]
    assert found == pytest.approx((pace_s + made.oversleep_s) * drawn.mean() + 0.1)


def test_lines_go_through_two_points_and_never_below_nothing():
    line = Line.through((10, 1.0), (110, 2.0))
    assert (line(10), line(110)) == pytest.approx((1.0, 2.0))
    assert Line.through((10, 2.0), (110, 1.0)) == Line(2.0, 0.0)
    assert Line.through((100, 0.1), (200, 2.0)).fixed_s == 0.0
    assert LINES["sending"].less(LINES["hop"]) == Line(0.0, 0.0)


def test_every_method_is_a_case_of_the_full_grid_where_it_can_run():
    for nodes in GRIDS["full"].nodes:
        found = {case.name: case for case in cases(GRIDS["full"], nodes)}
        alone = {name for name in METHODS if method(name).nodes(5) == 1}
        assert set(found) == (set(METHODS) if nodes == min(GRIDS["full"].nodes) else set(METHODS) - alone)
        for case in found.values():
            assert method(case.name, **case.options).nodes(case.workers) == case.nodes
        assert found["backup_workers"].options == {"b": min(1, nodes - 2)}


# --- on real processes ------------------------------------------------------------------------------------------


def test_probes_find_every_cost_in_real_processes():
    shape = load(WORKLOADS["small"]).shape
    found = measure(2, WORKLOADS["small"], 32, shape, rounds=6)
    costs = campaign.figures(found)
    assert all(math.isfinite(seconds) and seconds >= 0 for seconds in costs.values())
    assert min(costs["gradient"], costs["request"], costs["reducing"]) > 0
    whole = sum(
        costs[f"{name} of layer {l}"] for name in ("forward", "backward") for l in range(shape.layers)
    )
    assert whole > costs["gradient"] / 4
    for n in (2, shape.layers):
        for name in ("forward", "backward", "weight_gradient", "local_delta", "perturbed_part"):
            assert {found.operation_s[name, l, n] > 0 for l in range(n)} == {True}
    tiny, large = (replace(found, hop=Line(seconds, 0.0)) for seconds in (0.0, 1.0))
    assert update_s("synchronous", large, workers=1) > 1.9 + update_s("synchronous", tiny, workers=1)


def test_a_calibration_has_every_run_on_both_clocks_and_says_where(tmp_path):
    given = CalibrationGrid(("all_reduce", "backup_workers", "model_parallel"), (2,), 1, 8, 6, ("ddp",))
    made = campaign.calibrate(given).assign_attrs(profile="ci")
    results.save(made, tmp_path / "calibration.nc")
    found = results.load_calibration(tmp_path)
    assert dict(found.measured_s.sizes) == {
        "method": 4,
        "nodes": 1,
        "workload": 2,
        "stragglers": 2,
        "repetition": 1,
    }
    ours = found.drop_sel({"method": "ddp"})
    for seconds in (ours.measured_s, ours.predicted_s):
        assert bool((seconds.sel(stragglers="none") > 0).all())
        assert bool((seconds.sel(stragglers="lognormal", workload="small") > campaign.PACE_S / 2).all())
        assert bool(seconds.sel(stragglers="lognormal", workload="large").isnull().all())
    theirs = found.sel({"method": "ddp", "stragglers": "none"})
    assert bool((theirs.measured_s > 0).all())
    assert bool(theirs.predicted_s.isnull().all())
    assert theirs.counterpart.item() == "bucketed"
    assert found.attrs["threads"] == 1
    assert {"device", "cores", "load_before", "supports_timing", "versions"} <= set(found.attrs)


def test_a_busy_or_small_machine_supports_no_claim(monkeypatch):
    given = CalibrationGrid((), (2, 4), 1, 8, 6, ())
    monkeypatch.setattr(campaign, "cores", lambda: [0, 1, 2])
    assert campaign.about(given, 0.5, ALONE)["supports_timing"] == "[2]"
    assert campaign.about(given, 0.5, ALONE)["more_processes_than_cores"] == "[4]"
    for lost in ({"exclusive": False}, {"stood_still_s": 9.0}, {"others_cores": 1.5}, {"attempt": 2}):
        assert campaign.about(given, 0.5, ALONE | lost)["supports_timing"] == "[]"


def test_what_ran_before_takes_no_right_away(monkeypatch):
    """In the pipeline other stages have just kept all cores busy, and the load average remembers that."""
    given = CalibrationGrid((), (2,), 1, 8, 6, ())
    monkeypatch.setattr(campaign.os, "getloadavg", lambda: (2.5, 2.0, 1.0))
    assert campaign.about(given, 2.0, ALONE)["supports_timing"] == "[2]"


def test_more_processes_than_cores_are_stated_and_support_no_claim(monkeypatch):
    given = replace(
        grid_on("ci", (4,)), methods=("all_reduce",), shipped=(), repetitions=1, updates=8, rounds=6
    )
    monkeypatch.setattr(campaign, "cores", lambda: [0, 1])
    monkeypatch.setattr(campaign, "quiet_cores", lambda: ())
    made = campaign.calibrate(given)
    assert made.attrs["more_processes_than_cores"] == "[4]"
    assert made.attrs["supports_timing"] == "[]"
    said = calibration_error.finding(made)
    assert "Seconds of 4 processes support no claim about time: the machine has 2 cores" in said
    assert "4 processes are more processes than cores" in said
    assert bool((made.measured_s.sel(nodes=4, stragglers="none") > 0).all())


@pytest.mark.parametrize("nodes", [(1,), (0, 2), (2, 2)])
def test_impossible_numbers_of_processes_are_refused(nodes):
    with pytest.raises(InputError, match=r"^nodes: got \[.*\]; allowed: different whole numbers >= 2$"):
        grid_on("ci", nodes)


def test_probes_change_no_weights():
    made = host()
    for probe in (probes.Operations(), probes.Relay(), probes.Exchange(), probes.Memory()):
        timeline = both_clocks.simulated(probe, 2, made, ROUNDS)
        assert len(np.unique(timeline.updates["value"])) == 1
        assert all(len(rows) >= ROUNDS for rows in by_node(timeline))
