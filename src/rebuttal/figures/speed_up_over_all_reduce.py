"""Every speed-up over synchronous training with one all-reduce, split into its two factors."""

from rebuttal.figures.speed_up_split import split

FIGURE = split(
    "Every speed-up over one communication, split into its two factors",
    "Right of the dashed line is faster than synchronous training with one all-reduce after the backward pass. The "
    "total is the product of two factors: how many fewer updates are needed, and how much less time one update takes. "
    "A method that makes an update of every node's gradient makes more and quicker ones. On a logarithmic axis, the "
    "total lies at the sum of the two distances from the line.",
    "all_reduce",
)
