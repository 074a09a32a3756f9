"""Machines whose compute is scaled to a model's layers from a device's published figures."""

from rebuttal.machines import links, processors
from rebuttal.machines.hardware import Machine
from rebuttal.machines.stragglers import STRAGGLERS

PUBLISHED = (
    "read: two published quantiles of 100 K40 workers (Chen et al. 2017); recalled: the body and the maximum, from "
    "figure captions; fitted by rebuttal.machines.straggler_fit"
)
EVEN = "assumed: none, as the nodes are alike and nothing else runs on them"
NVLINK_BOX = (
    "Weights, gradients and activations are float32, multiplied in TF32.",
    "A parameter server is another host, with a port for each of its eight shards.",
)

SCALED_MACHINES: dict[str, Machine] = {
    "sandy_bridge_infiniband": Machine(
        name="sandy_bridge_infiniband",
        description="two-socket Sandy Bridge nodes on FDR InfiniBand: the layer-wise paper's CPU cluster",
        worker_link=links.INFINIBAND_FDR,
        shard_link=links.INFINIBAND_FDR,
        server_shards=1,
        stragglers=STRAGGLERS["none"],
        stragglers_source=EVEN,
        compute=processors.SANDY_BRIDGE,
        assumptions=(
            "The paper's abstract names Sandy Bridge and InfiniBand, but no clock rate, sockets or generation.",
            "Communication takes no core away from computation.",
        ),
        collective="halving_doubling",
    ),
    "dgx1": Machine(
        name="dgx1",
        description="DGX-1: eight P100 in a hybrid cube-mesh of NVLink; several of them on EDR InfiniBand",
        worker_link=links.INFINIBAND_EDR_SHARED,
        shard_link=links.PCIE3_X16,
        server_shards=4,
        stragglers=STRAGGLERS["none"],
        stragglers_source=EVEN,
        compute=processors.P100,
        assumptions=(
            "A ring of eight exists in the cube-mesh for each of the four links of a GPU, so that all carry it.",
            "A parameter server is the host's memory, reached through four PCIe switches.",
        ),
        collective="best",
        nodes_per_host=8,
        host_link=links.NVLINK1_MESH,
    ),
    "k40_datacenter": Machine(
        name="k40_datacenter",
        description="K40 workers and 19 parameter-server shards on 10 Gb/s Ethernet, for a model's own layers",
        worker_link=links.TEN_GBE,
        shard_link=links.TEN_GBE,
        server_shards=19,
        stragglers=STRAGGLERS["published_quantiles"],
        stragglers_source=PUBLISHED,
        compute=processors.K40,
        assumptions=(
            "As paper_cluster, but for the compute, which is scaled to the model that is looked at.",
        ),
    ),
    "k80_datacenter": Machine(
        name="k80_datacenter",
        description="halves of K80 cards and 10 parameter-server shards on 10 Gb/s Ethernet",
        worker_link=links.TEN_GBE,
        shard_link=links.TEN_GBE,
        server_shards=10,
        stragglers=STRAGGLERS["published_quantiles"],
        stragglers_source="assumed: as the K40 workers of paper_cluster, whose quantiles are published",
        compute=processors.K80_HALF,
        assumptions=(
            "The backup-workers paper names K80 and 10 parameter servers for its PixelCNN, and no network.",
            "A worker is one of the two GPUs of a card, and has the connection for itself.",
        ),
    ),
    "h100_box": Machine(
        name="h100_box",
        description="eight H100 behind NVLink switches; several such hosts on NDR InfiniBand",
        worker_link=links.INFINIBAND_NDR,
        shard_link=links.INFINIBAND_NDR,
        server_shards=8,
        stragglers=STRAGGLERS["none"],
        stragglers_source=EVEN,
        compute=processors.H100,
        assumptions=NVLINK_BOX,
        collective="best",
        nodes_per_host=8,
        host_link=links.NVLINK4_SWITCH,
    ),
    "h200_box": Machine(
        name="h200_box",
        description="eight H200 behind NVLink switches; several such hosts on NDR InfiniBand",
        worker_link=links.INFINIBAND_NDR,
        shard_link=links.INFINIBAND_NDR,
        server_shards=8,
        stragglers=STRAGGLERS["none"],
        stragglers_source=EVEN,
        compute=processors.H200,
        assumptions=NVLINK_BOX,
        collective="best",
        nodes_per_host=8,
        host_link=links.NVLINK4_SWITCH,
    ),
}
