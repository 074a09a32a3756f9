"""Figures on late gradients: small problems in discrete and in continuous time."""

from rebuttal.site.captions.about import About

CAPTIONS: dict[str, About] = {
    "delay_map": About(
        "Depth, delay and batch: what the delay costs, and which method is first",
        "Every cell is a depth and a batch on the same noisy quadratic, with each method's rate tuned there. The first "
        "panel counts updates: how many more continuous propagation needs than the synchronous method. The others "
        "count time on as many nodes as layers, against the best of a drained pipeline, model parallelism and data "
        "parallelism: on a device for which larger batches gain nothing, and on devices that are at half their speed "
        "with so many samples. Messages are free. The two lines are drawn from theory and from the synchronous "
        "method alone.",
        {"delay_map": ("inflation", "speedup", "onset", "rate", "updates")},
        across=2,
    ),
    "delay_costs": About(
        "What the theorem promises about delays",
        "Every point of the first panel is a cell of the map. To the right of the vertical line the synchronous method "
        "makes more updates than the theorem's onset, and the theorem says that the delay costs no more than the level "
        "line; to its left it says nothing. The second panel uses the theorem's own rate, and shows how much of its "
        "bound was needed.",
        {"delay_map": ("updates", "onset", "inflation", "bound_share")},
        across=2,
    ),
    "continuous_time": About(
        "Discrete against continuous time",
        "Two trajectories from the same start are compared at every tick, and the largest distance is drawn against "
        "the step. Where a pair is as far apart as gradient descent and gradient flow are, its equation leaves out no "
        "more than the one without delays does.",
        {"continuous_time": ("distance", "distance_flow", "distance_plain", "order")},
        across=2,
    ),
    "stable_rates": About(
        "The largest stable rate, by the algorithm and by its equation",
        "At one both agree. Above it the equation calls rates stable at which the algorithm diverges. The formula is "
        "that of a quadratic whose gradients are all D ticks late.",
        {"continuous_time": ("formula_rate", "eigenvalue_ratio", "equation_ratio", "midpoint_ratio")},
    ),
}  # fmt: skip
