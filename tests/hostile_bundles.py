"""Certificates that a stranger may hand over: each wants to run code, to read elsewhere, or to use up a host.

Run as a script it checks each of them, in one process, and writes one line for each: status, seconds, what was said.
Its last line is the most memory that it had.
"""

import contextlib
import io
import json
import os
import shutil
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import yaml
from certificate_tampering import CURVES, PAPER, edited, put
from hostile_files import most_kib

from rebuttal.evidence.references import bundle

KINDS = {}
CERTIFICATE = "certificate.json"
NESTED = "[" * 200_000
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
)


def plain(make):
    """What somebody without this package writes."""
    KINDS[make.__name__] = make
    return make


def forged(make):
    """A change after which the list has the hashes that files have."""

    def both(folder):
        make(folder)
        rehashed(folder)

    KINDS[make.__name__] = both
    return make


def rehashed(folder):
    """The list of files with the hashes that they have now."""
    content = json.loads((folder / CERTIFICATE).read_text())
    listed = [folder / one["path"] for one in content["files"]]
    files = [bundle.described(folder, path, bundle.role_of(path.relative_to(folder).as_posix()))
             for path in listed if path.is_file()]  # fmt: skip
    content["files"] = [vars(one) for one in files]
    bundle.write_json(folder / CERTIFICATE, content)


def also(folder, name, text=""):
    """One file more, which is in the list."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    edited(folder / CERTIFICATE, lambda content: content["files"].append(
        {"path": name, "role": bundle.role_of(name), "bytes": 0, "sha256": ""}))  # fmt: skip


def text(name, content):
    """A file of the certificate has another content."""

    def make(folder):
        (folder / name).write_text(content)

    make.__name__ = f"{name}: {content[:20]!r}"
    (plain if name == CERTIFICATE else forged)(make)


def fact(what, change):
    def make(folder):
        edited(folder / CERTIFICATE, change)

    make.__name__ = f"{CERTIFICATE}: {what}"
    plain(make)


text(CERTIFICATE, NESTED)
text(CERTIFICATE, '{"format": ' + "9" * 200_000 + "}")
text(CERTIFICATE, "[" + "{}," * 5_000_000 + "{}]")
text(CERTIFICATE, "<script>alert(1)</script>")
fact("files without end", put("files", lambda found: found * 1000))
fact("a file of a terabyte", put("files", 0, "bytes", 10**12))
fact("a file anywhere", put("files", 0, "path", "/etc/passwd"))
fact("a path that is none", put("files", 0, "path", ["a"]))
fact("a path with a zero", put("files", 0, "path", "a\0b"))
fact("a file of keys", put("files", 0, {"__reduce__": "os.system"}))
fact("questions of nothing", put("questions", [None] * 1000))
text("ledger.json", NESTED)
text("ledger.json", '{"__class__": "os.system"}')
text("params.yaml", BOMB)
text(PAPER, BOMB)
text(PAPER, "a: !!python/object/apply:os.system ['touch trace']")
text(PAPER, "a: " + NESTED)


@plain
def a_certificate_without_end(folder):
    with (folder / CERTIFICATE).open("wb") as file:
        file.truncate(2**36)


@plain
def a_certificate_that_is_a_pipe(folder):
    (folder / CERTIFICATE).unlink()
    os.mkfifo(folder / CERTIFICATE)


@plain
def a_certificate_that_is_a_device(folder):
    (folder / CERTIFICATE).unlink()
    (folder / CERTIFICATE).symlink_to("/dev/zero")


@plain
def a_result_that_is_a_device(folder):
    (folder / CURVES).unlink()
    (folder / CURVES).symlink_to("/dev/zero")


@plain
def a_result_that_is_a_pipe(folder):
    (folder / CURVES).unlink()
    os.mkfifo(folder / CURVES)


@plain
def a_result_without_end(folder):
    with (folder / CURVES).open("wb") as file:
        file.truncate(2**36)


@plain
def a_folder_that_is_in_itself(folder):
    (folder / "results" / "loop").symlink_to(folder)


@plain
def folders_in_folders(folder):
    place = folder / "results"
    for _ in range(300):
        place /= "d"
    place.mkdir(parents=True)
    (place / "x").touch()


@forged
def a_paper_outside(folder):
    rewritten(folder, lambda paper: paper | {"id": "../../etc"})


@forged
def a_paper_of_many_questions(folder):
    def many(paper):
        rule = paper["concerns"][0]["answers"][0]
        return paper | {"concerns": [{"id": f"mu-{n}", "kind": "claim", "text": "?", "answers": [rule]}
                                     for n in range(3000)]}  # fmt: skip

    rewritten(folder, many)


@forged
def a_rule_without_end(folder):
    def endless(paper):
        paper["concerns"][0]["answers"][0]["rule"]["target"] = 1e308
        paper["concerns"][0]["answers"][0]["rule"]["of"] = ["synchronous"] * 50_000
        return paper

    rewritten(folder, endless)


def rewritten(folder, change):
    path = folder / PAPER
    path.write_text(yaml.safe_dump(change(yaml.safe_load(path.read_text()))))


@forged
def code_beside_a_paper(folder):
    code = f"open({str(folder.parent / 'trace')!r}, 'w').close()\n"
    also(folder, "papers/backup-workers/own/asynchronous.py", code)
    also(folder, "papers/backup-workers/own/__init__.py", code)
    also(folder, "src/sitecustomize.py", code)
    cell = {"cell_type": "code", "source": [code], "metadata": {}, "outputs": []}
    also(folder, "papers/backup-workers/review.ipynb", json.dumps({"cells": [cell]}))


def result(make):
    """A result file with something else in it, made anew without a seal."""

    def change(folder):
        (folder / CURVES).unlink()
        with h5py.File(folder / CURVES, "w") as file:
            make(file, folder)

    change.__name__ = f"a result of {make.__name__.replace('_', ' ')}"
    return forged(change)


@result
def zeros_without_end(file, folder):
    file.create_dataset("test_metric", (2**31,), "f8", compression="gzip", chunks=(2**20,))


@result
def zeros_that_are_packed(file, folder):
    file.create_dataset("test_metric", data=np.zeros(2**27, "i1"), compression="gzip", chunks=(2**22,))


@result
def a_dimension_that_is_enormous(file, folder):
    file.create_dataset("test_metric", (2**40,), "f8", chunks=(2**10,))


@result
def small_numbers_that_stand_for_large_ones(file, folder):
    data = file.create_dataset("test_metric", data=np.ones(2**26, "i1"), compression="gzip")
    data.attrs["scale_factor"] = 0.5


@result
def one_text_many_times(file, folder):
    many_references(file.create_dataset("method", (4000,), h5py.string_dtype()))


@result
def an_attribute_many_times(file, folder):
    data = file.create_dataset("test_metric", (1,), "f8")
    data.attrs.create("about", ["x" * 10_000] * 3000, dtype=h5py.string_dtype())


@result
def a_link_to_a_file_elsewhere(file, folder):
    file["test_metric"] = h5py.ExternalLink("/etc/passwd", "/a")


@result
def a_link_within(file, folder):
    file["a"] = h5py.SoftLink("/a")


@result
def bytes_elsewhere(file, folder):
    file.create_dataset("test_metric", (100,), "i1", external=[("/etc/passwd", 0, 100)])


@result
def a_view_of_another_file(file, folder):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "ledger.json"), "a", (10,))
    file.create_virtual_dataset("test_metric", layout)


@result
def folders(file, folder):
    place = file
    for _ in range(100):
        place = place.create_group("d")


def many_references(data):
    """Fill a dataset of texts with references to one long text: how HDF5 is written allows it."""
    data[0] = "x" * 2**22
    data[1:] = "y"
    data.file.flush()


def make(folder, certificate):
    """All of them, each a folder, from a sound certificate; their paths by what they are."""
    found = {}
    for number, (name, change) in enumerate(KINDS.items()):
        found[name] = shutil.copytree(certificate, folder / str(number) / "certificate")
        change(found[name])
    return found


def main(paths):
    import rebuttal.site.certificates.certificate_check  # noqa: F401 - imports are no part of what is measured
    from rebuttal.cli import main as command

    for path in paths:
        said, began_s = io.StringIO(), time.monotonic()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            status = command(["certify", "--check", path])
        sys.stdout.write(json.dumps([status, time.monotonic() - began_s, said.getvalue()]) + "\n")
    sys.stdout.write(f"{most_kib()}\n")


if __name__ == "__main__":
    main([str(Path(path)) for path in sys.argv[1:]])
