"""The set-up of a real run: the same for all nodes, and checked before any of them is started."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from rebuttal.base import arguments, own_code
from rebuttal.base.errors import refuse
from rebuttal.core import division
from rebuttal.core.update_rules import Recipe, Rule, counts, described, own_file
from rebuttal.machines.stragglers import Stragglers, named
from rebuttal.methods import Method, called, check_workers, chosen_of, may_lose, reads, updates
from rebuttal.processes import trusted
from rebuttal.workloads import check_data, shape_table

THREADS = 1  # of each process: as many processes as cores is the user's business, not a BLAS library's

#: Of a real run: each worker is a process, and each update is noted.
MOST = {"workers": 1024, "updates": 10**8, "batch": arguments.MOST, "checksums_every": 10**8}
MOST_PACE_S = 3600


@dataclass(frozen=True)
class Setup:
    """A run of `method` (`name` in reports) on `workers` workers.

    A computation on data lasts at least `pace_s` times the straggler's factor of its worker; 0 adds nothing. Every
    `checksums_every`-th version of the weights is noted with a checksum, and the last one. `lock_free`: memory of the
    machine, cells that no node owns, is read and written without locks. `own_code`: name -> fingerprint of the files of
    a user's own, of the method and the workload; `own_data`: of the images or the text of a user's own.
    """

    name: str
    method: Method
    workers: int
    updates: int
    workload: str
    learning_rate: float
    rule: Rule
    batch: int
    seed: int
    stragglers: Stragglers
    pace_s: float
    checksums_every: int
    data_root: Path | None = None
    lock_free: bool = False
    cores: tuple[int, ...] = ()  # node i keeps to the i-th of these; none: the system decides
    own_code: dict[str, str] = field(default_factory=dict)
    own_data: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(program: str | Method, options: dict[str, Any] | None, stragglers: str, **given: Any) -> "Setup":
        """From names: of a method (or the method itself), and of a distribution of stragglers."""
        drawn = named(stragglers)
        arguments.text("workload", given["workload"], "the name of a workload")
        if stragglers != "none" and not given["pace_s"]:
            raise refuse("pace_s", given["pace_s"], "a number of seconds > 0 where there are stragglers")
        by_name = isinstance(program, str)
        chosen = chosen_of(program, options)
        workload, law = division.parsed(given["workload"])
        if law:
            given["workers"] = arguments.whole("workers", given["workers"], 1, MOST["workers"])
            check_workers(chosen, given["workers"])
            given["workload"] = division.bound(given["workload"], reads(chosen, given["workers"]))
        return Setup(
            name=called(program) if by_name else type(program).__name__,
            method=chosen,
            stragglers=drawn,
            own_code=own_code.fingerprints(
                {
                    "workload": workload,
                    "method": program if by_name else own_code.file_of(type(program)),
                    "rule": own_file(given["rule"]),
                }
            ),
            own_data=trusted.fingerprints(given["workload"]),
            **given,
        )

    def __post_init__(self) -> None:
        for key, given in self._numbers():
            object.__setattr__(self, key, given)
        described(self.rule)  # what a timeline cannot say is refused before the run
        if isinstance(self.rule, Recipe):
            object.__setattr__(self, "rule", self.rule.over(updates(self.method, self.updates)))
        if self.lock_free and counts(self.rule):
            allowed = (
                "a rule whose states have no count of updates: sgd, momentum or rmsprop at a constant rate"
            )
            raise refuse("lock_free", described(self.rule)["name"], allowed)
        check_data(self.workload, self.data_root)
        shape_table.check_division(self.workload)
        check_workers(self.method, self.workers)

    def _numbers(self) -> Iterator[tuple[str, Any]]:
        """Those that a caller gives, within bounds and of Python's types. Raises InputError."""
        for key, most in MOST.items():
            yield key, arguments.whole(key, getattr(self, key), 1, most)
        yield "data_root", arguments.folder("data_root", self.data_root)
        yield "seed", arguments.seed(self.seed)
        yield "pace_s", arguments.number("pace_s", self.pace_s, 0, MOST_PACE_S, or_equal=True)
        yield "learning_rate", arguments.number("learning_rate", self.learning_rate, 0, arguments.MOST_RATE)
        yield "lock_free", arguments.switch("lock_free", self.lock_free)
        cores = arguments.instance("cores", self.cores, (tuple, list), "numbers of cores, such as (0, 1)")
        yield "cores", tuple(arguments.whole("cores", core, 0) for core in cores)

    @property
    def nodes(self) -> range:
        """The numbers of all nodes, servers first."""
        return range(self.method.nodes(self.workers))

    @property
    def may_lose(self) -> int:
        """How many workers the run can go on without."""
        return may_lose(self.method, self.workers)

    def may_be_lost(self, node: int) -> bool:
        """Whether the run may go on without this node."""
        return self.may_lose > 0 and node >= self.method.servers

    def role(self, node: int) -> str:
        """The name of a node, for a reader."""
        servers = self.method.servers
        return "server" if node < servers else f"worker {node - servers}"

    def seconds(self, node: int) -> Callable[[int], float]:
        """How long the node's n-th computation of one kind lasts at least; drawn as on a virtual machine."""
        worker, drawn = max(0, node - self.method.servers), []

        def least_s(index: int) -> float:
            if index >= len(drawn):
                count = max(64, 2 * len(drawn))
                drawn[:] = self.stragglers.slowdowns(self.seed, worker, count).tolist()
            return self.pace_s * drawn[index]

        return least_s

    def about(self) -> dict[str, Any]:
        """As in the timelines of virtual runs, with what a real one has more."""
        options = [option.name for option in fields(self.method)] if is_dataclass(self.method) else []
        about = {
            "method": self.name,
            "options": {option: getattr(self.method, option) for option in options},
            "machine": "this host",
            "workload": self.workload,
            "workers": self.workers,
            "nodes": len(self.nodes),
            "servers": self.method.servers,
            "seed": self.seed,
            "batch": self.batch,
            "clock": "measured",
            "learning_rate": self.learning_rate,
            "rule": described(self.rule),
            "stragglers": self.stragglers.describe(),
            "pace_s": self.pace_s,
            "threads": THREADS,
            "cores": list(self.cores),
            "checksums_every": self.checksums_every,
        }
        own = {"own_code": self.own_code, "own_data": self.own_data}
        return about | {key: found for key, found in own.items() if found}
