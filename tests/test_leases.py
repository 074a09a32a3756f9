"""Leases of a host: many ordinary runs at once, a timed one alone, and what takes the right to support a claim."""

import contextlib
import subprocess
import sys
import threading
import time

import pytest

from rebuttal.base import host_lease
from rebuttal.base.errors import InputError, RunError
from rebuttal.base.host_lease import watch

HOLDING = (
    "from rebuttal.base import host_lease\nwith host_lease.{kind}():\n  print('here', flush=True)\n  input()"
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(host_lease.FOLDER, str(tmp_path / "leases"))


@contextlib.contextmanager
def held(kind):
    """Another process that has a lease."""
    command = [sys.executable, "-c", HOLDING.format(kind=kind)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "here\n"
        try:
            yield other
        finally:
            other.kill()


def test_ordinary_runs_share_the_host_and_a_timed_one_then_has_it_alone():
    with host_lease.shared(), host_lease.shared():
        pass
    with host_lease.exclusive() as lease:
        assert lease.exclusive
        with host_lease.shared():  # its own, so nobody waits for itself
            pass


def test_a_timed_run_that_others_do_not_leave_alone_says_so():
    with held("shared"), host_lease.exclusive(patience_s=0.2) as lease:
        about = lease.about()
    assert not about["exclusive"]
    assert not about["supports_timing"]
    assert "contended: other runs shared the host" in about["why_not"]
    assert about["waited_s"] >= 0.2


def test_a_killed_run_gives_its_lease_back():
    with held("exclusive") as other:
        threading.Timer(0.3, other.kill).start()
        with host_lease.exclusive(patience_s=20) as lease:
            assert lease.exclusive
    assert lease.waited_s >= 0.2


def test_an_ordinary_run_waits_for_a_timed_one():
    done = threading.Event()

    def ordinary():
        with host_lease.shared():
            done.set()

    with host_lease.exclusive():
        threading.Thread(target=ordinary, daemon=True).start()
        assert not done.wait(0.3)
    assert done.wait(10)


def lease(**given):
    seen = {"cores": 4, "others_cores": 0.0, "stood_still_s": 0.0} | given.pop("seen", {})
    made = host_lease.Lease(**({"exclusive": True, "waited_s": 0.0, "processes": 2, "attempt": 1} | given))
    made.watch.close()
    made.watch.read = lambda: seen
    return made.about()


def test_a_quiet_run_supports_a_claim():
    assert lease()["supports_timing"]
    assert lease(seen={"others_cores": 2.0})["why_not"] == []  # on the cores that it did not need


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"exclusive": False}, "contended: other runs shared the host"),
        ({"seen": {"others_cores": 2.5}}, "contended: other programs used 2.5 of 4 cores"),
        ({"processes": 5}, "more processes than cores: 5 on 4"),
        ({"attempt": 3}, "resumed: begun 3 times, since a worker was lost"),
        ({"seen": {"stood_still_s": 30.0}}, "resumed: it stood still for 30 s"),
    ],
)
def test_what_takes_the_right_to_support_a_claim(given, why):
    found = lease(**given)
    assert found["why_not"] == [why]
    assert not found["supports_timing"]


def test_what_a_run_and_its_children_compute_is_its_own():
    seen = watch.Watch()
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    time.sleep(0.5)
    before = watch._own_s()
    time.sleep(0.5)
    own_s = watch._own_s() - before
    busy.kill()
    busy.wait()
    found = seen.read()
    seen.close()
    assert own_s > 0.02  # however busy the machine is, the child had some of it
    assert 0 <= found["others_cores"] <= found["cores"] + 0.1


def open_to_others(folder):
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)


def a_link(folder):
    folder.with_name("elsewhere").mkdir()
    folder.symlink_to(folder.with_name("elsewhere"))


@pytest.mark.parametrize("made", [open_to_others, a_link])
@pytest.mark.parametrize("lease", [host_lease.shared, host_lease.exclusive])
def test_a_folder_that_somebody_else_may_have_made_is_refused_in_one_line(tmp_path, made, lease):
    made(tmp_path / "leases")
    with (
        pytest.raises(InputError, match=r"REBUTTAL_LEASES: got '.*'; allowed: .*mode 700") as refusal,
        lease(),
    ):
        pass
    assert "\n" not in str(refusal.value)
    assert not list((tmp_path / "leases").iterdir())


def test_leases_lie_in_the_private_folder_of_the_session_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.delenv(host_lease.FOLDER)
    (tmp_path / "session").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "session"))
    with host_lease.shared():
        assert (tmp_path / "session" / "rebuttal-leases" / "door").is_file()


def test_who_waits_says_for_whom_and_not_for_ever(monkeypatch, capsys):
    monkeypatch.setattr(host_lease, "SAID_AFTER_S", 0.1)
    monkeypatch.setattr(host_lease, "LIMIT_S", 0.4)
    with (
        held("exclusive") as other,
        pytest.raises(RunError, match=rf"for the timed run of process {other.pid}"),
        host_lease.shared(),
    ):
        pass
    assert (
        capsys.readouterr().err
        == f"waiting for the timed run of process {other.pid} to end its measurement\n"
    )
