"""Figures on stragglers: what backup workers do, what staleness does, and other ways to wait for less."""

from rebuttal.site.captions.about import TARGETS, TIMES, About

CAPTIONS: dict[str, About] = {
    "backups_order_statistics": About(
        "Time of an update against the number of workers",
        "An update waits for the first N of N + b gradients. Lines are the expectation by formula, points "
        "the mean of simulated updates, with its interval, for every doubling of b. Where a line runs off, the "
        "expectation is infinite.",
        {"stragglers": ("iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr")},
    ),
    "best_backups": About(
        "Progress per second against the number of backups",
        "A backup saves the wait for the slowest and gives up its gradient. Above the dashed line the "
        "exchange pays; the ring marks the best number of backups on the grid. The flatter the curve, the "
        "less the choice matters.",
        {"stragglers": ("iteration_seconds_closed_form", "iteration_seconds_simulated")},
    ),
    "backups_effect": About(
        "What the number of backups does",
        "From left to right: the time of one update, the number of updates to the target, and their "
        "product, the seconds to the target; a row for each workload and machine, every axis its own and not "
        "from zero. Zero backups is the synchronous method. The updates differ between machines only through "
        "which gradients are dropped.",
        TIMES,
        across=3,
    ),
    "rate_of_convergence": About(
        "Updates to the target against the size of an update",
        "If backups change the rate only through the number of gradients that an update averages, their "
        "points lie on the line of mini-batch SGD with as many samples.",
        {"curves": ("test_metric", "update", "samples_applied"), **TARGETS},
    ),
    "staleness_error": About(
        "Test error against staleness",
        "Every gradient is applied exactly k updates after its weights were read. One line has its "
        "learning rate tuned for each k, the other keeps one rate: the gap between them is what tuning can "
        "repair.",
        {"curves": ("test_metric", "diverged_at", "learning_rate")},
    ),
    "staleness_distribution": About(
        "How stale the applied gradients are",
        "Staleness is the number of updates made between the reading of the weights and the use of the "
        "gradient. Methods that apply only fresh gradients are named in the line under the title. "
        "The far tail is cut; the table has the largest.",
        {"summaries": ("staleness_count", "staleness_mean", "staleness_q95", "staleness_max", "gradients_dropped")},
    ),
    "softsync_clipping": About(
        "Other ways to handle stragglers",
        "Further left is better in both panels of a workload: the error at the end of training, and the "
        "seconds to the target. A method without a dot in the second did not reach the target.",
        TIMES,
    ),
    "worker_counts": About(
        "Few and more workers",
        "Further right there are more workers, on as many samples in all: staleness grows on one line, the batch on "
        "the other. Lower is better. Two lines are tuned for each number of workers; the third keeps one learning "
        "rate for all, as the paper did for its asynchronous runs.",
        {"worker_counts": ("final_error", "seconds", "missed", "staleness_mean", "accuracy_gain")},
        across=3,
    ),
}  # fmt: skip
