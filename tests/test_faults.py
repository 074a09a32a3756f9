"""Nodes that are killed or hang in mid-run: a method that promises to go on does, and the others end with one line."""

import contextlib
import importlib.util
import multiprocessing
import os
import pickle
import signal
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from other_processes import Reckless, environment, setup
from runs import METHODS, run

from rebuttal.base.errors import InputError, RunError
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import SGD
from rebuttal.methods import METHODS as LISTED
from rebuttal.methods import check_workers, may_lose, method
from rebuttal.processes import supervisor, torchrun
from rebuttal.processes.journal import Journal, written
from rebuttal.processes.launcher import folder_of_run, record, started
from rebuttal.processes.log import Computed
from rebuttal.processes.node_progress import Progress
from rebuttal.processes.rendezvous import LAUNCHER, OneHost
from rebuttal.processes.run_command import _written
from rebuttal.processes.setup import Setup
from rebuttal.processes.supervisor import Supervisor
from rebuttal.processes.verification import verify

#: Those that say, with six workers, that they can lose some.
PROMISING = [name for name in METHODS if name in LISTED and may_lose(method(name), 6)]


@dataclass(frozen=True)
class Losing:
    """A method whose last `lost` workers end, as if killed, after so many requests."""

    method: Any
    lost: int
    requests: int
    servers = property(lambda self: self.method.servers)

    def check(self, workers):
        check_workers(self.method, workers)

    def nodes(self, workers):
        return self.method.nodes(workers)

    def programs(self, nodes, task):
        found = self.method.programs(nodes, task)
        dying = sorted(found)[len(found) - self.lost :]
        return found | {node: self.ending(found[node]) for node in dying}

    def ending(self, program):
        answer = None
        for _ in range(self.requests):
            answer = yield program.send(answer)


@pytest.mark.parametrize("requests", [0, 1, 2, 5])
@pytest.mark.parametrize("name", PROMISING)
def test_a_method_goes_on_without_as_many_workers_as_it_says_and_no_more(name, requests):
    """On the virtual clock, where whatever waits for ever is seen at once."""
    made: Any = method(name)
    promised = made.may_lose(6)
    enough: Any = Losing(made, promised, requests)
    too_few: Any = Losing(made, promised + 1, requests)
    assert len(run(enough, updates=60).updates["value"]) == 61
    with pytest.raises(InputError, match=r"method: .*wait"):
        run(too_few, updates=60)


def test_who_needs_everybody_promises_nothing():
    assert {"asynchronous", "downpour", "softsync", "backup_workers", "k_sync"} <= set(PROMISING)
    assert not {"synchronous", "all_reduce", "stale_synchronous", "gpipe", "hogwild", "one_sided"} & set(
        PROMISING
    )


def struck(name, nodes, signal_number=signal.SIGKILL, patience_s=60.0, options=None, **given) -> Timeline:
    """A real run in which some nodes get a signal, one after the other, once it has made five versions."""
    program, usual = METHODS[name]
    known = {
        "workload": "digits_mlp", "workers": 3, "updates": 150, "learning_rate": 0.02, "rule": SGD(), "batch": 32,
        "seed": 0, "pace_s": 0.004, "checksums_every": 1,
    }  # fmt: skip
    made = Setup.of(program, usual | (options or {}), "exponential", **(known | given))
    over = []
    with folder_of_run() as folder, started(made, folder) as members:
        progress = Progress(folder, len(members))

        def version():
            return max(progress.of(node)[2] for node in members) - 1

        def strike():
            for node in nodes:
                while version() < 5:
                    time.sleep(0.001)
                os.kill(members[node].pid, signal_number)
                over.append(version() == made.updates)

        threading.Thread(target=strike, daemon=True).start()
        timeline = Supervisor(made, folder, members).timeline(patience_s)
    if any(over) or len(over) < len(nodes):  # a busy host was late
        return struck(name, nodes, signal_number, patience_s, options, **given)
    return timeline


@pytest.mark.parametrize("name", PROMISING)
def test_without_a_killed_worker_a_promising_method_goes_on_and_all_is_proved(name, tmp_path):
    made = struck(name, [2], options={"b": 1} if "b" in METHODS[name][1] else None)
    assert verify(made) == 151
    (lost,) = made.about["lost"]
    assert (lost["node"], lost["role"], lost["how"]) == (2, "worker 1", "was killed by signal 9")
    assert 5 <= lost["version"] <= 150
    assert lost["noticed_s"] > 0
    assert lost["computations"] == (made.computes["node"] == 2).sum()
    assert lost["computations_lost"] >= 0 <= lost["messages_lost"]
    assert f"; without node 2 (worker 1) from version {lost['version']} on" in _written(
        made, tmp_path / "run.npz"
    )
    assert Timeline.load(tmp_path / "run.npz").about["lost"] == [lost]


@pytest.fixture(scope="module")
def kills():
    """The module of the benchmark, of which this is a small copy."""
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "kills.py"
    spec = importlib.util.spec_from_file_location("kills", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_nothing_but_the_killed_worker_is_lost(kills, seed):
    assert kills.killed_run(seed)["wrong"] == []


def test_the_benchmark_sees_what_is_wrong(kills, tmp_path):
    """Its checks find an update that was lost, a process that is left, and a run that does not verify."""
    made = struck("asynchronous", [], updates=10)
    fewer = {name: column[:-1] for name, column in made.updates.items()}
    cut = Timeline(made.computes, made.messages, fewer, made.names, made.graph, made.about)
    assert kills._lost_updates(made) == []
    assert len(kills._lost_updates(cut)) == 1
    assert len(kills._left([os.getpid()], tmp_path)) == 2
    assert kills._loss(made, 1) == ["lost are [], not node 1"]
    made.about["checksums"][4][-1] = "0" * 64
    assert any("version 4" in line for line in kills._file(made))


@pytest.mark.parametrize(
    ("name", "nodes", "called"),
    [
        ("synchronous", [2], r"node 2 \(worker 1\)"),
        ("hogwild", [2], r"node 2 \(worker 2\)"),
        ("asynchronous", [0], r"node 0 \(server\)"),
        ("k_sync", [1, 3], r"node [13] \(worker [02]\)"),
    ],
)
def test_without_a_node_that_is_needed_the_run_ends_with_one_line(name, nodes, called):
    text = rf"^{called} was killed by signal 9 after \d+ computations, with the run at version \d+$"
    with pytest.raises(RunError, match=text):
        struck(name, nodes, updates=100_000, options={"b": 1} if name == "k_sync" else None)
    assert not multiprocessing.active_children()


def test_a_method_that_shares_memory_cannot_promise_to_survive():
    text = "may_lose: got 1; allowed: 0 where a killed node may leave half a write in memory"
    with pytest.raises(InputError, match=text):
        record(Reckless(), workers=2, updates=5)


@pytest.fixture
def short_answers(monkeypatch):
    monkeypatch.setattr(supervisor, "ANSWER_S", 3.0)


@pytest.mark.usefixtures("short_answers")
@pytest.mark.parametrize("name", ["asynchronous", "backup_workers"])
def test_a_worker_that_hangs_is_as_one_that_was_killed(name):
    """The server of backup_workers even sends to it, and waits once the socket is full."""
    made = struck(
        name, [2], signal.SIGSTOP, patience_s=3, options={"b": 1} if name == "backup_workers" else {}
    )
    assert verify(made) == 151
    (lost,) = made.about["lost"]
    assert (lost["node"], lost["how"]) == (2, "did not answer for 3 s")
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("short_answers")
def test_a_node_that_is_needed_and_hangs_ends_the_run_with_one_line():
    text = r"^node 2 \(worker 1\) did not answer for 3 s after \d+ computations, with the run at version \d+$"
    began_s = time.monotonic()
    with pytest.raises(RunError, match=text):
        struck("synchronous", [2], signal.SIGSTOP, patience_s=3, updates=100_000)
    assert time.monotonic() - began_s < 120
    assert not multiprocessing.active_children()


def test_notes_that_were_cut_off_end_with_the_last_that_is_whole(tmp_path):
    journal = Journal(tmp_path, 3, lambda: {b"name": ("start", (), ())}, lambda: {(0, 1): 0.5})
    for number in range(3):
        journal.log.computed.append(Computed(str(number), None, 0.0, 1.0))
        whole = (tmp_path / "3.notes").stat().st_size
        journal.close() if number == 2 else journal.write()
    content = (tmp_path / "3.notes").read_bytes()
    assert [row.operation for row in written(tmp_path, 3).computed] == ["0", "1", "2"]
    for size in range(whole, len(content)):
        (tmp_path / "3.notes").write_bytes(content[:size])
        found = written(tmp_path, 3)
        assert [row.operation for row in found.computed] == ["0", "1"]
        assert found.definitions == {b"name": ("start", (), ())}
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


# processes that others start


@pytest.fixture
def one_second(monkeypatch):
    """A port that is free, and little patience."""
    monkeypatch.setattr(torchrun, "WORK_S", 1.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def be(rank):
        for key, value in environment(rank, 3, port).items():
            monkeypatch.setenv(key, value)

    return be


@pytest.mark.parametrize("rank", [0, 1])
def test_processes_that_never_come_are_not_waited_for_without_end(one_second, rank):
    one_second(rank)
    began_s = time.monotonic()
    with pytest.raises(RunError, match=r"^torch.distributed: no store at 127.0.0.1:\d+: .+$") as failure:
        torchrun.record(setup())
    assert time.monotonic() - began_s < 90
    assert "\n" not in str(failure.value)


def test_a_node_that_does_not_call_is_named(monkeypatch):
    monkeypatch.setattr(torchrun, "WORK_S", 0.2)
    with (
        folder_of_run() as folder,
        contextlib.closing((meeting := OneHost(folder)).open(LAUNCHER)) as door,
        pytest.raises(RunError, match=r"^no call from node 0 \(server\) for 0.2 s$"),
    ):
        torchrun._members(setup(), meeting, door)


def test_a_launcher_that_is_gone_is_one_line():
    with pytest.raises(RunError, match=r"^no launcher in nowhere: "):
        torchrun._be_node(setup(), 1, OneHost(Path("nowhere")))
