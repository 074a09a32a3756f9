"""What each picture is of: the options of its run, its title, and its entries in the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Story:
    """One picture: `seconds` is its width in time; `scaled` writes 1/τ on stale gradients instead of τ.

    With `stages` its machine has four equal nodes, each of which holds a stage of the model.
    """

    title: str
    options: Mapping[str, int | float] = field(default_factory=dict)
    seconds: float = 9.5
    scaled: bool = False
    stages: bool = False


BUCKETS = {"first_mib": 40 / 2**20, "cap_mib": 40 / 2**20}  # two of the four layers of 25 bytes each

STORIES: dict[str, Story] = {
    "mini_batch": Story("Mini-batch SGD: one node computes all four batches itself", {"shards": 4}),
    "all_reduce": Story("All-reduce: four equal replicas, and everyone waits for the slowest"),
    "layer_wise": Story("Layer by layer, blocking: one all-reduce after the other, and nothing overlaps"),
    "layer_wise_overlapped": Story("Overlapped: a layer is reduced while those below still compute"),
    "bucketed": Story("Buckets of two layers: fewer messages, and nearly the same overlap", BUCKETS),
    "layer_wise_asynchronous": Story("AGD: each layer is reduced, waited for and updated by itself"),
    "delayed_all_reduce": Story("Delayed all-reduce, k = 1: reduced beside the next gradient", {"k": 1}),
    "delayed_layer_wise": Story(
        "Delayed layer-wise, k = 1: a layer is updated just before its use", {"k": 1}
    ),
    "local_sgd": Story("Local SGD, H = 2: two updates of one's own, then the mean of all", {"H": 2}),
    "elastic_averaging": Story(
        "Elastic averaging, τ = 2: worker and centre pull each other", {"tau": 2, "alpha": 0.2}
    ),
    "synchronous": Story("Synchronous SGD: the server waits for the slowest of four workers"),
    "asynchronous": Story("Asynchronous SGD: every gradient is an update, and nobody waits", seconds=7.0),
    "asynchronous_clipped": Story(
        "Asynchronous SGD with clipping: the same clock, shorter steps", {"c": 1.0}, 7.0
    ),
    "delay_compensated": Story(
        "Delay-compensated asynchronous SGD: late gradients are corrected on arrival", {"by": 0.04}, 7.0
    ),
    "downpour": Story(
        "Downpour SGD: two gradients from one fetch to the next, and two in a push",
        {"n_fetch": 2, "n_push": 2},
    ),
    "stale_synchronous": Story(
        "Stale synchronous parallel, s = 1: at most one gradient ahead of the slowest", {"s": 1}
    ),
    "one_sided": Story("One-sided parameter server: layers are read and written without the server"),
    "hogwild": Story(
        "Hogwild!: four threads on one set of weights, layer by layer, without locks", seconds=7.0
    ),
    "bounded_delay": Story(
        "Bounded delay, B = 2: four blocks of the weights, each with its own node", {"B": 2}
    ),
    "softsync": Story("Softsync, n = 2: an update for every two gradients, of any age", {"n": 2}, 7.0),
    "softsync_aware": Story(
        "Staleness-aware softsync, n = 2: older gradients count less", {"n": 2}, 7.0, scaled=True
    ),
    "backup_workers": Story(
        "Backup workers, b = 1: the first three of four gradients make an update", {"b": 1}
    ),
    "k_sync": Story("K-sync, b = 1: three of four, and the fourth gives up at once", {"b": 1}),
    "delayed": Story("Delayed gradients, k = 2: computed on the weights of two updates ago", {"k": 2}),
    "model_parallel": Story(
        "Model parallelism without a pipeline: one of four stages works at a time",
        seconds=19.0,
        stages=True,
    ),
    "gpipe": Story(
        "GPipe, m = 4: four micro-batches go up, all come down, and then the update",
        {"m": 4},
        seconds=19.0,
        stages=True,
    ),
    "one_forward_one_backward": Story(
        "1F1B, m = 4: GPipe's update, with each backward pass as early as it can be",
        {"m": 4},
        seconds=19.0,
        stages=True,
    ),
    "zero_bubble": Story(
        "Zero-bubble H1, m = 4: the weights' gradients fill what 1F1B leaves idle",
        {"m": 4},
        seconds=19.0,
        stages=True,
    ),
    "pipedream": Story(
        "PipeDream: every batch is an update, at the weights of its forward pass",
        seconds=19.0,
        stages=True,
    ),
    "continuous_propagation": Story(
        "Continuous propagation: never drained, and the first stage is six updates late",
        seconds=19.0,
        stages=True,
    ),
    "synthetic_gradients": Story(
        "Synthetic gradients: no stage waits for the loss, and the true δ teaches later",
        seconds=19.0,
        stages=True,
    ),
    "greedy": Story(
        "Decoupled greedy learning: each stage has a loss of its own; nothing is sent back",
        seconds=19.0,
        stages=True,
    ),
    "nesterov": Story(
        "Nesterov's accelerated gradient, m = 4, in a pipeline that is filled and drained",
        {"m": 4, "pipelined": True},
        seconds=19.0,
        stages=True,
    ),
    "pprs": Story(
        "PPRS, K = 4: four perturbed copies of one batch fill the pipeline",
        {"K": 4},
        seconds=19.0,
        stages=True,
    ),
}


def story_of(name: str) -> Story:
    """The story of a method; one without an entry is drawn with its default options, under its own name."""
    return STORIES.get(name) or Story(name.replace("_", " ").capitalize())
