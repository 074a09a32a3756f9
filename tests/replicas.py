"""Forms of synchronous SGD over replicas, and runs of them whose clock can be stated beforehand."""

from typing import Any

from runs import Link, layered_costs, layered_machine, run

K, L = 6, 8
NODES = 3  # of the runs whose clock is looked at
ONE_BUCKET = {"first_mib": 1e9, "cap_mib": 1e9}
A_BUCKET_PER_LAYER = {"first_mib": 1e-9, "cap_mib": 1e-9}

#: Forms of synchronous SGD, by the name under which the tests show them.
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "layer by layer": ("layer_wise", {}),
    "overlapped": ("layer_wise_overlapped", {}),
    "overlapped, 3 channels": ("layer_wise_overlapped", {"channels": 3}),
    "buckets": ("bucketed", {"first_mib": 0.004, "cap_mib": 0.01}),
    "one bucket": ("bucketed", ONE_BUCKET),
    "a bucket per layer": ("bucketed", A_BUCKET_PER_LAYER),
    "asynchronous": ("layer_wise_asynchronous", {}),
    "lazy": ("layer_wise_asynchronous", {"lazy": True}),
    "lazy, 3 channels": ("layer_wise_asynchronous", {"lazy": True, "channels": 3}),
    "delayed by 0": ("delayed_all_reduce", {"k": 0}),
    "delayed by 0 and layer": ("delayed_layer_wise", {"k": 0}),
    "post-local": ("local_sgd", {"H": 5, "post": 1000}),
}
OVERLAPPED = ("overlapped", "a bucket per layer", "asynchronous", "lazy", "delayed by 0 and layer")


def clocked(name, options, *, r=0.0, latency_s=0.0, layers=L, updates=8):
    """A run in which a gradient takes a second (a third of it forward), and its all-reduce r seconds on the wire."""
    costs = layered_costs(layers, 1 / (3 * layers), 2 / (3 * layers))
    size_bytes = 2 * (NODES - 1) / NODES * sum(costs.layer_bytes)
    link = Link(latency_s, size_bytes / r if r else float("inf"), "test")
    return run(name, options, workers=NODES, updates=updates, machine=layered_machine(link=link), costs=costs)


def step_s(name, options, **given):
    """Seconds of one update in the long run: the mean over the second half."""
    times = clocked(name, options, **given).updates["time_s"]
    half = len(times) // 2
    return (times[-1] - times[half]) / (len(times) - 1 - half)
