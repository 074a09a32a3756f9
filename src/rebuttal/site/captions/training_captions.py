"""Figures of trained runs: how their error falls, how long they take to a target, and how they were tuned."""

from rebuttal.site.captions.about import TIMES, About

CAPTIONS: dict[str, About] = {
    "convergence": About(
        "Test error against seconds, updates and epochs",
        "Lower and further left is better. Each line is the mean over seeds at the method's own tuned "
        "learning rate, its band the interval of that mean. The seconds are the same runs on each "
        "machine's clock: a method may need more updates and yet be faster, or the other way round. Of a "
        "method with several variants, the one with the best validation accuracy is drawn; the test set is "
        "not asked.",
        {"curves": ("test_metric", "validation_metric", "seconds", "update", "epoch", "learning_rate", "diverged_at")},
    ),
    "time_to_target": About(
        "Seconds to a range of target accuracies",
        "One target can favour one method, so a range is shown: further right is a harder target, lower is "
        "faster. Targets are multiples of the tuned mini-batch error on validation data, fixed before any "
        "other method was looked at. A run that ends before it gets there is a miss, never left out.",
        TIMES,
    ),
    "speed_up_split": About(
        "Every speed-up, split into its two factors",
        "Right of the dashed line is faster than the asynchronous baseline. The total is the product of "
        "two factors: how many fewer updates are needed, and how much less time one update takes. On a "
        "logarithmic axis, the total lies at the sum of the two distances from the line.",
        TIMES,
    ),
    "speed_up_over_all_reduce": About(
        "Every speed-up over one communication, split into its two factors",
        "Right of the dashed line is faster than synchronous training with one all-reduce after the backward pass. The "
        "total is the product of two factors: how many fewer updates are needed, and how much less time one update "
        "takes. A method that makes an update of every node's gradient makes more and quicker ones. On a logarithmic "
        "axis, the total lies at the sum of the two distances from the line.",
        TIMES,
        stacked=True,
    ),
    "speed_up_over_gpipe": About(
        "Every speed-up over GPipe, split into its two factors",
        "Right of the dashed line is faster than gradient descent through a pipeline that is drained for every update, "
        "on the first machine, whose messages are free. "
        "The total is the product of two factors: how many fewer updates are needed, and how much less time one update "
        "takes. Smoothing makes updates longer and is to make them fewer. On a logarithmic axis, the total lies at the "
        "sum of the two distances from the line.",
        TIMES,
        stacked=True,
    ),
    "learning_rates": About(
        "Validation loss against learning rate",
        "Every variant was tuned on the same grid with the same number of runs, on seeds and on a "
        "validation split that no other figure uses. A chosen rate at the edge of the grid is marked, "
        "because a better one may lie beyond it.",
        {"tuning": ("validation_loss", "diverged", "best_learning_rate", "at_edge")},
    ),
    "tuning_budget": About(
        "What tuning more would gain",
        "Had only n of the grid's learning rates been tried, drawn at random, and the best of them kept, this "
        "validation error would be expected. A line that is level on the right has been tuned enough; one that still "
        "falls has not. The best rate is the one with the lowest validation loss, so a line rises where loss and error "
        "disagree. Every method had as many trials. Of each method the best variant is drawn. The checklist at the end "
        "has the verdicts for several n.",
        {"tuning": ("validation_loss", "validation_metric", "diverged")},
    ),
}  # fmt: skip
