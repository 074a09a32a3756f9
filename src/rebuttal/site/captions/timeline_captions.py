"""Figures of time lines: who does what when, and how busy the workers are."""

from rebuttal.site.captions.about import About

CAPTIONS: dict[str, About] = {
    "one_timeline": About(
        "Methods on one time line",
        "Every row is a node, every bar what it does, and all panels share the time axis. A gap is waiting. The number "
        "on a bar says how stale its gradient is when it is used; where no bar has one, no gradient is stale. Late "
        "gradients that are dropped have a colour of their own.",
        {"gantt": ("computes", "messages", "updates")},
        across=1,
    ),
    "layer_timeline": About(
        "One node's work, layer by layer",
        "A row is a layer, the last one on top, and all panels share the time axis. The staircases are the "
        "dependencies between layers: up in the forward pass, down in the backward pass. Along a row stand those "
        "between passes: a layer's backward pass, the all-reduce of its gradient, its update, and then its next "
        "forward pass. An all-reduce below a bar of another row overlaps with it. Where a forward pass comes before "
        "the update that its predecessor's gradient makes, its weights are old: the method is delayed.",
        {"layer_gantt": ("computes", "updates")},
        across=1,
    ),
    "utilisation": About(
        "How busy the workers are",
        "The share of the run in which workers compute gradients, dropped ones included: a busy worker is "
        "not yet a useful one. The data table has the share that was dropped.",
        {"summaries": ("utilisation", "gradients_dropped", "gradients_computed")},
    ),
}  # fmt: skip
