"""Files that a stranger may hand over as recorded runs: each wants to run code, to read elsewhere, or to use up a host.

Run as a script it verifies each of them, in one process, and writes one line for each: status, seconds, what was said.
Its last line is the most memory that it had.
"""

import contextlib
import io
import json
import os
import pickle
import re
import resource
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np

from rebuttal.core.timeline_arrays import sealed

FILES = {}


def hostile(make):
    FILES[make.__name__] = make
    return make


def facts(name, **changed):
    """A sealed run whose header says something else of itself."""

    def make(path, arrays, header):
        save(path, arrays, header, header["about"] | changed)

    FILES[name] = make


def save(path, arrays, header, about=None):
    np.savez(path, allow_pickle=False, **sealed(arrays, header["names"], about or header["about"]))


def members(path, **content):
    """An archive with members of these bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(f"{name}.npy", data)


def npy(header):
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


EVIL = "evil.py"
DIGEST = "0" * 64
facts("code as its workload", workload=f"file:{EVIL}")
facts("code with a hash", workload=f"file:{EVIL}", own_code={f"file:{EVIL}": DIGEST})
facts("code as its method", method=f"file:{EVIL}")
facts("a module as its method", method="os.system")
facts("code as its rule", rule={"name": f"file:{EVIL}"})
facts("images elsewhere", workload="images:resnet:/")
facts("a text elsewhere", workload="text:/etc/passwd")
facts("a data set elsewhere", workload="../../etc/passwd")
facts("a batch of everything", batch=2**62)
facts("workers without end", workers=10**9, nodes=10**9 + 1)
facts("an option without end", method="softsync", options={"n": 10**18})
facts("an option of code", method="softsync", options={"n": {"__reduce__": "os.system"}})
facts("a rule without end", rule={"name": "sgd", "weight_decay": 1e300})
facts("checksums without end", checksums=[[n, 0, 1, DIGEST] for n in range(100_000)])
facts("clocks without end", clock_offsets={str(n): [0, 0] for n in range(100_000)})


@hostile
def pickled_array(path, arrays, header):
    class Code:
        def __reduce__(self):
            return (os.system, (f"touch {path.parent / 'trace'}",))

    np.savez(path, header=np.array([Code()], dtype=object))


@hostile
def pickle_alone(path, arrays, header):
    class Code:
        def __reduce__(self):
            return (os.system, (f"touch {path.parent / 'trace'}",))

    path.write_bytes(pickle.dumps(Code()))


@hostile
def zip_bomb(path, arrays, header):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("header.npy", "w") as member,
    ):
        for _ in range(300):
            member.write(bytes(2**20))


@hostile
def array_that_promises(path, arrays, header):
    members(path, header=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"))


@hostile
def array_of_negative_length(path, arrays, header):
    members(path, header=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"))


@hostile
def array_of_code(path, arrays, header):
    members(path, header=npy("__import__('os').system('touch trace')"))


@hostile
def nested_array_header(path, arrays, header):
    members(path, header=npy("(" * 90))


@hostile
def nested_header(path, arrays, header):
    text = np.frombuffer(b"[" * 200_000, dtype=np.uint8)
    np.savez_compressed(path, **arrays, header=text)


@hostile
def endless_number(path, arrays, header):
    text = np.frombuffer(b'{"schema": ' + b"9" * 200_000 + b"}", dtype=np.uint8)
    np.savez_compressed(path, **arrays, header=text)


@hostile
def many_members(path, arrays, header):
    members(path, **{f"m{n}": b"" for n in range(20_000)})


@hostile
def doubled_members(path, arrays, header):
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w") as archive:
        for _ in range(2):
            archive.writestr("header.npy", npy("{}"))


@hostile
def other_packing(path, arrays, header):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("header.npy", bytes(2**20))


@hostile
def member_outside(path, arrays, header):
    members(path, **{"../../outside": npy("{}")})


@hostile
def large_graph(path, arrays, header):
    count = 1_000_000
    arrays |= {
        "graph.operation": np.zeros(count, np.int16), "graph.input_count": np.zeros(count, np.int32),
        "graph.argument_count": np.ones(count, np.int32), "graph.argument": np.arange(count, dtype=np.float64),
        "graph.input": np.zeros(0, np.int32),
    }  # fmt: skip
    save(path, arrays, header)


@hostile
def later_inputs(path, arrays, header):
    arrays["graph.input"] = -np.ones_like(arrays["graph.input"])
    save(path, arrays, header)


def argument(name, value):
    """Every number of the graph becomes one."""

    def make(path, arrays, header):
        arrays["graph.argument"] = value * (1 + np.arange(len(arrays["graph.argument"])))
        save(path, arrays, header)

    FILES[name] = make


argument("steps without end", 1e15)
argument("steps below 0", -1.0)
argument("steps that are no numbers", np.nan)


def operation(old, new):
    def make(path, arrays, header):
        names = [new if name == old else str(name) for name in arrays["graph.names"]]
        arrays["graph.names"] = np.asarray(names)
        save(path, arrays, header)

    FILES[f"{new[:20]} for {old}"] = make


operation("gradient", "eval")
operation("gradient", "forward")
operation("gradient", "part")
operation("gradient", "x" * 100_000)
operation("update", "joined")
operation("update", "perturbed")


@hostile
def a_device(path, arrays, header):
    path.symlink_to("/dev/zero")


@hostile
def a_pipe(path, arrays, header):
    os.mkfifo(path)


@hostile
def a_folder(path, arrays, header):
    path.mkdir()


@hostile
def a_link_to_itself(path, arrays, header):
    path.symlink_to(path)


@hostile
def a_large_file(path, arrays, header):
    with path.open("wb") as file:
        file.truncate(2**36)


@hostile
def a_page(path, arrays, header):
    path.write_text("<script>alert(1)</script>")


def make(folder, run):
    """All of them in a folder, from a sound run; their paths by what they are."""
    with np.load(run) as stored:
        sound = {name: stored[name] for name in stored.files}
    header = json.loads(sound.pop("header").tobytes())
    (folder / EVIL).write_text(f"open({str(folder / 'trace')!r}, 'w').close()\n")
    found = {}
    for number, (name, write) in enumerate(FILES.items()):
        found[name] = folder / f"{number}.npz"
        write(found[name], dict(sound), json.loads(json.dumps(header)))
    return found


def main(paths):
    import rebuttal.processes.verification  # noqa: F401 - only the process that is measured imports torch
    from rebuttal.cli import main as command

    for path in paths:
        said, began_s = io.StringIO(), time.monotonic()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            status = command(["verify", path])
        sys.stdout.write(json.dumps([status, time.monotonic() - began_s, said.getvalue()]) + "\n")
    sys.stdout.write(f"{most_kib()}\n")


def most_kib():
    """The most memory that this process had; `ru_maxrss` is at least what the process that started it had."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.is_file() else None
    return int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main([str(Path(path)) for path in sys.argv[1:]])
