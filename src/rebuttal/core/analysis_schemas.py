"""What each analysis asks and what its file holds: of every variable its dims, its unit, and what it is in words.

The files are `results/PROFILE/analyses/NAME.nc`. Schemas, units, the words of pages and the outputs of the pipeline
follow from here; what computes an analysis is in `rebuttal.studies`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rebuttal.core.schemas import AnalysisSchema, Variable

STAGE = "analyses"  # the stage of the pipeline that writes most of them
NOTHING: Mapping[str, str] = MappingProxyType({})
PLACE = ("model", "machine", "nodes")


def _analysis(
    name: str,
    words: str,
    question: str,
    variables: Mapping[str, Variable],
    axes: Mapping[str, str] = NOTHING,
    stage: str = STAGE,
    fractions: tuple[str, ...] = (),
) -> tuple[str, AnalysisSchema]:
    dims = {each: variable.dims for each, variable in variables.items()}
    return name, AnalysisSchema(name, f"{name}.nc", dims, fractions, words, question, variables, axes, stage)


def _all(names: str, dims: tuple[str, ...], unit: str = "1") -> dict[str, Variable]:
    """Several variables that differ in their names alone, which say what they are."""
    return dict.fromkeys(names.split(), Variable(dims, unit))


_FORM = ("form", *PLACE, "batch")
_RATES = ("case", "horizon", "seed")
_ATTACKS = ("method", "samples", "clock", "share", "seed")
_ON_COUNTS = ("method", "workers", "rate", "seed")
_DELAYS = ("layers", "batch", "seed")
_STEPS = ("problem", "layers", "step")
_SMOOTHED = ("samples", "dimension")
_MODEL_METHOD = ("method", "model")
_SPEEDUP = "speed-up over one communication"

#: Name -> schema, of every analysis.
ANALYSES: dict[str, AnalysisSchema] = dict((
    _analysis(
        "layer_ratios", "ratios of communication to computation, layer by layer",
        "Where are the parameters, where is the time?",
        {
            "parameters": Variable(("layer",)),
            "flops": Variable(("layer",), "operations per sample"),
            "compute_s": Variable(("machine", "layer"), "s"),
            "communication_s": Variable(("machine", "nodes", "layer"), "s"),
            "ratio": Variable(("machine", "nodes", "layer")),
        },
    ),
    _analysis(
        "model_ratios", "ratios of communication to computation",
        "What can overlap, delay or a server gain?",
        _all("compute_s communication_s", PLACE, "s") | _all("ratio delay_ceiling", PLACE)
        | {
            "overlap_ceiling": Variable(PLACE, words="most that overlap can gain"),
            "server_speedup": Variable(PLACE, words="speed-up of a parameter server over an all-reduce"),
            "forward_share": Variable(("model", "machine"), "share"),
            "gradient_bytes": Variable(("model",), "B"),
            "fully_connected_share_of_bytes": Variable(
                ("model",), "share", words="share of the gradient's bytes in fully connected layers"
            ),
        },
        fractions=("forward_share", "fully_connected_share_of_bytes"),
    ),
    _analysis(
        "speedups", "speed-ups of full-size models",
        "How much faster than synchronous SGD with one communication?",
        {
            "step_s": Variable(_FORM, "s"),
            "speedup": Variable(_FORM, words=_SPEEDUP),
            "ratio": Variable((*PLACE, "batch")),
            "overlap_bound": Variable(("bound_ratio",), words="most that overlap can gain at any ratio"),
            "delay_bound": Variable(("bound_ratio",)),
        },
        {"batch": "samples per node"},
    ),
    _analysis(
        "peak_speedups", "largest speed-ups on each machine",
        "How much faster than one communication, at best?",
        {
            "speedup": Variable(("form", "model", "machine"), words="largest speed-up over one communication"),
            "ratio": Variable(("form", "model", "machine")),
            "at_nodes": Variable(("form", "model", "machine")),
            "at_batch": Variable(("form", "model", "machine"), "samples per node"),
        },
    ),
    _analysis(
        "scaling", "scaling of full-size models to many nodes",
        "What is left of each node's throughput as nodes are added?",
        {
            "step_s": Variable(("scaling", "form", *PLACE), "s"),
            "samples_per_s": Variable(("scaling", "form", *PLACE), "samples/s"),
            "efficiency": Variable(("scaling", "form", *PLACE)),
        },
    ),
    _analysis(
        "batch_latency", "grid of batch sizes and latencies",
        "What does each form do at small batches and high latency?",
        {
            "step_s": Variable(("form", "model", "machine", "batch", "latency_s"), "s"),
            "speedup": Variable(("form", "model", "machine", "batch", "latency_s"), words=_SPEEDUP),
        },
        {"batch": "samples per node", "latency_s": "s"},
    ),
    _analysis(
        "throughput", "timing of the measured device over batch sizes",
        "Do larger tensors use the device better?",
        {
            "gradient_s": Variable(("workload", "samples"), "s"),
            "samples_per_s": Variable(("workload", "samples"), "samples/s"),
            "relative": Variable(
                ("workload", "samples"), "share", words="samples per second over those of the best batch size"
            ),
            "fixed_s": Variable(("workload",), "s"),
            "sample_s": Variable(("workload",), "s per sample"),
            "half_batch": Variable(("workload",), "samples"),
        },
        {"samples": "samples"},
    ),
    _analysis(
        "memory", "memory of full-size models",
        "How much memory does the fullest node need?",
        {
            "peak_bytes": Variable(("method", "model", "kind"), "B"),
            "total_peak_bytes": Variable(_MODEL_METHOD, "B"),
            "live_versions": Variable(_MODEL_METHOD, words="versions of the weights held at once"),
            "over_all_reduce": Variable(
                _MODEL_METHOD, words="memory of the fullest node over that of an all-reduce"
            ),
        },
    ),
    _analysis(
        "equivalence", "comparison of weights with mini-batch SGD",
        "Do the forms compute the weights of mini-batch SGD?",
        {
            "largest_difference": Variable(("form", "workload", "dtype", "seed", "update")),
            "relative_difference": Variable(
                ("form", "workload", "dtype", "seed", "update"),
                words="relative difference of the weights from those of mini-batch SGD",
            ),
        },
    ),
    _analysis(
        "delay_map", "map of layers and batch sizes",
        "Which method is faster, for which depth, delay and batch?",
        {
            "updates": Variable(_DELAYS, "updates"),
            "inflation": Variable(_DELAYS),
            "guaranteed": Variable(_DELAYS),
            "costly": Variable(_DELAYS),
            "rate": Variable(("layers", "batch")),
            "onset": Variable(("layers", "batch"), "updates"),
            "delay": Variable(("layers",), "updates"),
            "stability_limit": Variable(("layers",)),
            "bound_share": Variable(("layers", "batch", "bound_updates", "seed")),
            "ticks": Variable(("method", "layers", "batch", "half_batch", "seed"), "ticks"),
            "speedup": Variable(
                ("layers", "batch", "half_batch", "seed"), words="speed-up of continuous propagation"
            ),
            "best_speedup": Variable(
                ("layers", "half_batch", "seed"), words="speed-up at the best batch size"
            ),
            "single_speedup": Variable(("layers", "half_batch", "seed"), words="speed-up at batch size 1"),
            "largest_guaranteed": Variable(
                ("seed",), words="largest cost of the delay, in updates, where the theorem bounds it"
            ),
            "smallest_costly": Variable(
                ("seed",), words="smallest cost of the delay, in updates, where it forces a lower learning rate"
            ),
            "largest_bound_share": Variable(
                ("seed",), "share", words="largest share of the theorem's bound that is used up"
            ),
        },
        {"batch": "samples", "bound_updates": "updates", "half_batch": "samples"},
    ),
    _analysis(
        "continuous_time", "comparison of discrete and continuous time",
        "Does the differential equation say what the algorithm does?",
        _all("distance distance_flow distance_plain", _STEPS)
        | _all("formula_rate eigenvalue_rate equation_rate midpoint_rate midpoint_ratio", ("delay",))
        | {
            "order": Variable(
                ("problem", "layers"),
                words="power of the step size in the distance between the discrete and the continuous run",
            ),
            "eigenvalue_ratio": Variable(
                ("delay",), words="largest stable learning rate by eigenvalues over that of the formula"
            ),
            "equation_ratio": Variable(
                ("delay",), words="largest stable learning rate of the equation over that of the formula"
            ),
        },
        {"delay": "ticks"},
    ),
    _analysis(
        "rates", "rates of convergence on functions whose best value is known",
        "Do errors fall with the updates as theory says?",
        _all("upper lower", ("case", "horizon"))
        | {
            "error": Variable(_RATES),
            "of_upper": Variable(_RATES, words="error over its upper bound"),
            "of_lower": Variable(_RATES, words="error over its lower bound"),
            "slope": Variable(("case", "seed"), words="power of the number of updates in the error"),
            "order": Variable(("case",)),
            "exponent": Variable(("seed",), words="power of the dimension in the error of PPRS"),
            "by_dimension": Variable(("dimension", "seed")),
            "flat_slope": Variable(("first_order",)),
            "flat_updates": Variable(("first_order", "links")),
            "of_fewest": Variable(("first_order", "links"), words="updates over the fewest possible"),
            "of_most": Variable(
                ("first_order", "links"), words="updates over the number that theory needs at most"
            ),
        },
    ),
    _analysis(
        "smoothing_map", "map of where smoothing pays",
        "Where does PPRS beat GPipe, and how much of practice lies there?",
        _all("practical_depth practical_dimension", ("model",))
        | _all("clock_units formula_units", ("clock_depth", "clock_samples"))
        | {
            "over_gradient": Variable(("depth", *_SMOOTHED, "accuracy", "seed")),
            "over_best": Variable(("depth", *_SMOOTHED, "smoothness", "accuracy", "seed")),
            "practical": Variable(("model", "samples", "accuracy", "seed")),
            "share": Variable(("place", "seed"), "share", words="share of settings in which PPRS is faster than GPipe"),
            "deeper": Variable(
                ("dimension", "accuracy", "seed"),
                words="how many times longer PPRS takes when its pipeline deepens",
            ),
            "constant": Variable(("rate", "seed")),
            "step_s": Variable(("method", "step_model", "machine"), "s"),
            "of_units": Variable(
                ("step_model", "machine"),
                words="time of an update with messages over that of its passes alone",
            ),
            "of_formula": Variable(
                ("clock_depth", "clock_samples"),
                words="time of an update on the virtual clock over that of the formula",
            ),
        },
        {"samples": "samples"},
    ),
    _analysis(
        "adversarial", "study of adversarial perturbations",
        "Does smoothing pay where adversarial perturbations are sought?",
        _all("left length", _ATTACKS)
        | _all("rate width at_edge", ("method", "samples", "clock"))
        | {
            "fooled": Variable(_ATTACKS, "share", words="share of samples that the perturbation fools"),
            "over_gradient": Variable(
                ("samples", "clock", "seed"), words="loss that PPRS leaves minus what gradient descent leaves"
            ),
            "over_accelerated": Variable(
                ("samples", "clock", "seed"),
                words="loss that PPRS leaves minus what the accelerated gradient leaves",
            ),
        },
    ),
    _analysis(
        "worker_counts", "study of several numbers of workers",
        "Does the better of the two change with the number of workers?",
        {
            "final_error": Variable(_ON_COUNTS),
            "seconds": Variable(_ON_COUNTS, "s"),
            "missed": Variable(_ON_COUNTS),
            "seconds_per_update": Variable(("method", "workers", "seed"), "s"),
            "staleness_mean": Variable(("method", "workers", "seed"), "updates"),
            "log_time_ratio": Variable(
                ("workers", "seed"), words="logarithm of the seconds with backups over asynchronous seconds"
            ),
            "accuracy_gain": Variable(
                ("workers", "against", "seed"),
                words="test accuracy with backups minus that of asynchronous training",
            ),
        },
        stage="worker_counts",
    ),
    _analysis(
        "recorded", "recorded runs on real processes",
        "Does the mechanism work on real processes?",
        _all("checksums stages_at_once messages", ("run",))
        | {
            "share_agreed": Variable(
                ("run",), "share", words="share of checksums of weights that were computed again"
            ),
            "same_order": Variable(
                ("run",), words="whether the order of updates is that of the virtual clock (1: yes)"
            ),
            "update_s": Variable(("run",), "s"),
        },
        stage="real_runs",
    ),
))  # fmt: skip
