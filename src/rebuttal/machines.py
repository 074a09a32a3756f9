"""Machines: devices, links and stragglers, with the source of every figure.

A virtual machine's clock rests on two kinds of compute cost. `Measured` ones were measured here, by the profile
stage, for the workload that is trained. `Stated` ones are those of another model on another device, taken from or
scaled after a publication: the workload that is trained then stands in for that model, and only its clock is theirs.

Every `source` begins with a word of `TAGS`; only a figure that was read in the paper may be quoted as the paper's.
"""

from rebuttal.errors import refuse
from rebuttal.hardware import Link, Machine, Measured, Stated
from rebuttal.stragglers import STRAGGLERS, PublishedQuantiles

__all__ = ["MACHINES", "TAGS", "Link", "Machine", "Measured", "Stated", "machine"]

TAGS = {
    "read": "read in the paper's text or in the named document",
    "recalled": "from memory of the publication: a reconstruction until it is checked",
    "assumed": "chosen here, for the reason given",
    "measured": "measured here, on the machine that runs this project",
}


def machine(name: str) -> Machine:
    """The preset called `name`; raises InputError with the nearest name otherwise."""
    if name not in MACHINES:
        raise refuse("machine", name, MACHINES)
    return MACHINES[name]


def _published() -> PublishedQuantiles:
    model = STRAGGLERS["published_quantiles"]
    assert isinstance(model, PublishedQuantiles)
    return model


TEN_GBE = Link(
    latency_s=30e-6,
    bandwidth_bytes_per_s=1.25e9,
    source="assumed: the line rate of 10 Gb/s Ethernet; latency from the middle of the 10 to 50 us that TCP takes",
)
INFINIBAND_FDR = Link(
    latency_s=0.7e-6,
    bandwidth_bytes_per_s=6.8e9,
    source="read: 54.5 Gb/s usable on FDR 4x (advancedclustering.com, infiniband.jp); recalled: latency about 0.7 us",
)
FREE = Link(
    latency_s=0.0,
    bandwidth_bytes_per_s=float("inf"),
    source="assumed: communication costs nothing, so that computation is seen alone",
)
LOOPBACK = Link(
    latency_s=0.3e-3,
    bandwidth_bytes_per_s=1.0e9,
    source="assumed: the order of what gloo reaches between two processes of one host (0.2 to 0.4 ms, 0.7 to "
    "1.3 GB/s on a small one); not of your host",
)
MILD = "assumed: lognormal with sigma 0.25, a spread of about a quarter; no cluster's trace is behind it"

MACHINES: dict[str, Machine] = {
    "paper_cluster": Machine(
        name="paper_cluster",
        description="K40 workers and 19 parameter-server shards, with the clock of the paper's Inception",
        worker_link=TEN_GBE,
        shard_link=TEN_GBE,
        server_shards=19,
        stragglers=_published(),
        stragglers_source="read: two published quantiles of 100 K40 workers (Chen et al. 2017); recalled: the body "
        "and the maximum, from figure captions; fitted by rebuttal.straggler_fit",
        compute=Stated(
            gradient_s=_published().median_s,
            update_s=2.5e-3,
            weight_bytes=95_000_000,
            source="recalled: mean arrivals of gradients between 1.4 and 1.8 s (captions), whose fit gives the "
            "median compute; assumed: weights of an Inception of about 24 million float32, since the paper does "
            "not state its 18-layer model's; assumed: RMSProp's five passes over 1/19 of them at 10 GB/s",
        ),
        assumptions=(
            "The paper names 19 parameter servers in its text and 10 in its appendix: inconsistent; 19 is used.",
            "The network is not named in the paper; 10 Gb/s Ethernet is assumed.",
            "Published arrival times include communication; the link adds its own, so a step is a little long.",
            "A node with several batches takes that many times as long: a K40 was full with one batch of 32.",
            "Slowdowns are independent between workers and steps, which the published ones were not quite.",
        ),
    ),
    "ethernet_10g": Machine(
        name="ethernet_10g",
        description="nodes like this device on 10 Gb/s Ethernet, one parameter server",
        worker_link=TEN_GBE,
        shard_link=TEN_GBE,
        server_shards=1,
        stragglers=STRAGGLERS["lognormal"],
        stragglers_source=MILD,
        compute=Measured(),
        assumptions=("Every node is a copy of the profiled device.",),
    ),
    "infiniband_fdr": Machine(
        name="infiniband_fdr",
        description="nodes like this device on FDR InfiniBand, one parameter server",
        worker_link=INFINIBAND_FDR,
        shard_link=INFINIBAND_FDR,
        server_shards=1,
        stragglers=STRAGGLERS["lognormal"],
        stragglers_source=MILD,
        compute=Measured(),
        assumptions=("Every node is a copy of the profiled device.",),
    ),
    "loopback": Machine(
        name="loopback",
        description="processes of this one host, talking through its loopback interface",
        worker_link=LOOPBACK,
        shard_link=LOOPBACK,
        server_shards=1,
        stragglers=STRAGGLERS["none"],
        stragglers_source="assumed: none, as long as there are no more processes than cores",
        compute=Measured(),
        assumptions=("Every process has a core of its own, and memory bandwidth is not shared.",),
    ),
    "ideal": Machine(
        name="ideal",
        description="nodes like this device, free communication, no stragglers",
        worker_link=FREE,
        shard_link=FREE,
        server_shards=1,
        stragglers=STRAGGLERS["none"],
        stragglers_source="assumed: none, so that what is left is the method's own",
        compute=Measured(),
        assumptions=("Nothing but computation takes time.",),
    ),
}
