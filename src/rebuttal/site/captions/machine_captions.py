"""Figures of the analyses without training: full-size models on every machine."""

from rebuttal.site.captions.about import About

CAPTIONS: dict[str, About] = {
    "where_time_is": About(
        "Where the parameters are, and where the time is",
        "Each point is a layer, or a block of layers, from the first to the last: its share of the model's parameters, "
        "of its operations, and of its computing time on an old and on a new machine. Where the line of the "
        "parameters is above the others, there is much to send and little to hide it behind.",
        {"layer_ratios": ("parameters", "flops", "compute_s")},
        across=2,
    ),
    "layer_ratios": About(
        "Communication over computation of each layer",
        "Above the dashed line a layer's gradient takes longer to send than the layer takes to compute. Every "
        "layer's gradient is one message; layers without parameters send nothing and are left out. Both axes "
        "matter: back-propagation ends with the first layer, so what is dear to send there finds nothing to hide "
        "behind.",
        {"layer_ratios": ("ratio", "compute_s", "communication_s", "parameters")},
        across=2,
    ),
    "overlap_delay_server": About(
        "What overlap, delay and a parameter server can gain",
        "Right of the dashed line is faster than synchronous SGD with one communication. Overlap and delay are "
        "bounds, which a form reaches if more messages cost no more latency; the server is what it is.",
        {"model_ratios": ("overlap_ceiling", "delay_ceiling", "server_speedup", "ratio")},
        across=2,
    ),
    "layer_wise_speedups": About(
        "Speed-up of each form over synchronous SGD with one communication",
        "Every point is a model on a machine with a number of nodes and of samples on each. The line is the bound at "
        "the same ratio, the dashed one what the paper reports at most. Points far below the bound pay for the "
        "latency of many messages, or have a layer whose message ends after everything else. A delayed message "
        "hides behind the update as well, which lifts its points above the line. All forms are in the data table.",
        {"speedups": ("speedup", "ratio", "overlap_bound", "delay_bound")},
        across=2,
    ),
    "batch_latency_map": About(
        "Small batches and slow links",
        "Every cell is a batch and a latency, its number the speed-up over one communication. Upwards there is more "
        "computation to hide messages behind, rightwards every message costs more. Buckets put neighbouring "
        "layers in one message, which is what the latency asks for.",
        {"batch_latency": ("speedup", "fastest")},
        across=3,
    ),
    "scaling": About(
        "Weak and strong scaling",
        "A line at the top would lose nothing. Weak: every node keeps its batch, so that only communication grows. "
        "Strong: one batch is shared out, and every node computes less, until it is too little to use the "
        "device. Solid lines are one communication, dashed ones overlap it layer by layer.",
        {"scaling": ("efficiency", "samples_per_s")},
        across=3,
    ),
    "memory": About(
        "Memory of the fullest node, by method",
        "Further left needs less; the axis is logarithmic. The tick is the most that the node holds at a time, the "
        "marks are the peaks of its parts, which need not come together. Pipelines spread the weights and keep the "
        "activations of several batches; methods that must know old weights keep versions. Synthesizers and local "
        "classifiers are linear maps of all of a stage's activations, which at this size can be more than any device "
        "has. Of a method with several variants, the first is drawn.",
        {"memory": ("peak_bytes", "total_peak_bytes", "live_versions")},
        across=3,
    ),
    "throughput": About(
        "Throughput against the batch, on the measured device",
        "Were time proportional to the batch, every line would be level. They rise as far as larger tensors use "
        "the device better; in the second panel the dashed line marks half of the best. Each point is the sum of "
        "the medians of the layers' passes.",
        {"throughput": ("gradient_s", "samples_per_s", "relative", "half_batch")},
    ),
}  # fmt: skip
#: In the order of their page.
ON_MACHINES = tuple(CAPTIONS)
