"""In which order a stage of a pipeline makes its passes: each schedule of the literature, stated once.

A pass is (kind, micro-batch): F is forward, B backward, and where B means only the gradient with respect to the
activations, W is the gradient with respect to the weights. An order says nothing of time: a stage makes each pass as
soon as the one before is done and its input is there.

Letters: s number of the stage from 0, S how many stages there are, M micro-batches of an update.
"""

from collections.abc import Iterator
from itertools import count

Pass = tuple[str, int]
F, B, W = "F", "B", "W"


def one_at_a_time(s: int, S: int, M: int) -> Iterator[Pass]:
    """Each micro-batch goes forward and back before the next one comes: no pipeline."""
    for m in range(M):
        yield F, m
        yield B, m


def gpipe(s: int, S: int, M: int) -> Iterator[Pass]:
    """All forward passes, then all backward passes from the last to the first (GPipe, Huang et al. 2019).

    The last stage has the last micro-batch at hand when the forward passes end, so it begins with that one.
    """
    yield from ((F, m) for m in range(M))
    yield from ((B, m) for m in reversed(range(M)))


def one_forward_one_backward(s: int, S: int, M: int) -> Iterator[Pass]:
    """S − 1 − s forward passes ahead, then forward and backward in turn, then what is left of the backward passes.

    PipeDream-Flush (Narayanan et al. 2021) and DAPPLE (Fan et al. 2021): at most S − s micro-batches wait at stage s
    for their backward pass.
    """
    ahead = min(S - 1 - s, M)
    yield from ((F, m) for m in range(ahead))
    for m in range(M):
        if m + ahead < M:
            yield F, m + ahead
        yield B, m


def zero_bubble_h1(s: int, S: int, M: int) -> Iterator[Pass]:
    """As 1F1B with the backward pass in two halves; stage s makes W of a micro-batch s backward passes later.

    ZB-H1 (Qi et al. 2024): the late halves fill what would be a bubble at the end, and no stage keeps more
    than S micro-batches, as the first of 1F1B does.
    """
    for kind, m in one_forward_one_backward(s, S, M):
        yield kind, m
        if kind == B and m >= s:
            yield W, m - s
    yield from ((W, m) for m in range(max(0, M - s), M))


def pipelined(s: int, S: int) -> Iterator[Pass]:
    """1F1B without end: nothing is ever drained (PipeDream, Narayanan et al. 2019)."""
    yield from _ahead_without_end(S - 1 - s)


def continuous(s: int, S: int) -> Iterator[Pass]:
    """One forward and one backward pass in each tick, of micro-batches D = 2 (S − 1 − s) apart, without end.

    A sample reaches the loss S − 1 − s ticks after it was at stage s, and its δ comes back as many ticks later
    (pipelined back-propagation at the finest grain, Pétrowski et al. 1993).
    """
    yield from _ahead_without_end(2 * (S - 1 - s))


def _ahead_without_end(D: int) -> Iterator[Pass]:
    """Forward passes keep D ahead of backward passes: F(0) … F(D), B(0), F(D + 1), B(1), …."""
    yield from ((F, m) for m in range(D))
    for m in count():
        yield F, m + D
        yield B, m
