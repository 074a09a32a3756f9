"""Links that machines are made of, with the source of each figure. The words of `machines.TAGS` begin each source."""

from rebuttal.machines.hardware import Link

TEN_GBE = Link(
    latency_s=30e-6,
    bandwidth_bytes_per_s=1.25e9,
    source="assumed: the line rate of 10 Gb/s Ethernet; latency from the middle of the 10 to 50 us that TCP takes",
)
TWENTY_FIVE_GBE = Link(
    latency_s=30e-6,
    bandwidth_bytes_per_s=3.1e9,
    source="assumed: the line rate of 25 Gb/s Ethernet; latency from the middle of the 10 to 50 us that TCP takes",
)
INFINIBAND_FDR = Link(
    latency_s=0.7e-6,
    bandwidth_bytes_per_s=6.8e9,
    source="read: 54.5 Gb/s usable on FDR 4x (advancedclustering.com, infiniband.jp); recalled: latency about 0.7 us",
)
INFINIBAND_EDR_SHARED = Link(
    latency_s=9.6e-6,
    bandwidth_bytes_per_s=12.5e9 / 2,
    source="read: 12.5 GB/s for EDR (infiniband.jp), 9.6 us for a network hop (NCCL's tuning.cc at 01afd20a); "
    "recalled: a DGX-1 has one EDR port for two of its GPUs",
)
INFINIBAND_NDR = Link(
    latency_s=9.6e-6,
    bandwidth_bytes_per_s=50e9,
    source="read: 50 GB/s for NDR (infiniband.jp), 9.6 us for a network hop (NCCL's tuning.cc at 01afd20a); "
    "assumed: a port for every GPU",
)
NVLINK1_MESH = Link(
    latency_s=3.4e-6,
    bandwidth_bytes_per_s=4 * 18e9,
    source="read: four links per P100 (microway.com), 18 GB/s each for NCCL (topo.h at 069a3d4f), 3.4 us "
    "for a hop of its ring (tuning.cc at 01afd20a); assumed: rings that use all four links at once",
)
NVLINK4_SWITCH = Link(
    latency_s=3.4e-6,
    bandwidth_bytes_per_s=376e9,
    source="read: 376 to 380 GB/s measured, 450 nominal (issue 1264 of NCCL), 3.4 us for a hop of its ring (tuning.cc"
    " at 01afd20a)",
)
PCIE3_X16 = Link(
    latency_s=5.7e-6,
    bandwidth_bytes_per_s=12e9,
    source="read: 12 GB/s and 5.7 us for a hop, as NCCL counts them (topo.h at 069a3d4f, tuning.cc at 01afd20a)",
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

#: Every link above by the name under which a machine of a study's own may have it.
LINKS = {
    "ten_gbe": TEN_GBE,
    "twenty_five_gbe": TWENTY_FIVE_GBE,
    "infiniband_fdr": INFINIBAND_FDR,
    "infiniband_edr_shared": INFINIBAND_EDR_SHARED,
    "infiniband_ndr": INFINIBAND_NDR,
    "nvlink1_mesh": NVLINK1_MESH,
    "nvlink4_switch": NVLINK4_SWITCH,
    "pcie3_x16": PCIE3_X16,
    "free": FREE,
    "loopback": LOOPBACK,
}
