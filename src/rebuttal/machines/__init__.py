"""Machines: devices, links and stragglers, with the source of every figure.

A virtual machine's clock rests on one of three kinds of compute cost. `Measured` ones were measured, for the workload
that is trained, on the device whose file of costs the parameters name. `Scaled` ones follow from a device's peak
arithmetic and memory bandwidth and from what each layer of a model computes and moves (`full_size_costs`).
`Stated` ones are those of another model on another device, taken from a publication: the workload that is trained then
stands in for that model, and only its clock is theirs.

Every `source` begins with a word of `TAGS`; only a figure that was read in the paper may be quoted as the paper's.
"""

from rebuttal.base.errors import refuse
from rebuttal.base.listing import Listing
from rebuttal.machines.hardware import Link, Machine, Measured, Scaled, Stated
from rebuttal.machines.links import FREE, INFINIBAND_FDR, LOOPBACK, TEN_GBE, TWENTY_FIVE_GBE
from rebuttal.machines.scaled import PUBLISHED, SCALED_MACHINES
from rebuttal.machines.stragglers import STRAGGLERS, PublishedQuantiles

__all__ = ["MACHINES", "TAGS", "Link", "Machine", "Measured", "Scaled", "Stated", "machine"]

TAGS = {
    "read": "read in the paper's text or in the named document",
    "recalled": "from memory of the publication: a reconstruction until it is checked",
    "assumed": "chosen here, for the reason given",
    "measured": "measured by this project, on the device that the parameters name",
}


def machine(name: str | Machine) -> Machine:
    """The preset called `name`, or the machine itself; raises InputError with the nearest name otherwise."""
    if isinstance(name, Machine):
        return name
    if not isinstance(name, str) or name not in MACHINES:
        raise refuse("machine", name, MACHINES)
    return MACHINES[name]


def _published() -> PublishedQuantiles:
    model = STRAGGLERS["published_quantiles"]
    assert isinstance(model, PublishedQuantiles)
    return model


MILD = "assumed: lognormal with sigma 0.25, a spread of about a quarter; no cluster's trace is behind it"

_OF_STUDIES: dict[str, Machine] = {
    "paper_cluster": Machine(
        name="paper_cluster",
        description="K40 workers and 19 parameter-server shards, with the clock of the paper's Inception",
        worker_link=TEN_GBE,
        shard_link=TEN_GBE,
        server_shards=19,
        stragglers=_published(),
        stragglers_source=PUBLISHED,
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
        description="nodes like the measured device on 10 Gb/s Ethernet, one parameter server",
        worker_link=TEN_GBE,
        shard_link=TEN_GBE,
        server_shards=1,
        stragglers=STRAGGLERS["lognormal"],
        stragglers_source=MILD,
        compute=Measured(),
        assumptions=("Every node is a copy of the profiled device.",),
    ),
    "ethernet_25g": Machine(
        name="ethernet_25g",
        description="nodes like the measured device on 25 Gb/s Ethernet, one parameter server",
        worker_link=TWENTY_FIVE_GBE,
        shard_link=TWENTY_FIVE_GBE,
        server_shards=1,
        stragglers=STRAGGLERS["lognormal"],
        stragglers_source=MILD,
        compute=Measured(),
        assumptions=("Every node is a copy of the profiled device.",),
    ),
    "infiniband_fdr": Machine(
        name="infiniband_fdr",
        description="nodes like the measured device on FDR InfiniBand, one parameter server",
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
        description="nodes like the measured device, free communication, no stragglers",
        worker_link=FREE,
        shard_link=FREE,
        server_shards=1,
        stragglers=STRAGGLERS["none"],
        stragglers_source="assumed: none, so that what is left is the method's own",
        compute=Measured(),
        assumptions=("Nothing but computation takes time.",),
    ),
}
MACHINES: dict[str, Machine] = Listing(_OF_STUDIES | SCALED_MACHINES)
