"""What a method may ask of a cluster.

A method is a set of generators, one per node, that yield these requests and are resumed with the answer. It never
measures time, logs, evaluates or reads configuration, so the same file runs on any cluster.

| request                       | the program is resumed with                              | when                      |
|-------------------------------|----------------------------------------------------------|---------------------------|
| `Compute(operation, args)`    | the value of `operation(*args)`                          | once it is computed       |
| `Compute(…, unless=tag)`      | the value, or None if a message with that tag came first | whichever is earlier      |
| `Send(to, tag, value)`        | None                                                     | at once (buffered)        |
| `Recv(tag)`                   | (source, value) of the oldest message with that tag      | once there is one         |
| `Recv(tag, latest=True)`      | (source, value) of the newest; the older are discarded   | once there is one         |
| `AllReduce(tag, value)`       | the mean of all participants' values, in node order      | once all have contributed |
| `Report(weights)`             | True to go on, False when the run's budget is spent      | at once                   |
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Compute:
    """Run `operation(*args)` on this node; `unless` names the message that makes the node abandon it."""

    operation: Callable[..., Any]
    args: tuple = ()
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Put `value` on the way to node `to`; the sender goes on at once."""

    to: int
    tag: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Recv:
    """Wait for a message with this tag, from `source` only if one is given."""

    tag: str
    source: int | None = None
    latest: bool = False


@dataclass(frozen=True, slots=True)
class AllReduce:
    """Contribute `value` and wait for the mean over all `participants` (node numbers, in order)."""

    tag: str
    value: Any
    participants: Sequence[int]


@dataclass(frozen=True, slots=True)
class Report:
    """Announce the weights after an update (the first report: before any). The cluster counts updates with it."""

    weights: Any


Request = Compute | Send | Recv | AllReduce | Report
Program = Generator[Request, Any, None]
