"""One file per method; this is the list of them.

A method is a frozen dataclass of its options (derived from a kind of `rebuttal.methods.bases` or not) with

- `servers`: how many of its nodes are servers (they come first and have the machine's server link),
- `nodes(workers)`: how many nodes it runs on,
- `programs(nodes, task)`: the program of each node.

A name with `file:` before it is that of a user's own: a file with one such dataclass, outside the package (`own`).

It may have `check(workers)`, which raises InputError for a number of workers that makes no sense with its options, and
`may_lose(workers)`, how many of them may die in mid-run without any other waiting for them (none, where it is missing),
and `updates(versions)`, how many updates are behind a version of the weights (one for each, where it is missing), or 0
where that is not known before a run, and `reads(workers)`, among how many readers data may be divided: the shards that
its programs name (one for each node that is no server, where it is missing). A method that asks `task.drawn` says so by
`draws`, which is True.
"""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from math import inf
from typing import Any, ClassVar, Protocol, get_type_hints

from rebuttal.base import arguments, own_code
from rebuttal.base.errors import InputError, refuse
from rebuttal.base.listing import Listing
from rebuttal.core.verbs import Program
from rebuttal.methods import own_methods
from rebuttal.methods.all_reduce import AllReduceSGD
from rebuttal.methods.asynchronous import Asynchronous
from rebuttal.methods.asynchronous_clipped import AsynchronousClipped
from rebuttal.methods.backup_workers import BackupWorkers
from rebuttal.methods.bases import BaseMethod
from rebuttal.methods.bounded_delay import BoundedDelay
from rebuttal.methods.bucketed import Bucketed
from rebuttal.methods.continuous_propagation import ContinuousPropagation
from rebuttal.methods.delay_compensated import DelayCompensated
from rebuttal.methods.delayed import Delayed
from rebuttal.methods.delayed_all_reduce import DelayedAllReduce
from rebuttal.methods.delayed_layer_wise import DelayedLayerWise
from rebuttal.methods.downpour import Downpour
from rebuttal.methods.elastic_averaging import ElasticAveraging
from rebuttal.methods.gpipe import GPipe
from rebuttal.methods.greedy import Greedy
from rebuttal.methods.hogwild import Hogwild
from rebuttal.methods.k_sync import KSync
from rebuttal.methods.layer_wise import LayerWise
from rebuttal.methods.layer_wise_asynchronous import LayerWiseAsynchronous
from rebuttal.methods.layer_wise_overlapped import LayerWiseOverlapped
from rebuttal.methods.local_sgd import LocalSGD
from rebuttal.methods.mini_batch import MiniBatch
from rebuttal.methods.model_parallel import ModelParallel
from rebuttal.methods.nesterov import Nesterov
from rebuttal.methods.one_forward_one_backward import OneForwardOneBackward
from rebuttal.methods.one_sided import OneSided
from rebuttal.methods.pipedream import PipeDream
from rebuttal.methods.pprs import PPRS
from rebuttal.methods.softsync import Softsync
from rebuttal.methods.softsync_aware import SoftsyncAware
from rebuttal.methods.stale_synchronous import StaleSynchronous
from rebuttal.methods.synchronous import Synchronous
from rebuttal.methods.synthetic_gradients import SyntheticGradients
from rebuttal.methods.zero_bubble import ZeroBubble


class Method(Protocol):
    """The interface of every method."""

    servers: ClassVar[int]

    def nodes(self, workers: int) -> int:
        """How many nodes it runs on, servers included."""
        ...

    def programs(self, nodes: Sequence[int], task: Any) -> dict[int, Program]:
        """The program of each node."""
        ...


#: By kind, in the order in which charts list them.
METHODS: dict[str, type[BaseMethod]] = Listing(
    {
        "mini_batch": MiniBatch,
        "delayed": Delayed,
        "all_reduce": AllReduceSGD,
        "layer_wise": LayerWise,
        "layer_wise_overlapped": LayerWiseOverlapped,
        "bucketed": Bucketed,
        "layer_wise_asynchronous": LayerWiseAsynchronous,
        "delayed_all_reduce": DelayedAllReduce,
        "delayed_layer_wise": DelayedLayerWise,
        "local_sgd": LocalSGD,
        "synchronous": Synchronous,
        "backup_workers": BackupWorkers,
        "k_sync": KSync,
        "asynchronous": Asynchronous,
        "asynchronous_clipped": AsynchronousClipped,
        "softsync": Softsync,
        "softsync_aware": SoftsyncAware,
        "downpour": Downpour,
        "stale_synchronous": StaleSynchronous,
        "delay_compensated": DelayCompensated,
        "elastic_averaging": ElasticAveraging,
        "one_sided": OneSided,
        "hogwild": Hogwild,
        "bounded_delay": BoundedDelay,
        "model_parallel": ModelParallel,
        "gpipe": GPipe,
        "one_forward_one_backward": OneForwardOneBackward,
        "zero_bubble": ZeroBubble,
        "pipedream": PipeDream,
        "continuous_propagation": ContinuousPropagation,
        "synthetic_gradients": SyntheticGradients,
        "greedy": Greedy,
        "nesterov": Nesterov,
        "pprs": PPRS,
    }
)


def program(name: str) -> type:
    """The class of that name: of METHODS, or the one in a file of a user's own, `file:PATH.py`.

    Raises:
        InputError: an unknown name, or as `methods.own.class_of`.
    """
    if own_code.is_named(name):
        return own_methods.class_of(name)
    if name not in METHODS:
        raise refuse("method", name, METHODS)
    return METHODS[name]


def method(name: str, **options: Any) -> Method:
    """The method of that name with these options. Raises InputError for an unknown name, option or value."""
    kind = program(name)
    known = {field.name: field for field in fields(kind) if field.init}
    for option in options:
        if option not in known:
            raise refuse(f"{called(name)} option", option, list(known) or "no option")
    for option, field in known.items():
        if option not in options and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(
                f"{called(name)} option {option}: got nothing; allowed: a value, as it has no default"
            )
    hints = get_type_hints(kind)
    return kind(**{option: _of_type(name, option, value, hints[option]) for option, value in options.items()})


def _of_type(name: str, option: str, given: Any, hint: Any) -> Any:
    """An option's value; a number within bounds, of Python's type."""
    key = f"{called(name)} option {option}"
    if hint is int:
        return arguments.whole(key, given, -arguments.MOST)
    if hint is float:
        return arguments.number(key, given, -inf)
    return arguments.switch(key, given) if hint is bool else given


def chosen_of(given: Any, options: Any) -> Method:
    """What a caller names, with options, or a method as it is. Raises InputError for what is neither."""
    named = arguments.options("options", options)
    if isinstance(given, str):
        return method(given, **named)
    if isinstance(given, type) or not all(hasattr(given, part) for part in ("programs", "nodes", "servers")):
        raise refuse("method", given, "a name of rebuttal.METHODS, file:PATH.py, or a method")
    if named:
        raise refuse("options", named, "none, since the method has its own")
    return given


def called(name: str) -> str:
    """The name for readers: that of METHODS, or of the file of a user's own without folder and ending."""
    return own_code.short(name)


def fingerprint(name: str) -> str:
    """The sha256 of a file of a user's own, empty for a name of METHODS: what else a result of it rests on.

    Raises:
        InputError: no such file.
    """
    return own_code.fingerprint(name, own_methods.KEY) if own_code.is_named(name) else ""


def definition(name: str) -> str:
    """What a method is, in one line: the first of its docstring. No code of a user's own is run for it."""
    if own_code.is_named(name):
        return own_methods.definition(name)
    return (program(name).__doc__ or name).strip().splitlines()[0]


def check_workers(method: Any, workers: int) -> None:
    """Raise InputError for a number of workers that the method cannot run with."""
    if workers < 1:
        raise refuse("workers", workers, "a whole number >= 1")
    if hasattr(method, "check"):
        method.check(workers)


def may_lose(method: Any, workers: int) -> int:
    """How many of its workers the method promises to go on without."""
    return method.may_lose(workers) if hasattr(method, "may_lose") else 0


def reads(method: Any, workers: int) -> int:
    """How many shards of the data its programs read, numbered from 0."""
    return method.reads(workers) if hasattr(method, "reads") else method.nodes(workers) - method.servers


def draws(method: Any) -> bool:
    """Whether its order of events depends on the seed by itself, whatever the machine draws."""
    return bool(getattr(method, "draws", False))


def updates(method: Any, versions: int) -> int:
    """How many steps of the update rule are behind that version of the weights; 0 if only a run can say."""
    return method.updates(versions) if hasattr(method, "updates") else versions
