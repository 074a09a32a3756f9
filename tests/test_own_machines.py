"""Machines of a study's own: what a section says and no more, and each mistake in one line that names its key."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import yaml
from runs import layered_costs

from rebuttal.base.config import yaml_text
from rebuttal.base.errors import InputError
from rebuttal.machines import MACHINES, Link, Measured, Stated, links, machine
from rebuttal.machines.collective_costs import ring
from rebuttal.machines.links import LINKS
from rebuttal.machines.own_machines import machines_of
from rebuttal.machines.processors import PROCESSORS
from rebuttal.machines.stragglers import STRAGGLERS, Lognormal, NoStragglers
from rebuttal.simulation.simulate import simulate
from rebuttal.site import measured

SLOW = {"latency_s": 1e-3, "bandwidth_bytes_per_s": 12.5e6, "source": "assumed: 100 Mb/s Ethernet"}
WHOLE = """
ring_100m:
  description: eight nodes on 100 Mb/s Ethernet
  like: ethernet_10g
  link: {latency_s: 1.0e-3, bandwidth_bytes_per_s: 12.5e+6, source: "assumed: 100 Mb/s Ethernet"}
  shard_link: ten_gbe
  server_shards: 2
  stragglers: lognormal_wide
  stragglers_source: "assumed: an uneven cluster"
  compute: measured
  collective: tree
  nodes_per_host: 2
  host_link: {latency_s: 5, bandwidth_bytes_per_s: 7, source: "read: somewhere"}
  assumptions: [one, two]
"""


def machine_of(name, spec):
    return machines_of({name: spec})[name]


def plain(link):
    return {
        "latency_s": link.latency_s,
        "bandwidth_bytes_per_s": link.bandwidth_bytes_per_s,
        "source": link.source,
    }


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_like_a_preset_is_the_preset(name):
    preset = MACHINES[name]
    assert machine_of("mine", {"description": preset.description, "like": name}) == replace(
        preset, name="mine"
    )


def test_a_preset_that_is_written_out_is_the_preset():
    preset = MACHINES["dgx1"]
    written = {
        "description": preset.description,
        "link": plain(preset.worker_link),
        "shard_link": plain(preset.shard_link),
        "host_link": "nvlink1_mesh",
        "server_shards": 4,
        "stragglers": "none",
        "stragglers_source": preset.stragglers_source,
        "compute": {"device": "p100"},
        "collective": "best",
        "nodes_per_host": 8,
        "assumptions": list(preset.assumptions),
    }
    assert machine_of("mine", written) == replace(preset, name="mine")


def test_every_key_has_its_place(tmp_path):
    (tmp_path / "own.yaml").write_text(WHOLE)
    found = machines_of(yaml_text.read(tmp_path / "own.yaml"))
    assert found == machines_of(yaml.safe_load(WHOLE))
    one = found["ring_100m"]
    assert one == replace(
        MACHINES["ethernet_10g"],
        name="ring_100m",
        description="eight nodes on 100 Mb/s Ethernet",
        worker_link=Link(**SLOW),
        shard_link=links.TEN_GBE,
        server_shards=2,
        stragglers=STRAGGLERS["lognormal_wide"],
        stragglers_source="assumed: an uneven cluster",
        collective="tree",
        nodes_per_host=2,
        host_link=Link(5.0, 7.0, "read: somewhere"),
        assumptions=("one", "two"),
    )
    assert all(
        source.partition(": ")[0] in ("assumed", "read", "measured") for source in one.sources().values()
    )


def test_a_description_and_a_link_are_enough():
    one = machine_of("slow", {"description": "slow", "link": SLOW})
    assert one.worker_link == one.shard_link == Link(**SLOW)
    assert (one.compute, one.stragglers, one.collective) == (Measured(), NoStragglers(), "ring")
    assert one.assumptions == MACHINES["ethernet_10g"].assumptions
    assert one.clock_is == "measured"


def test_a_link_of_its_own_stands_beside_one_of_the_package():
    home = machine_of("home", {"description": "d", "link": SLOW, "shard_link": "free"})
    assert home.worker_link == Link(**SLOW)
    assert home.shard_link == links.FREE


def test_every_link_of_the_package_has_its_name():
    assert {name.upper(): link for name, link in LINKS.items()} == {
        name: value for name, value in vars(links).items() if isinstance(value, Link)
    }


@pytest.mark.parametrize(
    ("given", "compute"),
    [
        ("measured", Measured()),
        ({"device": "k40"}, PROCESSORS["k40"]),
        (
            {"gradient_s": 2, "update_s": 0.0, "weight_bytes": 8, "source": "read: x"},
            Stated(2.0, 0.0, 8, "read: x"),
        ),
    ],
)
def test_compute_is_measured_scaled_or_stated(given, compute):
    assert machine_of("own", {"description": "d", "link": "free", "compute": given}).compute == compute


def test_stragglers_may_have_other_numbers():
    said = {"description": "d", "link": "free", "stragglers_source": "assumed: so"}
    wide = machine_of("own", {**said, "stragglers": {"name": "lognormal", "sigma": 2}})
    slow = machine_of("own", {**said, "stragglers": {"name": "persistently_slow", "factor": 5.0}})
    assert wide.stragglers == Lognormal(2.0)
    preset: Any = STRAGGLERS["persistently_slow"]
    assert slow.stragglers == replace(preset, factor=5.0)


def test_nothing_of_the_content_is_changed():
    content = yaml.safe_load(WHOLE)
    before = deepcopy(content)
    machines_of(content)
    assert content == before


def test_its_clock_is_its_own():
    costs = layered_costs()
    found = machine_of("slow", {"description": "d", "link": SLOW, "compute": "measured"})
    made = simulate("all_reduce", machine=found, workers=4, updates=3, costs=costs)
    fast = simulate(
        "all_reduce", machine=replace(found, worker_link=links.FREE), workers=4, updates=3, costs=costs
    )
    assert found.all_reduce(4, costs.weight_bytes) == ring(4, costs.weight_bytes, Link(**SLOW))
    reduced_s = found.all_reduce(4, costs.weight_bytes).total_s
    assert made.end_s - fast.end_s == pytest.approx(3 * reduced_s)
    assert made.about["machine"] == "slow"
    assert machine(found) is found


def test_a_page_says_what_it_is_from_the_results():
    no_runs: Any = None
    study = measured.MeasuredStudy(no_runs, {"own_machines": {"slow": {"description": "a slow one"}}})
    assert measured._description("slow", [study]) == "a slow one"
    assert measured._description("loopback", [study]) == MACHINES["loopback"].description
    assert measured._description("unknown", [study]) == "a machine of a study's own"


GOOD = {"description": "d", "link": SLOW, "stragglers": "none", "stragglers_source": "assumed: none"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"desription": "d"}, "machines.own.desription: got an unknown key with the value 'd'; allowed: description, "),
        ({"desription": "d"}, "did you mean 'description'?"),
        ({"description": None}, "machines.own.description: got nothing; allowed: a text"),
        ({"description": 3}, "machines.own.description: got 3; allowed: a text"),
        ({"like": "ethernet_10"}, "machines.own.like: got 'ethernet_10'; allowed: "),
        ({"like": "ethernet_10"}, "did you mean 'ethernet_10g'?"),
        ({"link": None}, "machines.own.link: got nothing; allowed: a link"),
        ({"link": "ten_gb"}, "machines.own.link: got 'ten_gb'; allowed: "),
        ({"link": "ten_gb"}, "did you mean 'ten_gbe'?"),
        ({"link": 100}, "machines.own.link: got 100; allowed: a section with the keys latency_s, "),
        ({"link": {**SLOW, "bandwidth": 1}}, "machines.own.link.bandwidth: got an unknown key"),
        ({"link": {**SLOW, "bandwidth": 1}}, "did you mean 'bandwidth_bytes_per_s'?"),
        ({"link": {"latency_s": 0.1, "source": "read: x"}}, "link.bandwidth_bytes_per_s: got nothing; allowed: a num"),
        ({"link": {**SLOW, "latency_s": -1e-3}}, "machines.own.link.latency_s: got -0.001; allowed: a number of sec"),
        ({"link": {**SLOW, "latency_s": float("nan")}}, "machines.own.link.latency_s: got nan; allowed: a number"),
        ({"link": {**SLOW, "latency_s": "1 ms"}}, "link.latency_s: got '1 ms'; allowed: a number of seconds >= 0, as"),
        ({"link": {**SLOW, "latency_s": True}}, "machines.own.link.latency_s: got True; allowed: a number of seconds"),
        ({"link": {**SLOW, "bandwidth_bytes_per_s": 0}}, "link.bandwidth_bytes_per_s: got 0; allowed: a number of by"),
        ({"link": {**SLOW, "bandwidth_bytes_per_s": float("inf")}}, "link.bandwidth_bytes_per_s: got inf; allowed: "),
        ({"link": {**SLOW, "bandwidth_bytes_per_s": "100 Mb/s"}}, "got '100 Mb/s'; allowed: a number of bytes per s"),
        ({"link": {**SLOW, "bandwidth_bytes_per_s": "100 Mb/s"}}, "as in 12.5e+6 for 100 Mb/s"),
        ({"link": {**SLOW, "source": "Ethernet"}}, "machines.own.link.source: got 'Ethernet'; allowed: a text that b"),
        ({"link": {**SLOW, "source": "asumed: x"}}, "did you mean 'assumed'?"),
        ({"link": {**SLOW, "source": "read: "}}, "machines.own.link.source: got 'read: '; allowed: "),
        ({"shard_link": {}}, "machines.own.shard_link.latency_s: got nothing; allowed: a number of seconds"),
        ({"server_shards": 0}, "machines.own.server_shards: got 0; allowed: a whole number >= 1"),
        ({"server_shards": 1.5}, "machines.own.server_shards: got 1.5; allowed: a whole number >= 1"),
        ({"nodes_per_host": 4}, "machines.own.host_link: got None; allowed: a Link, with nodes_per_host = 4"),
        ({"collective": "rign"}, "machines.own.collective: got 'rign'; allowed: ring, "),
        ({"collective": "rign"}, "did you mean 'ring'?"),
        ({"stragglers": "lognormall"}, "machines.own.stragglers: got 'lognormall'; allowed: none, "),
        ({"stragglers": {"sigma": 1.0}}, "machines.own.stragglers.name: got None; allowed: none, "),
        ({"stragglers": {"name": "lognormal", "sigm": 1.0}}, "machines.own.stragglers.sigm: got an unknown key"),
        ({"stragglers": {"name": "lognormal", "sigma": -1.0}}, "machines.own.stragglers.sigma: got -1.0; allowed: "),
        ({"stragglers": {"name": "lognormal", "sigma": "1"}}, "machines.own.stragglers.sigma: got '1'; allowed: a fi"),
        ({"stragglers_source": None}, "machines.own.stragglers_source: got nothing; allowed: a text that begins with"),
        ({"stragglers_source": "so"}, "machines.own.stragglers_source: got 'so'; allowed: a text that begins with re"),
        ({"compute": "measure"}, "machines.own.compute: got 'measure'; allowed: measured, {device: NAME}, or a sect"),
        ({"compute": "measure"}, "did you mean 'measured'?"),
        ({"compute": {"device": "k400"}}, "machines.own.compute.device: got 'k400'; allowed: sandy_bridge, "),
        ({"compute": {"device": "k40", "source": "x"}}, "machines.own.compute.source: got an unknown key"),
        ({"compute": {"gradient_s": 1.0}}, "machines.own.compute.update_s: got nothing; allowed: a number of seconds"),
        ({"assumptions": "all"}, "machines.own.assumptions: got 'all'; allowed: a list of texts"),
        ({"assumptions": [1]}, "machines.own.assumptions.0: got 1; allowed: a list of texts"),
    ],
)  # fmt: skip
def test_each_mistake_is_refused_in_one_line(change, said):
    content = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(InputError) as caught:
        machine_of("own", content)
    line = str(caught.value)
    assert said in line
    assert line.startswith("machines.own.")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("make", "given", "said"),
    [
        (machine_of, ("loopback", GOOD), "machines.loopback: got 'loopback'; allowed: a name of its own"),
        (machine_of, ("100m", GOOD), "machines.100m: got '100m'; allowed: a name of small letters"),
        (machine_of, ("own", []), "machines.own: got []; allowed: a section with the keys description, "),
        (machines_of, (["own"],), "machines: got ['own']; allowed: a section"),
        (machines_of, ({1: GOOD},), "machines.1: got 1; allowed: a name"),
    ],
)
def test_names_and_sections_are_refused_in_one_line(make, given, said):
    with pytest.raises(InputError) as caught:
        make(*given)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
