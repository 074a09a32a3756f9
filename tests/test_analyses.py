"""Analyses without training: recursions against closed forms, the virtual cluster, and the bounds on every form."""

from dataclasses import replace

import device_costs
import numpy as np
import pytest
from tiny_models import EQUAL, FLAT_ENDED, MODELS, line_costs

from rebuttal.base.errors import InputError
from rebuttal.machines import MACHINES
from rebuttal.machines.collective_costs import Cost
from rebuttal.machines.full_size_costs import scaled_costs
from rebuttal.machines.processors import K40, P100
from rebuttal.methods import method
from rebuttal.studies.analyses import peak_search, ratios, scaling, speedups, step_recursions, throughput
from rebuttal.studies.analyses.memory import memory
from rebuttal.studies.analyses.step_recursions import (
    FORMS,
    Iteration,
    carried_s,
    delay_ceiling,
    overlap_ceiling,
)

MACHINE_NAMES = ("sandy_bridge_infiniband", "dgx1", "k40_datacenter", "h100_box")


@pytest.fixture
def ethernet():
    """Equal nodes on 10 Gb/s Ethernet, one GPU each."""
    return replace(MACHINES["ethernet_10g"], compute=P100, stragglers=MACHINES["ideal"].stragglers)


def equal_layers(count, r, latency_s=0.0):
    """An iteration of one second, a third of it forward, whose layers are equal; one message takes r seconds."""
    return Iteration(
        forward_s=(1 / 3 / count,) * count,
        backward_s=(2 / 3 / count,) * count,
        update_s=(0.0,) * count,
        layer_bytes=(1000,) * count,
        all_reduce=lambda size: Cost(latency_s, r * size / (1000 * count)),
        server=Cost(0.0, r),
        server_update_s=0.0,
    )


@pytest.mark.parametrize("r", [0.0, 0.1, 0.5, 2 / 3, 1.0, 2.0, 10.0])
def test_overlap_follows_the_closed_form_of_equal_layers(r):
    count = 40
    work = equal_layers(count, r)
    last_layer = (
        min(r, 2 / 3) / count
    )  # what cannot overlap: the first layer's message, or the last layer's pass
    expected = 1 / 3 + max(2 / 3, r) + last_layer
    assert step_recursions.layer_wise_overlapped(work) == pytest.approx(expected)
    assert step_recursions.layer_wise_asynchronous(work) == pytest.approx(expected)
    assert (
        step_recursions.all_reduce(work)
        == pytest.approx(1 + r)
        == pytest.approx(step_recursions.layer_wise(work))
    )
    assert step_recursions.delayed_all_reduce(work) == pytest.approx(max(1, r))


@pytest.mark.parametrize("r", np.geomspace(0.01, 100, 13))
@pytest.mark.parametrize("count", [1, 3, 57, 1000])
def test_no_form_without_staleness_beats_five_thirds_nor_a_delay_two(r, count):
    work = equal_layers(count, r)
    base = step_recursions.all_reduce(work)
    for form in ("layer_wise", "layer_wise_overlapped", "bucketed", "layer_wise_asynchronous"):
        assert base / FORMS[form](work) <= overlap_ceiling(r) + 1e-12 <= 5 / 3 + 2e-12
    assert base / step_recursions.delayed_all_reduce(work) <= delay_ceiling(r) + 1e-12 <= 2 + 2e-12


def test_the_ceilings_are_reached_where_theory_puts_them():
    assert overlap_ceiling(2 / 3) == pytest.approx(5 / 3)
    assert delay_ceiling(1.0) == 2.0
    fine = equal_layers(10_000, 2 / 3)
    assert step_recursions.all_reduce(fine) / step_recursions.layer_wise_overlapped(fine) == pytest.approx(
        5 / 3, rel=1e-3
    )


def test_latency_makes_layers_dear_and_buckets_cheap():
    work = equal_layers(57, 0.5, latency_s=0.05)
    assert (
        step_recursions.layer_wise(work)
        > step_recursions.layer_wise_overlapped(work)
        > step_recursions.all_reduce(work)
    )
    assert step_recursions.bucketed(work) < step_recursions.layer_wise_overlapped(work)
    assert step_recursions.layer_wise(work) - step_recursions.all_reduce(work) == pytest.approx(56 * 0.05)


def test_channels_overlap_latency_but_share_the_wire():
    begun = [(0.0, Cost(1.0, 0.25))] * 4
    assert carried_s(begun) == pytest.approx([1.25, 2.5, 3.75, 5.0])
    assert carried_s(begun, 4) == pytest.approx([1.25, 1.5, 1.75, 2.0])
    transfers = [(0.0, Cost(0.0, 1.0))] * 4
    assert carried_s(transfers, 4) == carried_s(transfers) == pytest.approx([1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nodes", [1, 2, 4])
def test_the_recursion_is_what_the_virtual_cluster_does(form, model, nodes, ethernet):
    costs = scaled_costs(MODELS[model], P100, 16, model)
    by_recursion = speedups.step_s(form, costs, ethernet, nodes)
    assert speedups.simulated_step_s(form, costs, ethernet, nodes) == pytest.approx(by_recursion, rel=1e-9)


def test_speedups_over_a_grid(ethernet):
    data = speedups.speedups(MODELS, [*MACHINE_NAMES, ethernet], nodes=(2, 8), batches=(8, 64))
    assert dict(data.sizes) == {"form": 8, "model": 2, "machine": 5, "nodes": 2, "batch": 2}
    assert (data.speedup.sel(form="all_reduce") == 1).all()
    assert (data.speedup.sel(form="layer_wise_overlapped") <= 5 / 3).all()
    assert (data.speedup.sel(form="delayed_all_reduce") <= 2).all()
    assert data.step_s.attrs["units"] == "s"
    assert "dgx1: scaled" in data.attrs["compute"]
    at = {"machine": "dgx1", "nodes": 8}
    expected = ratios.model_ratios(MODELS, ["dgx1"], nodes=(8,), batch=64).ratio.sel(at)
    np.testing.assert_allclose(data.ratio.sel(at | {"batch": 64}), expected)


def test_a_peak_is_the_best_place_of_the_grid_and_says_where_it_is():
    grid = {"nodes": (2, 8), "batches": (1, 8, 64)}
    found, whole = peak_search.peaks(MODELS, ["dgx1"], **grid), speedups.speedups(MODELS, ["dgx1"], **grid)
    for form in found.form.values:
        for model in MODELS:
            one = found.sel(form=form, model=model, machine="dgx1")
            at = {"model": model, "machine": "dgx1", "nodes": int(one.at_nodes), "batch": int(one.at_batch)}
            assert float(one.speedup) == float(whole.speedup.sel(form=form, model=model).max())
            assert float(one.speedup) == float(whole.speedup.sel({"form": form, **at}))
            assert float(one.ratio) == float(whole.ratio.sel(at))
    assert "all_reduce" not in found.form.values


def test_the_bounds_that_are_drawn_have_their_maxima_where_theory_puts_them():
    drawn = speedups.bounds()
    assert float(drawn.overlap_bound.max()) == pytest.approx(5 / 3)
    assert float(drawn.overlap_bound.idxmax()) == pytest.approx(speedups.OVERLAP_BEST)
    assert float(drawn.delay_bound.max()) == 2.0
    assert float(drawn.delay_bound.idxmax()) == 1.0


def test_simulated_speedups_are_those_of_the_recursion(ethernet):
    forms = ("layer_wise_overlapped", "bucketed")
    grid = {
        "models": {"equal": EQUAL[:6]},
        "machines": [ethernet],
        "nodes": (2, 3),
        "batches": (4,),
        "forms": forms,
    }
    simulated, computed = speedups.speedups(**grid, simulated=True), speedups.speedups(**grid)
    np.testing.assert_allclose(simulated.speedup, computed.speedup, rtol=1e-9)
    assert simulated.attrs["origin"] != computed.attrs["origin"]


def test_fully_connected_layers_drive_the_ratio():
    models = ratios.with_and_without(MODELS, "flat_ended")
    data = ratios.model_ratios(models, MACHINE_NAMES, nodes=(8, 32))
    whole, without = (data.sel(model=name) for name in ("flat_ended", "flat_ended_convolutions"))
    assert float(whole.fully_connected_share_of_bytes) > 0.95
    assert float(without.fully_connected_share_of_bytes) == 0.0
    assert (whole.ratio > 5 * without.ratio).all()
    assert (data.overlap_ceiling <= 5 / 3 + 1e-12).all()
    assert (data.delay_ceiling >= data.overlap_ceiling - 1e-12).all()
    slow = data.sel(machine="k40_datacenter", nodes=32)
    assert (slow.communication_s > data.sel(machine="h100_box", nodes=32).communication_s).all()


def test_layers_add_up_to_their_model():
    data = ratios.layer_ratios(MODELS, MACHINE_NAMES, nodes=(8,))
    assert data.sizes["layer"] == len(FLAT_ENDED) + len(EQUAL)
    flat = data.isel(layer=data.model.values == "flat_ended")
    assert flat.name.values.tolist() == [row.layer for row in FLAT_ENDED]
    models = ratios.model_ratios(MODELS, MACHINE_NAMES, nodes=(8,)).sel(model="flat_ended")
    np.testing.assert_allclose(flat.compute_s.sum("layer"), models.compute_s.isel(nodes=0))
    assert (flat.ratio.isel(layer=flat.kind.values == "relu") == 0).all()
    assert data.communication_s.attrs["units"] == "s"


def test_weak_and_strong_scaling_to_1024_nodes():
    data = scaling.scaling(MODELS, ("dgx1", "k40_datacenter"), batch=32, global_batch=256)
    assert data.nodes.values[-1] == 1024
    alone = data.sel(nodes=1, form="all_reduce")
    np.testing.assert_allclose(alone.efficiency, 1.0)
    assert (data.efficiency <= 1 + 1e-9).where(data.efficiency.notnull(), True).all()
    assert data.step_s.sel(scaling="strong", nodes=512).isnull().all()  # less than one sample on a node
    weak = data.sel(scaling="weak", form="all_reduce", machine="k40_datacenter")
    assert (weak.efficiency.diff("nodes") < 1e-12).all()
    at_32 = data.sel(nodes=32, form="all_reduce")
    assert (at_32.efficiency.sel(scaling="strong") < at_32.efficiency.sel(scaling="weak")).all()


@pytest.mark.parametrize("nodes", [2, 8])
def test_scaling_agrees_with_the_virtual_cluster(nodes, ethernet):
    computed = scaling.scaling({"equal": EQUAL}, [ethernet], (nodes,), 16, 16, ("all_reduce", "bucketed"))
    for kind, batch in (("weak", 16), ("strong", 16 // nodes)):
        costs = scaled_costs(EQUAL, P100, batch)
        for form in computed.form.values:
            simulated_s = speedups.simulated_step_s(str(form), costs, ethernet, nodes)
            at = computed.step_s.sel(scaling=kind, form=form).item()
            assert at == pytest.approx(simulated_s, rel=1e-9)


def test_high_latency_and_small_batches_favour_few_messages(ethernet):
    data = scaling.batch_latency_map({"equal": EQUAL}, [ethernet], nodes=8).squeeze(["model", "machine"])
    by_layer = data.speedup.sel(form="layer_wise")
    assert (by_layer <= 1).all()
    assert (by_layer.diff("latency_s") <= 1e-12).all()
    overlapped = data.speedup.sel(form="layer_wise_overlapped")
    assert (
        float(overlapped.sel(latency_s=1e-2, batch=1)) < 1 < float(overlapped.sel(latency_s=1e-6, batch=128))
    )
    assert set(np.unique(data.fastest)) <= set(FORMS)
    np.testing.assert_allclose(data.step_s.min("form"), data.step_s.sel(form=data.fastest))


@pytest.fixture(scope="module")
def held():
    """Memory of three methods on four nodes."""
    chosen = {
        "all_reduce": method("all_reduce"),
        "gpipe": method("gpipe", m=4),
        "delayed": method("delayed", k=3),
    }
    keeping = {
        name: [replace(layer, saved=layer.outputs) for layer in layers] for name, layers in MODELS.items()
    }
    return memory(keeping, chosen, "h100_box", workers=4, batch=8)


@pytest.mark.parametrize("model", MODELS)
def test_memory_of_all_reduce_is_what_it_must_hold(held, model):
    weights = 4 * sum(layer.parameters for layer in MODELS[model])
    saved = 4 * 8 * sum(layer.outputs for layer in MODELS[model])
    node = held.sel({"method": "all_reduce", "model": model})
    expected = {
        "weights": weights,
        "optimiser": weights,
        "gradients": weights,
        "activations": saved,
        "buffers": 0,
    }
    assert dict(zip(node.kind.values, node.peak_bytes.values, strict=True)) == pytest.approx(expected)
    assert max(expected.values()) < float(node.total_peak_bytes) <= sum(expected.values())
    assert held.peak_bytes.attrs["units"] == "B"


def test_a_pipeline_spreads_weights_and_a_delay_keeps_versions(held):
    whole, piped, late = (
        held.sel({"method": name, "model": "equal"}) for name in ("all_reduce", "gpipe", "delayed")
    )
    assert float(piped.peak_bytes.sel(kind="weights")) == pytest.approx(
        float(whole.peak_bytes.sel(kind="weights")) / 4
    )
    assert float(late.live_versions) == 4 == 1 + 3
    assert float(late.peak_bytes.sel(kind="weights")) == pytest.approx(
        4 * float(whole.peak_bytes.sel(kind="weights"))
    )
    assert (held.total_peak_bytes <= held.peak_bytes.sum("kind")).all()


def test_throughput_finds_the_batch_of_half_of_the_speed():
    data = throughput.throughput(
        {"a": line_costs(8e-3, 1e-3, (1, 8, 64)), "b": line_costs(0.0, 1e-3, (8, 32))}
    )
    assert data.samples.values.tolist() == [1, 8, 32, 64]
    assert float(data.half_batch.sel(workload="a")) == pytest.approx(8.0)
    assert float(data.half_batch.sel(workload="b")) == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(data.samples_per_s.sel(workload="b", samples=1))
    assert float(data.samples_per_s.sel(workload="a", samples=8)) == pytest.approx(500.0)
    assert float(data.relative.max()) == 1.0
    assert data.attrs["clock"] == "measured"
    assert np.isnan(throughput.throughput({"c": line_costs(1.0, 1.0, (4,))}).half_batch)


def test_throughput_of_a_device_has_the_samples_asked_for_that_were_measured(tmp_path):
    path = device_costs.write_file(tmp_path / "slow.json", ["quadratic", "hinge"], name="slow")
    data = throughput.measured_throughput(path, ["hinge"], [1, 3, 4, 4096])
    assert (data.attrs["device"], data.attrs["costs"]) == ("synthetic device", "slow")
    assert (data.workload.values.tolist(), data.samples.values.tolist()) == (["hinge"], [1, 4])
    layer_s = 3 * (device_costs.FIXED_S + np.array([1, 4]) * device_costs.SAMPLE_S)
    assert data.gradient_s.values.tolist() == [pytest.approx(layer_s)]
    assert float(data.half_batch.item()) == pytest.approx(device_costs.FIXED_S / device_costs.SAMPLE_S)


@pytest.mark.parametrize(
    ("name", "workload", "samples", "said"),
    [
        ("missing", "hinge", [1], r"got no file .*missing\.json; allowed: one of slow"),
        ("slow", "max_abs", [1], "got workload 'max_abs'; allowed: one that "),
        ("slow", "hinge", [3], r"^samples: got \[3\]; allowed: 1, 2, 4, 8"),
    ],
)
def test_a_throughput_that_was_not_measured_is_refused(tmp_path, name, workload, samples, said):
    device_costs.write_file(tmp_path / "slow.json", ["hinge"])
    with pytest.raises(InputError, match=said):
        throughput.measured_throughput(tmp_path / f"{name}.json", [workload], samples)


def test_scaled_devices_have_the_throughput_that_they_state():
    free = replace(K40, launch_s=0.0, memory_bytes_per_s=1e18)
    data = throughput.throughput({"equal": scaled_costs(EQUAL, free, 1)})
    whole = EQUAL[0].forward_flops + EQUAL[0].backward_flops  # in one product forward and two backward
    assert float(data.half_batch.item()) == pytest.approx(3 * K40.half_flops / whole)


@pytest.mark.parametrize(
    "make",
    [
        lambda: speedups.speedups({}, ["dgx1"]),
        lambda: speedups.speedups(MODELS, ["dgx-1"]),
        lambda: speedups.speedups(MODELS, ["dgx1", "dgx1"]),
        lambda: speedups.speedups(MODELS, ["dgx1"], nodes=(0,)),
        lambda: speedups.speedups(MODELS, ["dgx1"], batches=()),
        lambda: speedups.speedups(MODELS, ["dgx1"], forms=("bucketted",)),
        lambda: scaling.batch_latency_map(MODELS, ["dgx1"], latencies_s=(-1.0,)),
        lambda: throughput.throughput({}),
        lambda: memory(MODELS, {}, "dgx1", 4, 8),
        lambda: memory(MODELS, {"all_reduce": method("all_reduce")}, "dgx1", 0, 8),
        lambda: ratios.model_ratios(MODELS, ["ethernet_10g"]),
    ],
)
def test_impossible_grids_are_refused_in_one_line(make):
    with pytest.raises(InputError) as error:
        make()
    assert "\n" not in str(error.value)
