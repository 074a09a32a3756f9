"""What stands beside each figure: its title, how to read it, and the variables that it is drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass

TARGETS = {"tuning": ("validation_metric", "best_learning_rate")}
TIMES = {"curves": ("test_metric", "seconds", "update"), **TARGETS}

#: Figures of the analyses without training, in the order of their page.
ON_MACHINES = ("where_time_is", "layer_ratios", "overlap_delay_server", "layer_wise_speedups", "batch_latency_map",
               "scaling", "memory", "throughput")  # fmt: skip

#: Figures of the virtual clock against the real one, in the order of their page.
ON_CALIBRATION = ("calibration_error", "calibration_scatter", "calibration_shipped")


@dataclass(frozen=True)
class About:
    """What stands beside a figure. read: how to read it, without any result; variables: per kind of file."""

    title: str
    read: str
    variables: Mapping[str, tuple[str, ...]]
    across: int = 0  # panels side by side; 0: by their number
    stacked: bool = False  # panels of unequal height, filling one column after the other


ABOUT: dict[str, About] = {
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
    "tuning_budget": About(
        "What tuning more would gain",
        "Had only n of the grid's learning rates been tried, drawn at random, and the best of them kept, this "
        "validation error would be expected. A line that is level on the right has been tuned enough; one that still "
        "falls has not. Every method had as many trials. Of each method the best variant is drawn. The "
        "checklist at the end has the verdicts for several n.",
        {"tuning": ("validation_loss", "validation_metric", "diverged")},
    ),
    "worker_counts": About(
        "Few and more workers",
        "Further right there are more workers, on as many samples in all: staleness grows on one line, the batch on "
        "the other. Lower is better. Two lines are tuned for each number of workers; the third keeps one learning "
        "rate for all, as the paper did for its asynchronous runs.",
        {"worker_counts": ("final_error", "seconds", "missed", "staleness_mean", "accuracy_gain")},
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
    "throughput": About(
        "Throughput against the batch, on this device",
        "Were time proportional to the batch, every line would be level. They rise as far as larger tensors use "
        "the device better; in the second panel the dashed line marks half of the best. Each point is the sum of "
        "the medians of the layers' passes.",
        {"throughput": ("gradient_s", "samples_per_s", "relative", "half_batch")},
    ),
    "calibration_error": About(
        "Error of the predicted seconds per update",
        "A dot at zero is a prediction that came true; left of it the virtual clock is too quick, right of it too "
        "slow. Each repetition measures the costs of this host anew, predicts every run from them and then makes it. "
        "A wide interval says that the host was not the same from one repetition to the next.",
        {"calibration": ("predicted_s", "measured_s")},
        across=2,
    ),
    "calibration_scatter": About(
        "Predicted against measured seconds per update",
        "On the dashed line both are equal. Every point is a method; where points lie above one another, the clock "
        "takes methods for different that are not.",
        {"calibration": ("predicted_s", "measured_s")},
    ),
    "calibration_shipped": About(
        "What PyTorch ships, beside ours",
        "Further left is quicker. Both train the same model on batches of the same size, on as many processes with one "
        "thread each. Ours notes everything that it does, for a replay to the bit; PyTorch's does not.",
        {"calibration": ("measured_s",)},
        across=2,
    ),
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
