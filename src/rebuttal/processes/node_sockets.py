"""Connections between the nodes of a run: a socket for each pair, and a thread that reads each.

A method may receive from any node, take the newest message and forget the others, or give up a computation when a
message comes. All three ask what has arrived, which a library of collectives does not tell, so messages are read as
they come and wait in the mailbox. Reading at once also keeps a sender from waiting for a receiver that computes.
"""

import contextlib
import pickle
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from rebuttal.processes.mailbox import Letter, Mailbox
from rebuttal.processes.rendezvous import Meeting
from rebuttal.processes.values import NamedTask, packed, unpacked

LOST = (EOFError, OSError, pickle.UnpicklingError)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The `number`-th message to node `to`, as it goes over the wire."""

    to: int
    number: int
    content: bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)


class NodeSockets:
    """One node's end of the connections to all others. Its own messages go straight into its mail."""

    def __init__(self, meeting: Meeting, node: int) -> None:
        self._meeting, self._node = meeting, node
        self._door = meeting.open(node)
        self._peers: dict[int, Connection] = {}
        self._own: Callable[[bytes], None] | None = None
        self._numbers: dict[int, int] = {}

    def connect(self, nodes: Sequence[int]) -> None:
        """Call the nodes before this one, and let those after it call; all of them are listening."""
        for other in nodes:
            if other < self._node:
                self._peers[other] = self._meeting.call(other)
                self._peers[other].send(self._node)
        for _ in range(sum(other > self._node for other in nodes)):
            peer = self._door.accept()
            self._peers[peer.recv()] = peer
        self._door.close()

    def read_into(self, mailbox: Mailbox, task: NamedTask) -> None:
        """From now on put what arrives into `mailbox`."""
        self._own = _Opener(self._node, mailbox, task)
        for source, peer in self._peers.items():
            open_letter = _Opener(source, mailbox, task)
            threading.Thread(target=_read, args=(peer, open_letter), daemon=True).start()

    def seal(self, to: int, tag: Any, value: Any) -> Sealed:
        """A message that can be noted before it is sent."""
        number = self._numbers[to] = self._numbers.get(to, -1) + 1
        return Sealed(to, number, packed((tag, value)))

    def send(self, message: Sealed) -> None:
        """Put a message on its way. A node that is gone takes none; the launcher will notice it."""
        if message.to == self._node:
            assert self._own is not None, "nothing is sent before the mail is read"
            self._own(message.content)
        else:
            with contextlib.suppress(*LOST):
                self._peers[message.to].send_bytes(message.content)


class _Opener:
    """Puts what comes from one node into the mail. Connections are ordered, so counting numbers the messages."""

    def __init__(self, source: int, mailbox: Mailbox, task: NamedTask) -> None:
        self._source, self._mailbox, self._task = source, mailbox, task
        self._number = 0

    def __call__(self, content: bytes) -> None:
        arrived_s = time.monotonic()
        tag, value = unpacked(content, self._task)
        self._mailbox.put(Letter(self._source, self._number, tag, value, arrived_s))
        self._number += 1


def _read(peer: Connection, open_letter: Callable[[bytes], None]) -> None:
    """Until the other node ends."""
    with contextlib.suppress(*LOST):
        while True:
            open_letter(peer.recv_bytes())
