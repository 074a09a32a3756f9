"""Methods on real processes: every run that was recorded is computed again to the bit, and every change is caught."""

import multiprocessing
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from doc_pages import blocks, page
from other_processes import Faulty, environment, setup, torchrun_node
from recorded_tampering import altered, of_version
from runs import METHODS, machine
from runs import run as virtual
from values import eager_weights

from rebuttal.base.errors import InputError, RunError
from rebuttal.cli import main
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import Momentum, rule
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.processes import torchrun
from rebuttal.processes.driver import digest
from rebuttal.processes.launcher import forking, record
from rebuttal.processes.process_memory import NoCells
from rebuttal.processes.verification import verify
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.simulate import simulate
from rebuttal.simulation.timeline_metrics import gradients, summary
from rebuttal.simulation.timeline_metrics.staleness import uses
from rebuttal.simulation.trace_events import trace
from rebuttal.workloads import load

UPDATES, RATE = 8, 0.02
STRAGGLING = {"stragglers": "exponential", "pace_s": 0.001}
ASYNCHRONOUS = ["asynchronous", "softsync", "delayed_all_reduce", "continuous_propagation", "hogwild"]
#: What these do does not depend on who is late: the order is the same on every cluster.
DETERMINED = [
    "synchronous",
    "all_reduce",
    "gpipe",
    "pipedream",
    "continuous_propagation",
    "delayed_all_reduce",
]


def recorded(name, **given):
    """A real run with three workers of an eight-layer model, unless told otherwise."""
    program, options = METHODS[name]
    known = {"workload": "digits_deep", "workers": 3, "updates": UPDATES, "learning_rate": RATE}
    return record(program, **(known | {"options": options, "checksums_every": 2, "patience_s": 20} | given))


@pytest.fixture(scope="module")
def run():
    """One asynchronous run with every version's checksum."""
    return recorded("asynchronous", updates=30, checksums_every=1, **STRAGGLING)


def checksums(timeline):
    return len(timeline.about["checksums"])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_replayed_to_the_bit(name, tmp_path):
    workers = 3 if METHODS[name][1].get("b") else 2
    seed = zlib.crc32(name.encode())  # another one for each
    made = recorded(name, workers=workers, seed=seed, **(STRAGGLING | {"pace_s": 0.0003}))
    made.save(tmp_path / "run.npz")
    again = Timeline.load(tmp_path / "run.npz")
    assert verify(again) == checksums(made) >= UPDATES // 2 + 1
    assert made.about["clock"] == "measured"
    assert (np.diff(made.updates["time_s"]) >= 0).all()
    assert len(made.updates["value"]) == UPDATES + 1
    assert summary(made)["updates"] == UPDATES


@pytest.mark.parametrize("name", ASYNCHRONOUS)
def test_longer_runs_with_stragglers_are_replayed_to_the_bit(name):
    made = recorded(name, updates=40, rule=Momentum(0.9), seed=3, checksums_every=1, **STRAGGLING)
    assert verify(made) == checksums(made) >= 41


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name][0] != "elastic_averaging"])
def test_a_run_with_a_schedule_and_a_rule_that_counts_is_replayed_to_the_bit(name):
    workers = 3 if METHODS[name][1].get("b") else 2
    recipe = rule("adamw", schedule={"decay": "cosine", "warm_up": 0.2}, average=0.9)
    made = recorded(name, workers=workers, rule=recipe, learning_rate=0.01)
    assert made.about["rule"]["schedule"]["updates"] >= UPDATES
    assert verify(made) == checksums(made) >= UPDATES // 2 + 1


def test_a_schedule_is_refused_where_nobody_knows_how_many_updates_it_is_over():
    with pytest.raises(
        InputError, match=r"schedule\.decay: got 'linear'; allowed: constant where it is not known"
    ):
        recorded("elastic_averaging", rule=rule("sgd", schedule={"decay": "linear"}))


def test_asynchronous_runs_differ_and_their_replays_with_them():
    made = [recorded("asynchronous", updates=30, seed=0, workers=4, **STRAGGLING) for _ in range(3)]
    made.append(
        recorded("asynchronous", updates=30, seed=0, workers=4)
    )  # without stragglers: surely another order
    assert len({timeline.order.key for timeline in made}) > 1
    assert len({timeline.about["checksums"][-1][-1] for timeline in made}) > 1
    assert all(verify(timeline) for timeline in made)


@pytest.mark.parametrize("name", DETERMINED)
def test_the_same_file_computes_the_same_on_both_clusters(name):
    assert recorded(name).order.key == virtual(*METHODS[name], workers=3, updates=UPDATES).order.key


@pytest.mark.parametrize("name", ["synchronous", "delayed_all_reduce"])
def test_the_weights_are_those_of_the_method_run_on_tensors_in_one_process(name):
    oracle = eager_weights(*METHODS[name], load("digits_deep"), RATE, workers=3, updates=UPDATES)
    assert recorded(name).about["checksums"][-1] == [UPDATES, 0, 1, digest(oracle)]


@pytest.mark.parametrize("name", ["synchronous", "all_reduce", "layer_wise", "gpipe"])
def test_synchronous_methods_equal_mini_batch_sgd(name):
    real = recorded(name, options={"m": 3} if name == "gpipe" else METHODS[name][1])
    one_node = recorded("mini_batch", options={"shards": 3}, workers=1)
    assert merged(real.order).key == merged(one_node.order).key


def test_no_backup_is_synchronous():
    assert recorded("backup_workers", options={"b": 0}).order.key == recorded("synchronous").order.key


def test_each_draw_of_a_straggler_is_waited_for(run):
    c = run.computes
    for worker in range(3):
        rows = (c["node"] == worker + 1) & (c["operation"] == run.names.index("gradient"))
        took_s = (c["end_s"] - c["start_s"])[rows]
        least_s = 0.001 * STRAGGLERS["exponential"].slowdowns(0, worker, len(took_s))
        assert (took_s >= least_s).all()


def test_a_real_run_is_no_faster_than_its_stragglers_allow():
    """The virtual clock with the same draws, free links and free updates is a bound from below."""
    least_s = virtual("synchronous", machine=machine(gradient_s=0.004), workers=3, updates=10).end_s
    real = recorded("synchronous", stragglers="exponential", pace_s=0.004, workers=3, updates=10)
    assert real.end_s >= least_s > 0.04


def test_messages_and_computations_are_in_a_possible_order(run):
    m, c = run.messages, run.computes
    there = ~np.isnan(m["arrived_s"])
    assert (m["arrived_s"][there] > m["sent_s"][there]).all()
    taken = ~np.isnan(m["received_s"])
    assert (m["received_s"][taken] >= m["arrived_s"][taken]).all()
    assert (c["end_s"] >= c["start_s"]).all()
    made_s = dict(zip(c["value"].tolist(), c["end_s"].tolist(), strict=True))
    gradient = m["tag"] == run.names.index("gradient")
    pairs = zip(m["value"][gradient].tolist(), m["sent_s"][gradient].tolist(), strict=True)
    assert all(sent_s >= made_s[value] for value, sent_s in pairs)
    assert m["bytes"].min() > 4 * load("digits_deep").parameters


def test_what_is_read_off_a_virtual_timeline_is_read_off_a_real_one(run):
    assert Counter(use.version for use in uses(run)) == Counter(range(1, 31))
    assert 0 < summary(run)["staleness_mean"] < 6
    assert gradients(run).sizes["gradient"] >= 30
    assert trace(run)["traceEvents"]
    assert set(run.about["clock_offsets"]) == {"0", "1", "2", "3"}
    assert run.about["threads"] == 1


# what a verification catches


def test_an_unaltered_timeline_is_what_it_was(run):
    assert altered(run, {}).order.key == run.order.key


def test_a_gradient_of_another_batch_is_caught_where_it_is_applied(run):
    _, gradient, _ = of_version(run, 12)
    other = {gradient: ("gradient", run.graph.inputs[gradient], (0.0, 99.0))}
    with pytest.raises(RunError, match=r"version 12, stage 0 is the first .* \(version 11 still agrees\)"):
        verify(altered(run, other))


def test_a_gradient_at_other_weights_is_caught_where_it_is_applied(run):
    _, gradient, _ = of_version(run, 20)
    start = int(run.updates["value"][0])
    other = {gradient: ("gradient", (start,), run.graph.arguments[gradient])}
    with pytest.raises(RunError, match="version 20,"):
        verify(altered(run, other))


def test_two_updates_in_the_other_order_are_caught_at_the_first(run):
    """Of two gradients that read weights from before either was applied: so the changed run could have been."""
    states = run.updates["value"].tolist()
    free = [v for v in range(1, 30) if run.graph.inputs[of_version(run, v + 1)[1]][0] in states[:v]]
    (first, one, start), (second, two, _) = of_version(run, free[-1]), of_version(run, free[-1] + 1)
    changes = {first: ("update", (start, two), ()), second: ("update", (first, one), ())}
    with pytest.raises(RunError, match=f"version {free[-1]},"):
        verify(altered(run, changes))


@pytest.mark.parametrize("version", [0, 7, 30])
def test_an_altered_checksum_is_caught_at_its_version(run, version):
    rows = [[v, l, n, "0" * 64 if v == version else text] for v, l, n, text in run.about["checksums"]]
    since = "none before it" if version == 0 else f"version {version - 1} still agrees"
    with pytest.raises(RunError, match=f"version {version}, .*{since}"):
        verify(replace(run, about=run.about | {"checksums": rows}))


@pytest.mark.parametrize("key", ["learning_rate", "seed", "batch"])
def test_other_settings_are_caught_at_the_first_update(run, key):
    changed = run.about | {key: run.about[key] * 2 + 1}
    with pytest.raises(RunError, match=r"version (0|1),"):
        verify(replace(run, about=changed))


def test_a_run_without_its_last_checksum_is_refused(run):
    cut = replace(run, about=run.about | {"checksums": run.about["checksums"][:-1]})
    with pytest.raises(InputError, match="last checksum: got 29"):
        verify(cut)


def test_a_virtual_run_is_refused():
    with pytest.raises(InputError, match="has no checksums; allowed: a run recorded on real processes"):
        verify(simulate("asynchronous", workers=2, updates=3))


def test_the_command_line_says_it_in_one_line(run, tmp_path, capsys):
    path = tmp_path / "run.npz"
    run.save(path)
    assert main(["verify", str(path)]) == 0
    assert "to the bit: 31 checksums up to version 30" in capsys.readouterr().out
    _, gradient, _ = of_version(run, 9)
    changes = {gradient: ("gradient", run.graph.inputs[gradient], (0.0, 99.0))}
    altered(run, changes).save(path)
    assert main(["verify", str(path)]) == 1
    told = capsys.readouterr().err
    assert "version 9" in told
    assert told.count("\n") == 1
    assert main(["verify", str(tmp_path / "none.npz")]) == 2


def test_the_command_line_runs_a_method(tmp_path, capsys):
    path = tmp_path / "made.npz"
    arguments = ["--workers", "3", "--updates", "10", "--option", "n=3", "--rule", "momentum", "--rule-option",
                 "momentum=0.5", "--stragglers", "pareto", "--pace", "0.0005", "--write", str(path)]  # fmt: skip
    assert main(["run", "softsync", *arguments]) == 0
    assert "10 updates of softsync on 4 processes" in capsys.readouterr().out
    made = Timeline.load(path)
    assert made.about["rule"] == {"name": "momentum", "momentum": 0.5}
    assert made.about["options"] == {"n": 3}
    assert main(["verify", str(path)]) == 0
    assert main(["run", "asynchronous", "--updates", "6", "--rule", "adam", "--schedule", "decay=linear",
                 "--schedule", "warm_up=0.5", "--write", str(path)]) == 0  # fmt: skip
    schedule = Timeline.load(path).about["rule"]["schedule"]
    assert schedule == {"decay": "linear", "warm_up": 0.5, "updates": 6}
    assert main(["verify", str(path)]) == 0


def test_the_example_of_the_page_runs():
    exec(blocks(page("processes"), "python")[0], {})  # noqa: S102 - the page's own code


# what goes wrong


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"program": "asynchronos"}, "did you mean 'asynchronous'"),
        ({"workers": 0}, "workers: got 0"),
        ({"updates": 0}, "updates: got 0"),
        ({"learning_rate": 0.0}, "learning_rate: got 0.0"),
        ({"workload": "digits"}, "workload"),
        ({"stragglers": "none at all"}, "stragglers: got 'none at all'"),
        ({"stragglers": "pareto", "pace_s": 0.0}, "pace_s: got 0.0"),
        ({"pace_s": -1.0}, "pace_s: got -1.0"),
        ({"checksums_every": 0}, "checksums_every: got 0"),
        ({"program": "pipedream", "workers": 3}, "workers: got 3; allowed: from 1 to 2"),
        ({"program": "backup_workers", "options": {"b": 2}}, "b: got 2"),
    ],
)
def test_bad_input_is_refused_in_one_line(given, message):
    with pytest.raises(InputError, match=message) as refusal:
        record(**({"program": "asynchronous", "updates": 2} | given))
    assert "\n" not in str(refusal.value)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (
            "silent",
            RunError,
            "no node got on for 0.5 s: .*node 0 .server. for 'gradient', node 1 .worker 0. for",
        ),
        (
            "broken",
            RunError,
            r"node 1 \(worker 0\) failed after \d+ computations, with the run at version \d+: ",
        ),
        ("refusing", InputError, "n: got 3; allowed: a whole number from 1 to 2"),
        ("short", InputError, "all programs ended early"),
    ],
)
def test_a_method_that_goes_wrong_is_one_error(fault, kind, message):
    began_s = time.monotonic()
    with pytest.raises(kind, match=message) as failure:
        record(Faulty(fault), workers=1, updates=50, patience_s=0.5)
    assert "\n" not in str(failure.value)
    assert not multiprocessing.active_children()
    assert time.monotonic() - began_s < 60


def test_a_node_may_write_to_itself():
    made = record(Faulty("alone"), workers=1, updates=5)
    assert verify(made) == checksums(made)


def killing(name, after_s):
    """Kill the node of this name some time after it has begun; a list that will hold when."""
    when = []

    def kill():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = [child for child in multiprocessing.active_children() if child.name == name]
            if found:
                time.sleep(after_s)
                when.append(time.monotonic())
                found[0].kill()
                return
            time.sleep(0.01)

    threading.Thread(target=kill, daemon=True).start()
    return when


def test_a_killed_node_ends_the_run_at_once_with_one_error():
    record("asynchronous", updates=2)  # so that starting takes no time
    killed_at = killing("node 0", after_s=1.5)
    text = r"node 0 \(server\) was killed by signal 9 after \d+ computations, with the run at version \d+$"
    with pytest.raises(RunError, match=text):
        record("asynchronous", updates=100_000, workers=3, stragglers="exponential", pace_s=0.01)
    assert time.monotonic() - killed_at[0] < 20  # of the 300 and more that the run would take
    assert not multiprocessing.active_children()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def by_torchrun(path, world, *how):
    """The exit statuses of so many processes that run as torchrun would start them."""
    port, context = free_port(), forking()
    nodes = [
        context.Process(target=torchrun_node, args=(rank, port, path, world, *how)) for rank in range(world)
    ]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join(60)
    return [node.exitcode for node in nodes]


def test_processes_that_torchrun_started_are_the_nodes(tmp_path):
    path = tmp_path / "run.npz"
    assert by_torchrun(path, 3) == [0, 0, 0]
    assert verify(Timeline.load(path)) == 3


def test_nodes_on_several_hosts_meet_at_ports_and_are_recorded_as_on_one(tmp_path):
    path = tmp_path / "run.npz"
    assert by_torchrun(path, 3, 3) == [0, 0, 0]
    timeline = Timeline.load(path)
    assert verify(timeline) == 3
    assert timeline.about["machine"] == "several hosts"
    assert timeline.about["hosts"] == [socket.gethostname()] * 3
    assert len(timeline.about["clock_offsets"]) == 3


def test_methods_that_share_memory_are_refused_on_several_hosts(tmp_path):
    path = tmp_path / "run.npz"
    assert by_torchrun(path, 2, 2, "hogwild")[0] == 2
    assert not path.exists()
    with pytest.raises(
        InputError, match=r"^nnodes: got 'several hosts for hogwild'; allowed: one host for a method"
    ):
        NoCells("hogwild").of(None)


def test_a_port_in_use_and_a_wrong_number_of_processes_are_one_line_each(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for key, value in environment(0, 3, taken.getsockname()[1]).items():
            monkeypatch.setenv(key, value)
        assert torchrun.is_here()
        with pytest.raises(RunError, match=r"no store at 127.0.0.1:\d+: ") as failure:
            torchrun.record(setup())
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        InputError, match="nproc-per-node: got 2; allowed: 3, the nodes of asynchronous"
    ) as refusal:
        torchrun.record(setup())
    assert "\n" not in str(failure.value) + str(refusal.value)


LAUNCHER = """
import sys, tempfile, threading, time
from pathlib import Path
from rebuttal.processes import launcher

def say():
    time.sleep(0.5)
    print("running", flush=True)

if __name__ == "__main__":
    launcher.MEMORY = Path(sys.argv[1])
    launcher.record("asynchronous", updates=2)
    threading.Thread(target=say, daemon=True).start()
    launcher.record("asynchronous", workers=3, updates=10**6, stragglers="exponential", pace_s=0.01)
"""


@pytest.fixture
def short_folder():
    """One whose name leaves room for the address of a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="m") as name:
        yield Path(name)


def test_nobody_survives_a_killed_launcher(tmp_path, short_folder):
    (tmp_path / "launch.py").write_text(LAUNCHER)
    command = [sys.executable, str(tmp_path / "launch.py"), str(short_folder)]
    launcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    try:
        assert launcher.stdout.readline() == "running\n"
        assert list(short_folder.iterdir())
        launcher.send_signal(signal.SIGKILL)
        launcher.communicate(
            timeout=20
        )  # of hours; reads until the last process that holds the pipe has ended
    finally:
        launcher.kill()
        launcher.stdout.close()
    assert not list(short_folder.iterdir())
