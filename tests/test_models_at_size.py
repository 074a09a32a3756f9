"""Full-size models on devices that are not here: the roofline, and what the virtual clock makes of it."""

import json
from dataclasses import asdict, replace

import pytest
from tiny_models import EQUAL, FLAT_ENDED, MODELS, row

from rebuttal.base.errors import InputError
from rebuttal.machines import MACHINES
from rebuttal.machines.full_size_costs import (
    BYTES,
    costs_on,
    layers_s,
    pass_s,
    read_models,
    scaled_costs,
    without_fully_connected,
)
from rebuttal.machines.hardware import Scaled
from rebuttal.machines.processors import P100, PROCESSORS

PLAIN = Scaled(1e12, 1e11, 0.5, 0.0, 0.0, "assumed: for this test")


def test_a_pass_is_limited_by_arithmetic_or_by_memory():
    assert pass_s(PLAIN, 8e9, 1e6) == 8e9 / 0.5e12
    assert pass_s(PLAIN, 8e3, 1e9) == 1e9 / 1e11
    balance = PLAIN.efficiency * PLAIN.flops_per_s / PLAIN.memory_bytes_per_s  # operations per byte
    assert pass_s(PLAIN, balance, 1.0) == pytest.approx(1 / PLAIN.memory_bytes_per_s)


def test_half_of_the_efficiency_is_reached_at_half_flops():
    device = replace(PLAIN, half_flops=16e9)
    for batch, share in ((16, 0.5), (48, 0.75), (10**6, 1.0)):
        reached = batch * 1e9 / pass_s(device, batch * 1e9, 0.0)
        assert reached == pytest.approx(share * device.efficiency * device.flops_per_s, rel=1e-4)


def test_every_layer_pays_its_launches():
    started = replace(PLAIN, launch_s=1e-3)
    forward_s, backward_s = layers_s(EQUAL, started, 4)
    free = layers_s(EQUAL, PLAIN, 4)
    assert sum(forward_s) - sum(free[0]) == pytest.approx(len(EQUAL) * 1e-3)
    assert sum(backward_s) == pytest.approx(2 * sum(forward_s))


@pytest.mark.parametrize("device", PROCESSORS)
@pytest.mark.parametrize("model", MODELS)
def test_throughput_grows_with_the_batch_and_never_passes_the_peak(device, model):
    layers, given = MODELS[model], PROCESSORS[device]
    costs = scaled_costs(layers, given, 1, model)
    rates = [batches / costs.gradient_s(batches) for batches in (1, 2, 4, 16, 64, 256, 1024)]
    assert rates == sorted(rates)
    operations = sum(layer.forward_flops + layer.backward_flops for layer in layers)
    assert rates[-1] * operations < given.efficiency * given.flops_per_s


def test_costs_are_those_of_the_layers_whatever_the_batch_is_called():
    one, eight = scaled_costs(FLAT_ENDED, P100, 1), scaled_costs(FLAT_ENDED, P100, 8)
    assert one.gradient_s(32) == pytest.approx(eight.gradient_s(4))
    assert one.parameters == sum(layer.parameters for layer in FLAT_ENDED)
    assert one.weight_bytes == BYTES * one.parameters == sum(one.layer_bytes)
    assert one.layer_outputs == tuple(layer.outputs for layer in FLAT_ENDED)
    assert one.layer_names[0] == "conv1"
    assert one.update_s > one.weight_bytes / P100.memory_bytes_per_s


def test_a_block_moves_what_it_keeps_and_launches_all_its_products():
    plain = replace(EQUAL[0], forward_flops=0, backward_flops=0, parameters=1)
    block = replace(plain, saved=3 * plain.outputs, products=10)
    device = replace(PLAIN, launch_s=1e-3)
    simple_s, block_s = (layers_s([layer], device, 100)[0][0] for layer in (plain, block))
    more_bytes = BYTES * 100 * (2 + 2) * plain.outputs  # two more values for each output: written, and read
    assert block_s - simple_s == pytest.approx(9e-3 + more_bytes / device.memory_bytes_per_s)


def test_models_are_read_from_a_catalogue(tmp_path):
    rows = [asdict(layer) | {"saved_bytes": 7} for layer in (*EQUAL, replace(EQUAL[0], auxiliary=True))]
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps({"equal": {"source": "made up", "layers": rows}}))
    assert read_models(path) == {"equal": EQUAL}
    assert len(read_models(path, auxiliary=True)["equal"]) == len(EQUAL) + 1


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"m": {"layers": []}}', '{"m": {"layers": [{"layer": "a"}]}}']
)
def test_a_broken_catalogue_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "catalogue.json"
    path.write_text(content)
    for given in (path, tmp_path / "missing.json"):
        with pytest.raises(InputError, match=given.name) as error:
            read_models(given)
        assert "\n" not in str(error.value)


def test_a_machine_s_own_device_is_used():
    on = costs_on(FLAT_ENDED, MACHINES["dgx1"], 32)
    assert on == scaled_costs(FLAT_ENDED, P100, 32)
    assert MACHINES["dgx1"].gradient_s(on, 1) == on.gradient_s(1)


def test_fully_connected_layers_are_most_of_the_bytes_and_little_of_the_time():
    kept = without_fully_connected(FLAT_ENDED)
    assert [layer.kind for layer in kept] == ["conv2d", "relu", "conv2d", "conv2d"]
    whole, rest = scaled_costs(FLAT_ENDED, P100, 128), scaled_costs(kept, P100, 128)
    assert rest.parameters < 0.05 * whole.parameters
    assert rest.gradient_s(1) > 0.6 * whole.gradient_s(1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: scaled_costs([], P100, 1),
        lambda: scaled_costs([row("relu", "relu", 0, 1, 1)], P100, 1),
        lambda: scaled_costs(EQUAL, P100, 0),
        lambda: costs_on(EQUAL, MACHINES["ethernet_10g"], 1),
        lambda: costs_on(EQUAL, MACHINES["paper_cluster"], 1),
    ],
)
def test_what_cannot_be_scaled_is_refused_in_one_line(make):
    with pytest.raises(InputError) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("stages", [1, 2, 5])
def test_what_stages_keep_for_their_backward_passes_adds_up_to_what_was_counted(stages):
    layers = [replace(layer, saved=number + 1) for number, layer in enumerate(EQUAL)]
    costs = scaled_costs(layers, P100, 4)
    assert sum(costs.stage_saved(l, stages) for l in range(stages)) == sum(layer.saved for layer in layers)
