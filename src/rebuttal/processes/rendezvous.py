"""Where the processes of a run call each other: sockets of one host's file system, or ports of several hosts.

Each process listens under a name (a node's number, or `LAUNCHER`), and the others call that name. On one host nobody
else can call, since the folder is this user's alone, and no port is opened. Between hosts a call must prove that it
knows the run's key, which only those hold that meet in the run's store.
"""

import contextlib
import os
import secrets
import socket
import struct
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any, Protocol

from rebuttal.base.errors import refuse

LAUNCHER = "launcher"
BACKLOG = 128
INTERFACE = "GLOO_SOCKET_IFNAME"  # names the network interface, as for torch.distributed's own backends
ADDRESS_OF_INTERFACE = 0x8915  # SIOCGIFADDR of Linux


class Door:
    """Where a process takes calls. With a `key`, of those only who know it."""

    def __init__(self, listener: socket.socket, key: bytes | None = None) -> None:
        listener.listen(BACKLOG)
        self._listener, self._key = listener, key

    def accept(self, within_s: float | None = None) -> Connection:
        """The next call. Raises TimeoutError where none comes in time."""
        self._listener.settimeout(within_s)
        while True:
            called = self._listener.accept()[0]
            called.setblocking(True)
            connection = _quick(called)
            if self._key is None:
                return connection
            try:
                deliver_challenge(connection, self._key)
                answer_challenge(connection, self._key)
            except (AuthenticationError, EOFError, OSError):
                connection.close()  # a stranger's
            else:
                return connection

    def close(self) -> None:
        """Take no more calls."""
        self._listener.close()


class Meeting(Protocol):
    """How the processes of one run find each other. folder: of this process's host, for what its nodes keep there."""

    @property
    def folder(self) -> Path:
        """A folder of the run's own on this host."""
        ...

    @property
    def several_hosts(self) -> bool:
        """Whether some of the others are on other hosts, and see neither this one's memory nor its folder."""
        ...

    def open(self, name: int | str) -> Door:
        """Listen under a name."""
        ...

    def call(self, name: int | str) -> Connection:
        """A connection to who listens under a name. Raises OSError where nobody does."""
        ...


@dataclass(frozen=True)
class OneHost:
    """All processes of a run on one host, which share `folder`."""

    folder: Path
    several_hosts = False

    def open(self, name: int | str) -> Door:
        """Listen under a name."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._address(name)))
        return Door(listener)

    def call(self, name: int | str) -> Connection:
        """A connection to who listens under a name. Raises OSError where nobody does."""
        return Client(str(self._address(name)), family="AF_UNIX")

    def _address(self, name: int | str) -> Path:
        return self.folder / f"{name}.socket"


class SeveralHosts:
    """Processes on several hosts. `store` is torch.distributed's: it has everybody's address, and the run's key."""

    several_hosts = True

    def __init__(self, folder: Path, store: Any, first: bool) -> None:
        self.folder, self._store = folder, store
        if first:
            store.set("rebuttal/key", secrets.token_hex())
        self._key = store.get("rebuttal/key")

    def open(self, name: int | str) -> Door:
        """Listen under a name, at a free port of this host."""
        listener = socket.socket(socket.AF_INET)
        listener.bind((own_address(), 0))
        host, port = listener.getsockname()
        door = Door(listener, self._key)
        self._store.set(f"rebuttal/{name}", f"{host}:{port}")
        return door

    def call(self, name: int | str) -> Connection:
        """A connection to who listens under a name; waits for that. Raises OSError where it cannot be reached."""
        host, _, port = self._store.get(f"rebuttal/{name}").decode().rpartition(":")
        connection = _quick(socket.create_connection((host, int(port))))
        answer_challenge(connection, self._key)
        deliver_challenge(connection, self._key)
        return connection


def own_address() -> str:
    """This host's address for the others: of the interface that is named, else of the way to torchrun's master.

    Raises:
        InputError: GLOO_SOCKET_IFNAME names no interface of this host that has an address.
    """
    named = os.environ.get(INTERFACE, "")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if not named:
            probe.connect((os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])))  # sends nothing
            return probe.getsockname()[0]
        return _address_of(named, probe)


def _address_of(interface: str, probe: socket.socket) -> str:
    import fcntl  # noqa: PLC0415 - not on every system, and only needed here

    try:
        answer = fcntl.ioctl(
            probe.fileno(), ADDRESS_OF_INTERFACE, struct.pack("256s", interface.encode()[:15])
        )
    except OSError:
        known = [name for _, name in socket.if_nameindex()]
        raise refuse(INTERFACE, interface, known) from None
    return socket.inet_ntoa(answer[20:24])


def _quick(made: socket.socket) -> Connection:
    """The connection over a socket, which sends what is small at once."""
    if made.family == socket.AF_INET:
        with contextlib.suppress(OSError):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(made.detach())
