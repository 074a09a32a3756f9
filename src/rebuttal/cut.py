"""How a chain of layers is cut into stages: by one rule, for the clock and for the values."""

import itertools
from collections.abc import Sequence


def groups(parameters: Sequence[int]) -> list[range]:
    """The layers with parameters, each with those without that follow it; leading ones go to the first.

    parameters: how many each layer of the model has. A model without any is one group.
    """
    begins = [layer for layer, count in enumerate(parameters) if count]
    begins = [0, *begins[1:]]
    ends = [*begins[1:], len(parameters)]
    return [range(begin, end) for begin, end in zip(begins, ends, strict=True)]


def cut(parameters: Sequence[int], n: int) -> list[range]:
    """The layers of each of n stages, in order: about equally many layers with parameters in each."""
    found = groups(parameters)
    edges = [l * len(found) // n for l in range(n + 1)]
    return [range(found[a].start, found[b - 1].stop) for a, b in itertools.pairwise(edges)]
