"""What each picture is of: the options of its run, its title, and its entries in the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Story:
    """One picture: `seconds` is its width in time; `scaled` writes 1/τ on stale gradients instead of τ."""

    title: str
    options: Mapping[str, int | float] = field(default_factory=dict)
    seconds: float = 9.5
    scaled: bool = False


STORIES: dict[str, Story] = {
    "mini_batch": Story("Mini-batch SGD: one node computes all four batches itself", {"shards": 4}),
    "all_reduce": Story("All-reduce: four equal replicas, and everyone waits for the slowest"),
    "synchronous": Story("Synchronous SGD: the server waits for the slowest of four workers"),
    "asynchronous": Story("Asynchronous SGD: every gradient is an update, and nobody waits", seconds=7.0),
    "asynchronous_clipped": Story(
        "Asynchronous SGD with clipping: the same clock, shorter steps", {"c": 1.0}, 7.0
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
}
