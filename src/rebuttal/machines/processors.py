"""Devices whose costs are scaled from peak arithmetic and memory bandwidth, with the source of each figure.

The peaks are published. The efficiency, the size at which half of it is reached and the launch cost are assumed, one
set for CPUs and one for each generation of GPUs: faster devices need larger products to be full.
"""

from rebuttal.machines.hardware import Scaled

ASSUMED = "assumed: efficiency, half_flops and launch_s, of the usual order for convolutions on such a device"

SANDY_BRIDGE = Scaled(
    flops_per_s=2 * 8 * 2.6e9 * 16,
    memory_bytes_per_s=2 * 51.2e9,
    efficiency=0.5,
    half_flops=0.02e9,
    launch_s=20e-6,
    source="read: 51.2 GB/s of memory per socket (Dell's PowerEdge 12G guide); recalled: 16 float32 operations a cycle "
    f"with AVX, 2.6 GHz and 8 cores of an E5-2670; assumed: two of these, the paper names only the family; {ASSUMED}",
)
K40 = Scaled(
    flops_per_s=4.29e12,
    memory_bytes_per_s=288e9,
    efficiency=0.5,
    half_flops=0.3e9,
    launch_s=10e-6,
    source="read: 4.29 TFLOP/s in float32 (AnandTech's table of Teslas), 288.4 GB/s (sysrqmts.com); "
    + ASSUMED,
)
K80_HALF = Scaled(
    flops_per_s=8.74e12 / 2,
    memory_bytes_per_s=240e9,
    efficiency=0.45,
    half_flops=0.25e9,
    launch_s=10e-6,
    source="read: 8.74 TFLOP/s in float32 for the two GPUs of a card (AnandTech's table of Teslas), 240 GB/s for each "
    f"(cnews.cz); {ASSUMED}, lower than a K40's because two GPUs share the card's power",
)
P100 = Scaled(
    flops_per_s=10.6e12,
    memory_bytes_per_s=732e9,
    efficiency=0.6,
    half_flops=0.5e9,
    launch_s=8e-6,
    source="read: 10.6 TFLOP/s in float32 and 732 GB/s of the SXM2 module (sysrqmts.com); " + ASSUMED,
)
H100 = Scaled(
    flops_per_s=494e12,
    memory_bytes_per_s=3.35e12,
    efficiency=0.4,
    half_flops=5e9,
    launch_s=5e-6,
    source="read: 494 TFLOP/s dense in TF32 (hmc-tech.com, of the H200's equal chip), 3.35 TB/s (lzwjava.github.io); "
    + ASSUMED,
)
H200 = Scaled(
    flops_per_s=494e12,
    memory_bytes_per_s=4.8e12,
    efficiency=0.4,
    half_flops=5e9,
    launch_s=5e-6,
    source="read: 494 TFLOP/s dense in TF32 (hmc-tech.com), 4.8 TB/s (saulelectric.com); " + ASSUMED,
)

PROCESSORS = {
    "sandy_bridge": SANDY_BRIDGE,
    "k40": K40,
    "k80": K80_HALF,
    "p100": P100,
    "h100": H100,
    "h200": H200,
}
