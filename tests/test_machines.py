"""Machine presets: every figure has a source, and costs come from where the machine says."""

from dataclasses import dataclass, replace

import pytest

from rebuttal.base.errors import InputError
from rebuttal.machines import MACHINES, TAGS, Link, Machine, Measured, Scaled, machine
from rebuttal.machines.collective_costs import COLLECTIVES, hierarchical, ring
from rebuttal.machines.stragglers import STRAGGLERS


@dataclass(frozen=True)
class Costs:
    weight_bytes: int = 1000
    update_s: float = 0.5

    def gradient_s(self, batches: int) -> float:
        return 1.0 + batches


@dataclass(frozen=True)
class ScaledCosts(Costs):
    device: object = None


def costs_for(preset):
    return ScaledCosts(device=preset.compute) if isinstance(preset.compute, Scaled) else Costs()


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_every_figure_has_a_tagged_source(name):
    preset = MACHINES[name]
    sources = preset.sources()
    assert preset.name == name
    assert {"worker_link.latency_s", "shard_link.bandwidth_bytes_per_s", "compute", "stragglers"} <= set(
        sources
    )
    for figure, source in sources.items():
        tag, _, text = source.partition(": ")
        assert tag in TAGS, figure
        assert len(text) > 10, figure
    assert preset.description
    assert preset.assumptions


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_presets_are_physical(name):
    preset = MACHINES[name]
    for link in (preset.worker_link, preset.server_link):
        assert 0 <= link.latency_s < 1e-3
        assert link.bandwidth_bytes_per_s >= 1e8
    assert preset.gradient_s(costs_for(preset), 1) > 0
    assert preset.message_bytes(costs_for(preset)) > 0


def test_measured_machines_take_this_devices_costs():
    here = MACHINES["ethernet_10g"]
    assert here.clock_is == "measured"
    assert here.gradient_s(Costs(), 3) == 4.0
    assert here.update_s(Costs()) == 0.5
    assert here.message_bytes(Costs()) == 1000


def test_the_papers_cluster_takes_its_stated_costs_whatever_is_trained():
    paper = MACHINES["paper_cluster"]
    assert paper.clock_is == "stated"
    one, sixteen = (paper.gradient_s(Costs(), batches) for batches in (1, 16))
    assert sixteen == 16 * one  # a device that was full with one batch takes them in turn
    assert 1.4 < one < 1.8
    assert paper.message_bytes(Costs()) > 1000
    assert paper.server_link.bandwidth_bytes_per_s == 19 * paper.worker_link.bandwidth_bytes_per_s
    assert any("10 in its appendix" in text for text in paper.assumptions)


def test_shards_share_the_servers_update():
    link = Link(0.0, 1e9, "assumed: for this test")
    sharded = Machine("m", "d", link, link, 4, STRAGGLERS["none"], "assumed: none", Measured())
    assert sharded.update_s(Costs()) == 0.5 / 4


def test_a_worker_updates_without_the_server_s_shards():
    link = Link(0.0, 1e9, "assumed: for this test")
    sharded = Machine("m", "d", link, link, 4, STRAGGLERS["none"], "assumed: none", Measured())
    assert sharded.update_s(Costs(), at_server=False) == 0.5
    paper = MACHINES["paper_cluster"]
    assert paper.update_s(None, at_server=False) == pytest.approx(19 * paper.update_s(None))


@pytest.mark.parametrize(
    "name", sorted(name for name in MACHINES if isinstance(MACHINES[name].compute, Scaled))
)
def test_scaled_machines_need_the_costs_of_a_model(name):
    preset = MACHINES[name]
    assert preset.clock_is == "scaled"
    for wrong in (None, Costs(), ScaledCosts(device=replace(preset.compute, source="assumed: another"))):
        with pytest.raises(InputError, match="scaled_costs"):
            preset.gradient_s(wrong, 1)
    with pytest.raises(InputError, match="reference/devices"):
        MACHINES["ethernet_10g"].gradient_s(ScaledCosts(device=preset.compute), 1)
    assert preset.gradient_s(ScaledCosts(device=preset.compute), 3) == 4.0
    assert {"compute.flops_per_s", "compute.efficiency", "compute.half_flops"} <= set(preset.sources())


@pytest.mark.parametrize("name", sorted(MACHINES))
@pytest.mark.parametrize("nodes", [1, 2, 8, 64])
def test_every_machine_prices_an_all_reduce(name, nodes):
    preset = MACHINES[name]
    assert preset.collective in COLLECTIVES
    cost = preset.all_reduce(nodes, 10**8)
    assert (cost.total_s == 0) == (nodes == 1 or name == "ideal")


def test_boxes_talk_inside_before_they_talk_outside():
    box = MACHINES["dgx1"]
    assert box.host_link
    assert box.all_reduce(8, 10**8) == ring(8, 10**8, box.host_link)
    assert box.all_reduce(32, 10**8) == hierarchical(32, 10**8, box.worker_link, box.host_link, 8)
    assert {"host_link.latency_s", "host_link.bandwidth_bytes_per_s"} <= set(box.sources())


def test_faster_links_make_faster_all_reduces():
    by_speed = ("ethernet_10g", "ethernet_25g", "infiniband_fdr", "dgx1", "h100_box")
    seconds = [MACHINES[name].all_reduce(8, 10**8).total_s for name in by_speed]
    assert seconds == sorted(seconds, reverse=True)


def test_ideal_is_free():
    ideal = MACHINES["ideal"]
    assert 10**12 / ideal.server_link.bandwidth_bytes_per_s == 0.0
    assert ideal.server_link.latency_s == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: machine("paper_clutser"),
        lambda: Link(-1.0, 1e9, "assumed: for this test"),
        lambda: Link(0.0, 0.0, "assumed: for this test"),
        lambda: Link(0.0, float("nan"), "assumed: for this test"),
        lambda: replace(MACHINES["dgx1"], collective="rign"),
        lambda: replace(MACHINES["dgx1"], nodes_per_host=0),
        lambda: replace(MACHINES["dgx1"], host_link=None),
        lambda: replace(MACHINES["dgx1"].compute, efficiency=1.5),
        lambda: replace(MACHINES["dgx1"].compute, flops_per_s=0.0),
        lambda: replace(MACHINES["dgx1"].compute, memory_bytes_per_s=float("nan")),
        lambda: replace(MACHINES["dgx1"].compute, half_flops=-1.0),
        lambda: replace(MACHINES["dgx1"].compute, launch_s=float("inf")),
    ],
)
def test_impossible_machines_are_refused_in_one_line(make):
    with pytest.raises(InputError) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_misspelt_machine_is_answered_with_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'paper_cluster'"):
        machine("paper_clutser")
