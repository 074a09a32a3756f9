"""Figures that compare every method of a study."""

from rebuttal.site.captions.about import TIMES, About

CAPTIONS: dict[str, About] = {
    "method_errors": About(
        "What every method reaches with the same number of samples",
        "Further left is better; all groups share the axis. The lines through a group are the baseline on one node, at "
        "each of its batch sizes. A method that averages several batches makes fewer updates of the same samples: "
        "compare it with the line of the larger batch, and a method that updates on every batch with the other.",
        {"curves": ("test_metric", "learning_rate", "diverged_at")},
        stacked=True,
    ),
    "method_times": About(
        "Seconds until every method reaches one target",
        "Further left is quicker, on the clock of one modelled machine; all groups share the axis. A hollow mark is a "
        "method that most of the seeds did not bring to the target: it stands where the run ended, which is no time to "
        "the target.",
        TIMES,
        stacked=True,
    ),
    "method_curves": About(
        "Loss of every method against updates, epochs and seconds",
        "Every variant is a line. In grey they show the range; in colour is the best variant of each group, or what "
        "the list above the charts asks for: a group, or one method by name. The same runs can change places from one "
        "axis to the next. Point at a line for its name.",
        {"curves": ("test_loss", "validation_metric", "update", "epoch", "seconds")},
    ),
    "method_trade_off": About(
        "What speed and staleness cost",
        "Down is more accurate, left is quicker or fresher. The numbered steps join the variants that no other one "
        "beats in both. Methods on one vertical line of the second chart are equally stale: what sets them apart "
        "there is not staleness.",
        {"curves": ("test_metric", "seconds", "epoch"),
         "summaries": ("staleness_mean", "seconds_per_update")},
    ),
    "method_rates": About(
        "Validation loss at every learning rate",
        "A row is a variant, a cell the loss at one learning rate after the same number of samples, the darker the "
        "lower. A wide dark band is a method that forgives a rate which is off; a single dark cell is one that does "
        "not. A cross is a rate at which a run diverged.",
        {"tuning": ("validation_loss", "diverged", "best_learning_rate", "at_edge")},
        stacked=True,
    ),
}  # fmt: skip
