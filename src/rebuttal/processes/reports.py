"""How nodes announce their reports, and when the last version of the weights is complete. No torch."""

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass
class Reports:
    """Which nodes have made their first report of the weights, and which their last, of what part; which have ended."""

    KINDS: ClassVar = ("first", "last", "ended")

    first: set[int] = field(default_factory=set)
    last: dict[int, Any] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    def note(self, node: int, what: str, part: Any) -> None:
        """A node says one of KINDS."""
        if what == "last":
            self.last[node] = part
        else:
            getattr(self, what).add(node)

    @property
    def complete(self) -> bool:
        """Whether the last version is there: shared, in all parts or replicas, or whole from each that reports it."""
        parts = {part for part in self.last.values() if isinstance(part, tuple)}
        if "shared" in self.last.values():
            return True
        if parts:
            return len(parts) == next(iter(parts))[1]
        return bool(self.last) and self.first <= set(self.last)
