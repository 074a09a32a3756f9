"""Figures on randomised smoothing in a pipeline."""

from rebuttal.site.captions.about import About

CAPTIONS: dict[str, About] = {
    "rates": About(
        "Measured errors beside the bounds of theory",
        "Each point is the error after a run whose step was chosen for so many updates, as theory has it; the slope of "
        "a line is the power of the updates in the error. A dashed line is what theory allows the method of its colour "
        "at most, a dotted one what no method of gradients can beat. In the last panel the dotted line is one update "
        "for each link.",
        {"rates": ("error", "upper", "lower", "slope", "exponent", "flat_updates")},
        across=3,
    ),
    "smoothing_map": About(
        "Where PPRS beats GPipe",
        "Every cell is a depth and a number of micro-batches, its number GPipe's time over that of PPRS. Measured are "
        "the constants of the rates, on functions whose best value is known; modelled is the rest: how many updates "
        "an accuracy takes, and how long an update is in a pipeline with free messages. Downwards GPipe's pipeline "
        "empties, rightwards it deepens; from panel to panel dimensions grow, accuracy falls, kinks are smoothed.",
        {"smoothing_map": ("over_best", "practical", "share", "constant")},
        across=2,
    ),
    "ablation": About(
        "Pipelining, smoothing and acceleration, each with and without",
        "Left is quicker, down is more accurate. A circle and a diamond of one colour have the same values and differ "
        "by pipelining alone: their distance is what it gains. From colour to colour the other two parts come and go.",
        {"curves": ("test_metric", "learning_rate", "diverged_at"), "summaries": ("seconds_per_update",)},
        across=3,
    ),
    "adversarial": About(
        "Adversarial perturbations of few images",
        "Lower is better: the loss of the perturbation, as a share of the loss without any, against the passes "
        "spent. A perturbation is sought for one image, or one for several images at once. First row: each layer has a "
        "node of its own, where further samples of the smoothing fill the pipeline. Second row: one node computes all, "
        "where every sample of the smoothing costs as much as a gradient. Each method has its own step, tuned on other "
        "images; PPRS has its width tuned too, and so several times as many trials.",
        {"adversarial": ("left", "fooled", "rate", "width")},
        across=3,
    ),
    "pipeline_steps": About(
        "The mechanism in seconds",
        "First, the clock against the formula. Then, models at full size on links: right of the dashed line an update "
        "takes longer than its passes. Last, real processes of this host, whose passes are so short that sending takes "
        "longer than computing: the order is proved there, not the speed.",
        {"smoothing_map": ("clock_units", "formula_units", "of_units"),
         "recorded": ("stages_at_once", "update_s", "share_agreed")},
        across=3,
    ),
}  # fmt: skip
