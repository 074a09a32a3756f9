"""What verdicts read from analyses, in plain words: of each variable what it is, and of each analysis what it asks."""

from collections.abc import Mapping
from typing import Any

from rebuttal.evidence.naming import words

FEW = 2  # labels that a table names; of more it says how many
#: Analysis -> what it is, as in 'from the ...'.
ANALYSES = {
    "adversarial": "study of adversarial perturbations",
    "batch_latency": "grid of batch sizes and latencies",
    "continuous_time": "comparison of discrete and continuous time",
    "delay_map": "map of layers and batch sizes",
    "equivalence": "comparison of weights with mini-batch SGD",
    "memory": "memory of full-size models",
    "model_ratios": "ratios of communication to computation",
    "peak_speedups": "largest speed-ups on each machine",
    "rates": "rates of convergence on functions whose best value is known",
    "recorded": "recorded runs on real processes",
    "smoothing_map": "map of where smoothing pays",
    "speedups": "speed-ups of full-size models",
    "throughput": "timing of the measured device over batch sizes",
    "worker_counts": "study of several numbers of workers",
}
#: (Analysis, variable) -> what it is.
VARIABLES = {
    ("adversarial", "fooled"): "share of samples that the perturbation fools",
    ("adversarial", "over_accelerated"): "loss that PPRS leaves minus what the accelerated gradient leaves",
    ("adversarial", "over_gradient"): "loss that PPRS leaves minus what gradient descent leaves",
    ("batch_latency", "speedup"): "speed-up over one communication",
    ("continuous_time", "eigenvalue_ratio"): "largest stable learning rate by eigenvalues over that of the formula",
    ("continuous_time", "equation_ratio"): "largest stable learning rate of the equation over that of the formula",
    ("continuous_time", "order"): "power of the step size in the distance between the discrete and the continuous run",
    ("delay_map", "best_speedup"): "speed-up at the best batch size",
    ("delay_map", "single_speedup"): "speed-up at batch size 1",
    ("delay_map", "speedup"): "speed-up of continuous propagation",
    ("delay_map", "largest_bound_share"): "largest share of the theorem's bound that is used up",
    ("delay_map", "largest_guaranteed"): "largest cost of the delay, in updates, where the theorem bounds it",
    ("delay_map", "smallest_costly"): "smallest cost of the delay, in updates, where it forces a lower learning rate",
    ("equivalence", "relative_difference"): "relative difference of the weights from those of mini-batch SGD",
    ("memory", "live_versions"): "versions of the weights held at once",
    ("memory", "over_all_reduce"): "memory of the fullest node over that of an all-reduce",
    ("model_ratios", "fully_connected_share_of_bytes"): "share of the gradient's bytes in fully connected layers",
    ("model_ratios", "overlap_ceiling"): "most that overlap can gain",
    ("model_ratios", "server_speedup"): "speed-up of a parameter server over an all-reduce",
    ("peak_speedups", "speedup"): "largest speed-up over one communication",
    ("rates", "exponent"): "power of the dimension in the error of PPRS",
    ("rates", "of_fewest"): "updates over the fewest possible",
    ("rates", "of_most"): "updates over the number that theory needs at most",
    ("rates", "of_lower"): "error over its lower bound",
    ("rates", "of_upper"): "error over its upper bound",
    ("rates", "slope"): "power of the number of updates in the error",
    ("recorded", "same_order"): "whether the order of updates is that of the virtual clock (1: yes)",
    ("recorded", "share_agreed"): "share of checksums of weights that were computed again",
    ("smoothing_map", "deeper"): "how many times longer PPRS takes when its pipeline deepens",
    ("smoothing_map", "of_formula"): "time of an update on the virtual clock over that of the formula",
    ("smoothing_map", "of_units"): "time of an update with messages over that of its passes alone",
    ("smoothing_map", "share"): "share of settings in which PPRS is faster than GPipe",
    ("speedups", "overlap_bound"): "most that overlap can gain at any ratio",
    ("speedups", "speedup"): "speed-up over one communication",
    ("throughput", "relative"): "samples per second over those of the best batch size",
    ("worker_counts", "accuracy_gain"): "test accuracy with backups minus that of asynchronous training",
    ("worker_counts", "log_time_ratio"): "logarithm of the seconds with backups over asynchronous seconds",
}  # fmt: skip


def variable(data: str, name: str) -> str:
    """What a variable of an analysis is; its name where no words are known."""
    return VARIABLES.get((data, name), plain(name))


def analysis(data: str) -> str:
    """What an analysis is; its name where no words are known."""
    return ANALYSES.get(data, f"analysis {plain(data)}")


def where(labels: Mapping[str, Any], short: bool = False) -> str:
    """' (form: bucketed; batch: 1 / 2)' of labels by dim; empty for all of them. short: many labels are counted."""
    pairs = {dim: chosen if isinstance(chosen, list) else [chosen] for dim, chosen in labels.items()}
    said = "; ".join(_labels(plain(dim), list(map(str, chosen)), short) for dim, chosen in pairs.items())
    return f" ({said})" if said else ""


def _labels(dim: str, labels: list[str], short: bool) -> str:
    if short and len(labels) > FEW:
        return f"{len(labels)} {dim.removesuffix('s')}{'es' if dim.endswith('ch') else 's'}"
    return f"{dim}: {' / '.join(map(words, labels))}"


def plain(name: str) -> str:
    """A name as a reader says it: 'speedup_bound' -> 'speedup bound'."""
    return name.replace("_", " ")
