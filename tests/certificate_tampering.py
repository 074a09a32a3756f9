"""Kinds of tampering with a certificate or a reference, and what `rebuttal certify --check` says of them.

FORGED are made by somebody who has this package, and computes every hash, the page and the crate anew.
"""

import json
import shutil
from dataclasses import dataclass

from recorded_tampering import Kind

from rebuttal.core import results
from rebuttal.evidence.references import bundle, ledgers, reference
from rebuttal.site.certificates import certificate

PLAIN, FORGED, OF_REFERENCE = {}, {}, {}
CURVES = "results/backup-workers/training/asynchronous/curves.nc"
PAPER = "papers/backup-workers/paper.yaml"
CODE = "src/code.py"


@dataclass(frozen=True)
class Text:
    """A file in which one text takes the place of another."""

    name: str
    old: str
    new: str

    def __call__(self, folder):
        path = folder / self.name
        text = path.read_text()
        assert self.old in text
        path.write_text(text.replace(self.old, self.new))


def kind(table, what, says="", untold=""):
    def of(change):
        table[what] = Kind(what, change, says, untold)
        return change

    return of


def text(name, old, new, says):
    PLAIN[f"{name}: {new}"] = Kind(f"`{name}` says {new!r}", Text(name, old, new), says)


def edited(path, change):
    content = json.loads(path.read_text())
    changed = change(content)
    path.write_text(bundle.as_json(content if changed is None else changed))


def fact(what, change, says="", untold="", table=PLAIN, name="certificate.json"):
    table[f"{name}: {what}"] = Kind(
        f"`{name}`: {what}", lambda folder: edited(folder / name, change), says, untold
    )


def put(*keys):
    """content[k0][k1]... = last."""

    def change(content):
        *path, last, value = keys
        for key in path:
            content = content[key]
        content[last] = value(content[last]) if callable(value) else value

    return change


def resign(folder):
    """What a forger does: everything that can be computed from the folder is computed anew."""
    path = folder / "certificate.json"
    content = json.loads(path.read_text())
    listed = [bundle.BundleFile(**one) for one in content["files"]]
    files = [
        bundle.described(folder, folder / one.path, one.role)
        for one in listed
        if (folder / one.path).is_file()
    ]
    content["files"] = [vars(one) for one in files]
    content["rerun"]["files_sha256"] = bundle.digest(files, "results")
    content["rerun"]["code_sha256"] = bundle.digest(files, "code")
    for made in ("reports/certificate.html", "codecheck.yml", "ro-crate-metadata.json"):
        (folder / made).unlink()
    links = [paper.links[0] for paper in ledgers.papers_in(folder)]
    certificate._write_all(folder, content, files, links)


text("reports/certificate.html", "reproduced", "confirmed", "not what this checkout makes")
text("codecheck.yml", "reproduced", "confirmed", "not what this checkout makes")
text("ro-crate-metadata.json", "reproduced", "confirmed", "not what this checkout makes")
text("params.yaml", "made_up", "other", "not the file that was certified")
text("ledger.json", "supported", "contradicted", "not the file that was certified")
text("reference_ledger.json", "supported", "contradicted", "not the file that was certified")
text(PAPER, "more accurate", "more modest", "not the file that was certified")
text(CODE, "Code", "Cod", "not the file that was certified")
fact("outcome", put("outcome", "not reproduced"), "does not follow")
fact("when it was made", put("made", "2001-01-01T00:00:00+00:00"), "not what this checkout makes")
fact("made at no time", put("made", "soon"), "made: got")
fact("profile", put("profile", "full"), "profile: the results say otherwise")
fact("format", put("format", 2), "format: got")
fact("tolerances", put("tolerances", "ratio_factor", 10.0), "tolerances: got")
fact(
    "name of the reference",
    put("reference", "name", "standard"),
    "not what this checkout makes|reference.name",
)
fact(
    "device of the reference",
    put("reference", "machine", {}),
    "not what this checkout makes|reference.machine",
)
fact("hash of the reference", put("reference", "files_sha256", "0" * 64), "not what this checkout makes")
fact(
    "device of the rerun",
    put("rerun", "machine", "backup-workers", "device", "name", "NVIDIA H200"),
    "machine: the",
)
fact("commit of the rerun", put("rerun", "machine", "backup-workers", "git_commit", "f" * 40), "machine: the")
fact("hash of the results", put("rerun", "files_sha256", "0" * 64), "rerun.files_sha256")
fact("hash of the code", put("rerun", "code_sha256", "0" * 64), "rerun.code_sha256")
fact("outcome of a question", put("questions", 0, "outcome", "other size"), "does not follow")
fact("word of a question", put("questions", 0, "reference", "word", "depends"), "does not follow")
fact("answer of a question", put("questions", 0, "rerun", "answer", "It is."), "does not follow")
fact("reason of a question", put("questions", 0, "why", ["nothing"]), "does not follow")
fact("a question less", put("questions", lambda found: found[1:]), "does not follow")
fact("two questions exchanged", lambda content: content["questions"].reverse(), "does not follow")
fact("a key more", put("questions", 0, lambda one: one | {"award": "best"}), "does not follow")
fact("a key of the certificate more", lambda content: content | {"award": "best"}, "keys: got")
fact(
    "a key less",
    lambda content: {key: one for key, one in content.items() if key != "made"},
    "made: got nothing",
)
fact("hash of a file", put("files", 0, "sha256", "0" * 64), "not the file that was certified")
fact("size of a file", put("files", 0, "bytes", 1), "not the file that was certified")
fact("size of no file", put("files", 0, "bytes", 10**15), "bytes: got")
fact("purpose of a file", put("files", 0, "role", "page"), "role: got")
fact("a file outside", put("files", 0, "path", "../../outside"), "paths within the folder")
fact("a file anywhere", put("files", 0, "path", "/etc/passwd"), "paths within the folder")
fact("a file that is not there", put("files", 0, "path", "params.yml"), "is not in the list|role: got")


@kind(PLAIN, "a file of the list is there twice", "each once")
def doubled(folder):
    edited(folder / "certificate.json", lambda content: content["files"].append(content["files"][0]))


@kind(PLAIN, "a file is taken out of the list", "is not in the list")
def off_the_list(folder):
    edited(folder / "certificate.json", put("files", lambda found: found[:-1]))


@kind(PLAIN, "a file more", "is not in the list")
def one_more(folder):
    (folder / "results" / "notes.txt").write_text("sound")


@kind(PLAIN, "a link to a file elsewhere", "is not in the list")
def link(folder):
    (folder / "reports" / "index.html").symlink_to("/etc/passwd")


@kind(PLAIN, "a link in the place of a file", "is not in the list")
def linked(folder):
    moved = folder.parent / "curves.nc"
    shutil.move(folder / CURVES, moved)
    (folder / CURVES).symlink_to(moved)


@kind(PLAIN, "a link in the place of a folder", "is not in the list")
def linked_folder(folder):
    moved = folder.parent / "elsewhere"
    shutil.move(folder / "devices", moved)
    (folder / "devices").symlink_to(moved)


@kind(PLAIN, "one byte of a result", "not the file that was certified")
def one_byte(folder):
    content = bytearray((folder / CURVES).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / CURVES).write_bytes(content)


@kind(PLAIN, "a result less", "not the file that was certified")
def one_less(folder):
    (folder / CURVES).unlink()


def forge(what, says="", untold=""):
    """A change after which the forger computes all hashes, the page and the crate anew."""

    def of(change):
        def both(folder):
            change(folder)
            resign(folder)

        FORGED[what] = Kind(what, both, says, untold)
        return change

    return of


def shift(folder, by=0.1):
    data = results.netcdf.load(folder / CURVES)
    results.save(data.assign(test_metric=(data.test_metric + by).clip(0, 1)), folder / CURVES)


@forge("a result", "comes out otherwise")
def result(folder):
    shift(folder)


@forge("a result, and all verdicts after it", untold="whether its code gives its results")
def result_and_verdicts(folder):
    shift(folder)
    rows = ledgers.rows(ledgers.papers_in(folder), folder / "results")
    bundle.write_json(folder / "ledger.json", rows)
    content = json.loads((folder / "certificate.json").read_text())
    held = json.loads((folder / "reference_ledger.json").read_text())
    content["questions"] = certificate.agreement.compare(held, json.loads(json.dumps(rows)))
    content["outcome"] = certificate.agreement.outcome(content["questions"])
    bundle.write_json(folder / "certificate.json", content)


@forge("a verdict", "comes out otherwise")
def verdict(folder):
    edited(folder / "ledger.json", put(0, "word", "depends"))


@forge("the sentence of an answer", "comes out otherwise")
def sentence(folder):
    edited(folder / "ledger.json", put(0, "answer", "Nobody can tell."))


@forge("a number of the evidence", "comes out otherwise")
def number(folder):
    edited(folder / "ledger.json", put(0, "parts", 0, "effect", lambda one: one * 1.01))


@forge("a verdict of the reference", "comes out otherwise of the reference|does not follow")
def verdict_of_reference(folder):
    edited(folder / "reference_ledger.json", put(0, "word", "depends"))


@forge("a sentence of the reference", "comes out otherwise of the reference|does not follow")
def sentence_of_reference(folder):
    edited(folder / "reference_ledger.json", put(0, "answer", "Nobody can tell."))


@forge("the name of the reference", "reference.name")
def name_of_reference(folder):
    edited(folder / "certificate.json", put("reference", "name", "standard"))


@forge("the device of the reference", "reference.machine")
def device_of_reference(folder):
    edited(folder / "certificate.json", put("reference", "machine", {}))


@forge("the hash of the reference", untold="its reference is none of this checkout's")
def hash_of_reference(folder):
    edited(folder / "certificate.json", put("reference", "files_sha256", "0" * 64))


@forge("the device of the rerun", "machine: the results say otherwise")
def device(folder):
    edited(
        folder / "certificate.json",
        put("rerun", "machine", "backup-workers", "device", "name", "NVIDIA H200"),
    )


@forge("the profile", "profile: the results say otherwise")
def profile(folder):
    edited(folder / "certificate.json", put("profile", "full"))


@forge("a rule, such that verdicts stay", untold="its rules are not this checkout's")
def rule(folder):
    for name in (PAPER, "reference_ledger.json"):
        Text(name, "Accuracy.", "Precision.")(folder)
    rows = ledgers.rows(ledgers.papers_in(folder), folder / "results")
    bundle.write_json(folder / "ledger.json", rows)


@forge("the code", untold="its code is not this checkout's")
def code(folder):
    Text(CODE, "Code", "Other code")(folder)


@forge("no code at all", untold="its code is not this checkout's")
def no_code(folder):
    shutil.rmtree(folder / "src")


@forge("the date", untold="when and by whom it was made")
def date(folder):
    edited(folder / "certificate.json", put("made", "2001-01-01T00:00:00+00:00"))


@forge("another page of the site", untold="its other pages")
def other_page(folder):
    (folder / "reports" / "index.html").write_text("<p>All is well.</p>")
    edited(folder / "certificate.json", lambda content: content["files"].append(
        {"path": "reports/index.html", "role": "page", "bytes": 0, "sha256": ""}))  # fmt: skip


@forge("a question of the certificate", "does not follow")
def question(folder):
    edited(folder / "certificate.json", put("questions", 0, "rerun", "answer", "Nobody can tell."))


@forge("the outcome", "does not follow")
def outcome(folder):
    edited(folder / "certificate.json", put("outcome", "verdicts reproduced"))


@forge("all that was measured of a method is left out", "rule.against: got")
def without_a_method(folder):
    shutil.rmtree(folder / "results" / "backup-workers" / "training" / "asynchronous")


def of_reference(what, change, says="", untold=""):
    fact(what, change, says, untold, OF_REFERENCE, "manifest.json")


of_reference("profile", put("profile", "full"), "profile: the results say otherwise")
of_reference("device", put("machine", {}), "machine: the results say otherwise")
of_reference("a key more", lambda content: content | {"award": "best"}, "keys: got")
of_reference("hash of a file", put("files", 0, "sha256", "0" * 64), "not the file that was certified")
of_reference("a file outside", put("files", 0, "path", "../../outside"), "paths within the folder")
of_reference("purpose of a file", put("files", 0, "role", "page"), "role: got")
of_reference("a file less", put("files", lambda found: found[:-1]), "is not in the list")
of_reference("another name", put("name", "standard"), "name: got")


@kind(OF_REFERENCE, "a verdict, with its hash", "comes out otherwise")
def verdict_with_hash(folder):
    edited(folder / "ledger.json", put(0, "word", "depends"))
    rehash(folder)


@kind(OF_REFERENCE, "a result, with its hash", "comes out otherwise")
def result_with_hash(folder):
    shift(folder)
    rehash(folder)


@kind(OF_REFERENCE, "a file more", "is not in the list")
def more(folder):
    (folder / "stray").touch()


@kind(OF_REFERENCE, "a link", "is not in the list")
def a_link(folder):
    (folder / "results" / "link").symlink_to("/etc/passwd")


def rehash(folder):
    def change(content):
        content["files"] = [vars(bundle.described(folder, folder / one.path, one.role))
                            for one in reference.files_of(content)]  # fmt: skip

    edited(folder / "manifest.json", change)
