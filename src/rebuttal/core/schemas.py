"""What each kind of result file must hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

RUN = ("method", "workload", "machine")
CURVE = (*RUN, "rate", "seed", "point")
AXIS = (*RUN, "seed", "point")


@dataclass(frozen=True)
class Schema:
    """What a kind of file must hold: the dims of every variable, and where the file is in a study's folder."""

    name: str
    pattern: str
    variables: Mapping[str, tuple[str, ...]]
    fractions: tuple[str, ...] = ()


def _all(names: Iterable[str], dims: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names, dims)


CURVES = Schema(
    "curves",
    "training/*/curves.nc",
    _all(("training_loss", "test_loss", "test_metric", "validation_loss", "validation_metric"), CURVE)
    | {"diverged_at": CURVE[:5], "learning_rate": CURVE[:4]}
    | _all(("update", "epoch", "samples_computed", "samples_applied", "seconds"), AXIS),
    fractions=("test_metric", "validation_metric"),
)
TUNING = Schema(
    "tuning",
    "tuning/*.nc",
    _all(("validation_loss", "validation_metric", "diverged"), (*RUN, "learning_rate", "seed"))
    | _all(("best_learning_rate", "at_edge"), RUN),
    fractions=("validation_metric",),
)
SUMMARIES = Schema(
    "summaries",
    "summaries/*.nc",
    _all(
        ("seconds_per_update", "gradients_computed", "gradients_applied", "gradients_dropped", "bytes_sent",
         "utilisation", "staleness_mean", "staleness_max", "staleness_q95"), (*RUN, "seed"))
    | {"staleness_count": (*RUN, "staleness")},
    fractions=("utilisation",),
)  # fmt: skip
STRAGGLERS = Schema(
    "stragglers",
    "stragglers.nc",
    _all(("iteration_seconds_closed_form", "iteration_seconds_simulated", "iteration_seconds_stderr"),
                  ("straggler", "workers", "backups")),
)  # fmt: skip

CALIBRATION = Schema(
    "calibration",
    "calibration.nc",
    _all(("measured_s", "predicted_s"), ("method", "nodes", "workload", "stragglers", "repetition"))
    | {"cost_s": ("cost", "nodes", "workload", "repetition")},
)

PLACE = ("model", "machine", "nodes")
# The analyses, in one folder of their own: name -> what its file holds.
ANALYSES = {
    schema.name: schema
    for schema in (
        Schema(
            "layer_ratios",
            "layer_ratios.nc",
            _all(("parameters", "flops"), ("layer",))
            | {"compute_s": ("machine", "layer")}
            | _all(("communication_s", "ratio"), ("machine", "nodes", "layer")),
        ),
        Schema(
            "model_ratios",
            "model_ratios.nc",
            _all(("compute_s", "communication_s", "ratio", "overlap_ceiling", "delay_ceiling", "server_speedup"), PLACE)
            | {"forward_share": ("model", "machine")}
            | _all(("gradient_bytes", "fully_connected_share_of_bytes"), ("model",)),
            fractions=("forward_share", "fully_connected_share_of_bytes"),
        ),
        Schema(
            "speedups",
            "speedups.nc",
            _all(("step_s", "speedup"), ("form", *PLACE, "batch"))
            | {"ratio": (*PLACE, "batch")}
            | _all(("overlap_bound", "delay_bound"), ("bound_ratio",)),
        ),
        Schema(
            "scaling",
            "scaling.nc",
            _all(("step_s", "samples_per_s", "efficiency"), ("scaling", "form", *PLACE)),
        ),
        Schema(
            "batch_latency",
            "batch_latency.nc",
            _all(("step_s", "speedup"), ("form", "model", "machine", "batch", "latency_s")),
        ),
        Schema(
            "memory",
            "memory.nc",
            {"peak_bytes": ("method", "model", "kind")}
            | _all(("total_peak_bytes", "live_versions", "over_all_reduce"), ("method", "model")),
        ),
        Schema(
            "rates",
            "rates.nc",
            _all(("error", "of_upper", "of_lower"), ("case", "horizon", "seed"))
            | _all(("upper", "lower"), ("case", "horizon"))
            | {"slope": ("case", "seed"), "order": ("case",), "exponent": ("seed",)}
            | {"by_dimension": ("dimension", "seed"), "flat_slope": ("first_order",)}
            | _all(("flat_updates", "of_fewest", "of_most"), ("first_order", "links")),
        ),
        Schema(
            "smoothing_map",
            "smoothing_map.nc",
            {"over_gradient": ("depth", "samples", "dimension", "accuracy", "seed")}
            | {"over_best": ("depth", "samples", "dimension", "smoothness", "accuracy", "seed")}
            | {"practical": ("model", "samples", "accuracy", "seed"), "share": ("place", "seed")}
            | {"deeper": ("dimension", "accuracy", "seed")}
            | {"constant": ("rate", "seed"), "step_s": ("method", "step_model", "machine")}
            | {"of_units": ("step_model", "machine")}
            | _all(("practical_depth", "practical_dimension"), ("model",))
            | _all(("clock_units", "formula_units", "of_formula"), ("clock_depth", "clock_samples")),
        ),
        Schema(
            "adversarial",
            "adversarial.nc",
            _all(("left", "fooled", "length"), ("method", "samples", "clock", "share", "seed"))
            | _all(("rate", "width", "at_edge"), ("method", "samples", "clock"))
            | _all(("over_gradient", "over_accelerated"), ("samples", "clock", "seed")),
        ),
        Schema(
            "worker_counts",
            "worker_counts.nc",
            _all(("final_error", "seconds", "missed"), ("method", "workers", "rate", "seed"))
            | _all(("seconds_per_update", "staleness_mean"), ("method", "workers", "seed"))
            | {"log_time_ratio": ("workers", "seed"), "accuracy_gain": ("workers", "against", "seed")},
        ),
        Schema(
            "recorded",
            "recorded.nc",
            _all(("checksums", "share_agreed", "same_order", "update_s", "stages_at_once", "messages"), ("run",)),
        ),
        Schema(
            "throughput",
            "throughput.nc",
            _all(("gradient_s", "samples_per_s", "relative"), ("workload", "samples"))
            | _all(("fixed_s", "sample_s", "half_batch"), ("workload",)),
        ),
        Schema(
            "peak_speedups",
            "peak_speedups.nc",
            _all(("speedup", "ratio", "at_nodes", "at_batch"), ("form", "model", "machine")),
        ),
        Schema(
            "equivalence",
            "equivalence.nc",
            _all(("largest_difference", "relative_difference"), ("form", "workload", "dtype", "seed", "update")),
        ),
        Schema(
            "delay_map",
            "delay_map.nc",
            _all(("updates", "inflation", "guaranteed", "costly"), ("layers", "batch", "seed"))
            | _all(("rate", "onset"), ("layers", "batch"))
            | _all(("delay", "stability_limit"), ("layers",))
            | {"bound_share": ("layers", "batch", "bound_updates", "seed"),
               "ticks": ("method", "layers", "batch", "half_batch", "seed"),
               "speedup": ("layers", "batch", "half_batch", "seed"),
               "best_speedup": ("layers", "half_batch", "seed"), "single_speedup": ("layers", "half_batch", "seed")}
            | _all(("largest_guaranteed", "smallest_costly", "largest_bound_share"), ("seed",)),
        ),
        Schema(
            "continuous_time",
            "continuous_time.nc",
            _all(("distance", "distance_flow", "distance_plain"), ("problem", "layers", "step"))
            | {"order": ("problem", "layers")}
            | _all(("formula_rate", "eigenvalue_rate", "equation_rate", "midpoint_rate", "eigenvalue_ratio",
                    "equation_ratio", "midpoint_ratio"), ("delay",)),
        ),
    )
}  # fmt: skip
