"""How a chain of layers is cut into stages: by one rule, for the clock and for the values."""

import functools
import itertools


@functools.lru_cache(maxsize=1024)
def groups(parameters: tuple[int, ...]) -> tuple[range, ...]:
    """The layers with parameters, each with those without that follow it; leading ones go to the first.

    parameters: how many each layer of the model has. A model without any is one group.
    """
    begins = [layer for layer, count in enumerate(parameters) if count]
    begins = [0, *begins[1:]]
    ends = [*begins[1:], len(parameters)]
    return tuple(range(begin, end) for begin, end in zip(begins, ends, strict=True))


@functools.lru_cache(maxsize=1024)
def cut(parameters: tuple[int, ...], n: int) -> tuple[range, ...]:
    """The layers of each of n stages, in order: about equally many layers with parameters in each."""
    found = groups(parameters)
    edges = [l * len(found) // n for l in range(n + 1)]
    return tuple(range(found[a].start, found[b - 1].stop) for a, b in itertools.pairwise(edges))
