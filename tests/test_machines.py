"""Machine presets: every figure has a source, and costs come from where the machine says."""

from dataclasses import dataclass

import pytest

from rebuttal.errors import InputError
from rebuttal.machines import MACHINES, TAGS, Link, Machine, Measured, machine
from rebuttal.stragglers import STRAGGLERS


@dataclass(frozen=True)
class Costs:
    weight_bytes: int = 1000
    update_s: float = 0.5

    def gradient_s(self, batches: int) -> float:
        return 1.0 + batches


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
    assert preset.gradient_s(Costs(), 1) > 0
    assert preset.message_bytes(Costs()) > 0


def test_measured_machines_take_this_devices_costs():
    here = MACHINES["ethernet_10g"]
    assert here.clock_is == "measured here"
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
    ],
)
def test_impossible_machines_are_refused_in_one_line(make):
    with pytest.raises(InputError) as error:
        make()
    assert "\n" not in str(error.value)


def test_a_misspelt_machine_is_answered_with_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'paper_cluster'"):
        machine("paper_clutser")
