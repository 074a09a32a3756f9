"""Figures on layer-wise and delayed forms: the most that they gain, and whether they compute the same."""

from rebuttal.site.captions.about import About

CAPTIONS: dict[str, About] = {
    "peak_speedups": About(
        "The largest speed-up of each network on each machine",
        "Further right is faster than synchronous training with one communication. Each mark is the best that a search "
        "over numbers of nodes and of samples on each finds: where communication takes about as long as the backward "
        "pass. The solid line bounds what overlap without staleness can gain, the dashed one is what the paper reports "
        "at most. A network whose marks stay left has no place on that machine with so much to send.",
        {"peak_speedups": ("speedup", "ratio", "at_nodes", "at_batch")},
        across=2,
    ),
    "equivalence": About(
        "Weights of each form against those of mini-batch SGD",
        "Further left is closer. A form that computes what mini-batch SGD computes differs by rounding only, far left "
        "of the dashed line of its precision, and by fewer digits in single than in double precision. A form that "
        "computes something else stands far right of it, at the same place in both precisions.",
        {"equivalence": ("relative_difference", "bound")},
        across=2,
    ),
}  # fmt: skip
