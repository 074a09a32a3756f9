"""The notes of a node about its run. Seconds are on the node's own monotonic clock. No torch."""

from dataclasses import dataclass, field

Name = bytes
Definition = tuple[str, tuple[Name, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Computed:
    """One computation, or this node's share of a collective, which sent `size_bytes`."""

    operation: str
    name: Name | None
    start_s: float
    end_s: float
    completed: bool = True
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """The `number`-th message to another node."""

    to: int
    number: int
    tag: str
    name: Name | None
    size_bytes: int
    sent_s: float


@dataclass(frozen=True, slots=True)
class Carried:
    """What this node read from a cell of another node, or brought to one, as a message between the two."""

    source: int
    to: int
    tag: str
    name: Name | None
    size_bytes: int
    sent_s: float
    arrived_s: float


@dataclass(frozen=True, slots=True)
class Reported:
    """A version of the weights, or of part (l, n) of them, or of replica (k, K); `checksum` where one was taken.

    `shared`: the version is one of all nodes, which share the weights; else each node counts its own. Versions below 0
    are the starts of the first K - 1 replicas.
    """

    version: int
    name: Name
    time_s: float
    part: tuple[int, int] | None = None
    shared: bool = False
    checksum: str | None = None
    replica: tuple[int, int] | None = None


@dataclass
class Log:
    """The notes of one node: all of them, or a stretch.

    arrived_s, taken_s: (source, number) of a message -> when it was here, and when the program took it. definitions:
    what the names of the values that the node made stand for. Of memory without locks: labels, the values' names by the
    names that others read them under; accesses, and how many of them another node's write ended in.
    """

    node: int
    computed: list[Computed] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    arrived_s: dict[tuple[int, int], float] = field(default_factory=dict)
    taken_s: dict[tuple[int, int], float] = field(default_factory=dict)
    reported: list[Reported] = field(default_factory=list)
    definitions: dict[Name, Definition] = field(default_factory=dict)
    labels: dict[Name, Name] = field(default_factory=dict)
    accesses: int = 0
    overtaken: int = 0

    def extend(self, later: "Log") -> None:
        """Add the stretch that follows."""
        for notes in ("computed", "sent", "carried", "reported"):
            getattr(self, notes).extend(getattr(later, notes))
        for notes in ("arrived_s", "taken_s", "definitions", "labels"):
            getattr(self, notes).update(getattr(later, notes))
        self.accesses += later.accesses
        self.overtaken += later.overtaken
