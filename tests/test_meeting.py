"""Where processes of several hosts call each other: who knows the run's key gets in, and nobody else."""

import contextlib
import socket
import threading
from multiprocessing.connection import Client

import pytest

from rebuttal.base.errors import InputError
from rebuttal.processes.rendezvous import INTERFACE, OneHost, SeveralHosts, own_address


class Store(dict):
    """As torch.distributed's: text goes in, bytes come out."""

    def set(self, key, value):
        self[key] = value.encode()

    def get(self, key):  # type: ignore[override]
        return self[key]


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    return Store()


def answering(door):
    """A thread that takes one call and sends back what it hears."""

    def answer():
        with door.accept(10) as connection:
            connection.send(connection.recv() + 1)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def places(store, folder):
    return [OneHost(folder)] * 2, [SeveralHosts(folder, store, first=first) for first in (True, False)]


@pytest.mark.parametrize("place", [0, 1])
def test_who_listens_under_a_name_can_be_called(store, tmp_path, place):
    one, other = places(store, tmp_path)[place]
    with contextlib.closing(one.open(3)) as door:
        thread = answering(door)
        with other.call(3) as connection:
            connection.send(1)
            assert connection.recv() == 2
        thread.join(10)
        with pytest.raises(TimeoutError):
            door.accept(0.01)


def test_a_stranger_is_turned_away_and_the_next_call_is_taken(store, tmp_path):
    one, other = places(store, tmp_path)[1]
    with contextlib.closing(one.open("launcher")) as door:
        thread = answering(door)
        host, _, port = store["rebuttal/launcher"].decode().rpartition(":")
        with Client((host, int(port))) as stranger:
            stranger.recv_bytes()  # what it is asked for, and does not know
            stranger.send("the key")
            with pytest.raises((EOFError, OSError)):
                list(iter(stranger.recv_bytes, None))
        with other.call("launcher") as connection:
            connection.send(1)
            assert connection.recv() == 2
        thread.join(10)


def test_the_interface_may_be_named(store, monkeypatch):
    assert own_address() == "127.0.0.1"
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    monkeypatch.setenv(INTERFACE, loopback)
    assert own_address() == "127.0.0.1"
    monkeypatch.setenv(INTERFACE, f"{loopback}x")
    with pytest.raises(InputError, match=rf"^{INTERFACE}: got '{loopback}x'; allowed: .*{loopback}"):
        own_address()
