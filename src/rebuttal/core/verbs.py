"""What a method may ask of a cluster.

A method is a set of generators, one per node, that yield these requests and are resumed with the answer. It never
measures time, logs, evaluates or reads configuration, so the same file runs on any cluster.

| request                         | the program is resumed with                            | when                      |
|---------------------------------|--------------------------------------------------------|---------------------------|
| `Compute(operation, args)`      | the value of `operation(*args)`                        | once it is computed       |
| `Compute(…, unless=tag)`        | the value, or None if a message with that tag came first | whichever is earlier    |
| `Send(to, tag, value)`          | None                                                   | at once (buffered)        |
| `Recv(tag)`                     | (source, value) of the oldest message with that tag    | once there is one         |
| `Recv(tag, latest=True)`        | (source, value) of the newest; the older are discarded | once there is one         |
| `AllReduce(tag, value)`         | the mean of all participants' values, in node order    | once all have contributed |
| `AllReduce(…, blocking=False)`  | a handle; the node goes on while its channel works     | at once                   |
| `Wait(handle)`                  | the mean that the handle stands for                    | once it is there          |
| `Write(cell, value, at)`        | None                                                   | once it is written        |
| `Read(cell, at)`                | what the cell holds                                    | once it is read           |
| `Modify(cell, operation, args)` | the cell's new content, `operation(content, *args)`    | once it is written, after |
|                                 |                                                        | the cell's first content  |
| `Report(weights)`               | True to go on, False when the run's budget is spent    | at once                   |

A *cell* is a place in memory that several nodes see: the node `at` owns it and the others reach it over the network
without its help (one-sided), or, with `at` None, it is memory of the machine that all nodes run on, as threads do.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

# Requests are not frozen: a run makes one at every step, and freezing makes that take four times as long.


@dataclass(slots=True)
class Compute:
    """Run `operation(*args)` on this node; `unless` names the message that makes the node abandon it."""

    operation: Callable[..., Any]
    args: tuple = ()
    unless: str | None = None


@dataclass(slots=True)
class Send:
    """Put `value` on the way to node `to`; the sender goes on at once."""

    to: int
    tag: str
    value: Any = None


@dataclass(slots=True)
class Recv:
    """Wait for a message with this tag, from `source` only if one is given."""

    tag: str
    source: int | None = None
    latest: bool = False


@dataclass(slots=True)
class AllReduce:
    """Contribute `value` and wait for the mean over all `participants` (node numbers, in order).

    A tuple is averaged part by part in one message. What is no gradient names the `operation` that makes one value of
    all, in the participants' order (`averaged` for states). With `blocking=False` the answer is a handle for `Wait`.
    All nodes must begin their collectives of one `channel` in one order; channels work side by side and share the wire.
    """

    tag: str
    value: Any
    participants: Sequence[int]
    blocking: bool = True
    channel: int = 0
    operation: Callable[..., Any] | None = None


@dataclass(slots=True)
class Wait:
    """Wait for what a non-blocking request promised."""

    handle: Any


@dataclass(slots=True)
class Write:
    """Put `value` into a cell, over whatever it holds."""

    cell: str
    value: Any
    at: int | None = None


@dataclass(slots=True)
class Read:
    """The content of a cell; waits for its first content."""

    cell: str
    at: int | None = None


@dataclass(slots=True)
class Modify:
    """Replace a cell's content c by `operation(c, *args)`, with no other change in between; waits for the first one."""

    cell: str
    operation: Callable[..., Any]
    args: tuple = ()
    at: int | None = None


@dataclass(slots=True)
class Report:
    """Announce the weights after an update (the first report: before any). The cluster counts updates with it.

    Nodes with replicas report the same versions, and those of the first of them count. With `part=(l, n)` the node
    reports part l of n, and a version is there when all its parts are. With `shared=True` several nodes change one
    set of weights, and every report is a version of its own.

    With `replica=(k, K)` the node reports the k-th of K replicas, and a version is the mean of all of them, which no
    node computes: of the version's replicas, once all are there, or, if `shared` as well, of those that each node
    reported last. All K report their start then, which is version 0, and every later report is a version of its own.
    """

    weights: Any
    part: tuple[int, int] | None = None
    shared: bool = False
    replica: tuple[int, int] | None = None


Request = Compute | Send | Recv | AllReduce | Wait | Write | Read | Modify | Report
Program = Generator[Request, Any, None]
