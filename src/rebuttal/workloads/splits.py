"""Fixed training, validation and test splits: the same for every run, whatever its seed."""

import numpy as np

from rebuttal.base import seeding


def stratified(name: str, labels: np.ndarray, sizes: tuple[int, ...]) -> list[np.ndarray]:
    """Index arrays of the given sizes, disjoint, each with the classes in proportion (to within one item).

    The items are shuffled by a stream of the data set's `name`, then read class by class at equal pace: an
    item's place is its rank within its class divided by the size of the class. Any head of that order is
    stratified.
    """
    order = seeding.generator(0, "split", name).permutation(len(labels))
    shuffled = labels[order]
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(shuffled == label)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    paced = order[np.argsort(place, kind="stable")]
    return np.split(paced, np.cumsum(sizes))[: len(sizes)]
