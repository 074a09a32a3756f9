"""Which figure suits what a notebook has in hand: a timeline, a replay, or a dataset of results."""

from typing import Any

from rebuttal.base.errors import refuse
from rebuttal.core.timeline import Timeline

# The figure of a dataset by what only it holds, the first that fits.
BY_VARIABLE = {
    "iteration_seconds_simulated": "backups_order_statistics",
    "staleness_count": "utilisation",
    "at_edge": "learning_rates",
    "validation_metric": "convergence",
    "start_s": "one_timeline",
    "overlap_bound": "layer_wise_speedups",
    "server_speedup": "overlap_delay_server",
    "flops": "layer_ratios",
    "fastest": "batch_latency_map",
    "efficiency": "scaling",
    "total_peak_bytes": "memory",
    "half_batch": "throughput",
    "of_upper": "rates",
    "over_best": "smoothing_map",
    "over_accelerated": "adversarial",
    "log_time_ratio": "worker_counts",
    "predicted_s": "calibration_error",
    "largest_difference": "equivalence",
    "at_batch": "peak_speedups",
    "sample_s": "throughput",
    "guaranteed": "delay_map",
    "formula_rate": "continuous_time",
}


def figure_of(data: Any) -> str:
    """The figure that suits a timeline, a Gantt table or a dataset."""
    if isinstance(data, Timeline):
        return "one_timeline"
    if "learning_rate" in getattr(data, "dims", ()) and "point" in data.dims:
        return "replay"
    held = set(getattr(data, "variables", getattr(data, "columns", ())))
    if fitting := [figure for name, figure in BY_VARIABLE.items() if name in held]:
        return fitting[0]
    raise refuse("chart", type(data).__name__, "a timeline, a replay's dataset, or a dataset of results")
