"""Every speed-up over gradient descent through a pipeline that is drained for every update, split into its factors."""

from rebuttal.figures.speed_up_split import split

FIGURE = split(
    "Every speed-up over GPipe, split into its two factors",
    "Right of the dashed line is faster than gradient descent through a pipeline that is drained for every update, on "
    "the first machine, whose messages are free. The total is the product of two factors: how many fewer updates are "
    "needed, and how much less time one update takes. Smoothing makes updates longer and is to make them fewer. On a "
    "logarithmic axis, the total lies at the sum of the two distances from the line.",
    "gpipe m=2",
    machines=1,
)
