"""What the committed references of other profiles say of a question, to be shown beside the verdict of this run.

A reader who reruns a small profile then knows what to expect, and a reader of a large one what a small one would say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.errors import refuse
from rebuttal.evidence.papers import Paper
from rebuttal.evidence.references import bundle, reference
from rebuttal.site import html
from rebuttal.site.files import notes

Row = Mapping[str, Any]
SHOWN = ("word", "answer")


@dataclass(frozen=True)
class Other:
    """A reference of another profile. rests: what it rests on, in words. rows: (paper, id) -> its row of the ledger."""

    name: str
    profile: str
    rests: str
    rows: Mapping[tuple[str, str], Row]


def others(profile: str, about: Sequence[Paper]) -> tuple[Other, ...]:
    """The references in reference/ of other profiles than this, by name.

    Raises:
        InputError: a reference is broken, or answers a question that its paper does not have.
    """
    folder = paths.root() / "reference"
    found = [reference.read(path.parent) for path in sorted(folder.glob(f"*/{bundle.MANIFEST}"))]
    return tuple(_other(one, about) for one in found if one.profile != profile)


def of_row(row: Row, beside: Iterable[Other]) -> dict[str, dict[str, Any]]:
    """What each reference that has the question says of it: profile -> its word and answer."""
    key = (row["paper"], row["id"])
    return {one.profile: {name: one.rows[key][name] for name in SHOWN} for one in beside if key in one.rows}


def with_others(rows: Iterable[Row], profile: str, beside: Sequence[Other]) -> tuple[dict[str, Any], ...]:
    """The rows of this profile's ledger, each with `profile` and with what the references of others say, `beside`."""
    return tuple({**row, "profile": profile, "beside": of_row(row, beside)} for row in rows)


def line(row: Row) -> str:
    """'standard: Yes: ...' for every other profile that says anything else."""
    found = []
    for profile, other in row.get("beside", {}).items():
        if other["answer"] != row["answer"]:
            found.append(f"{profile}: {other['answer']}")
    return " ".join(found)


def rests_on(folder: Path, profile: str) -> str:
    """On what the results of a study rest: 'profile quick, layer costs of THAT DEVICE, trained on 2026-01-31'."""
    noted = list(notes(folder, "provenance.json").values())
    return _rests(profile, noted[0].get("device") if noted else None, noted)


def said(rests: Iterable[str], beside: Iterable[Other]) -> str:
    """A paragraph: on what a page rests, and which references stand beside it."""
    own = "; ".join(dict.fromkeys(rests))
    lines = [f"What follows rests on: {own}."] if own else []
    lines += [f"Beside the verdicts stands what reference/{one.name} says: {one.rests}." for one in beside]
    return html.element("p", escape(" ".join(lines)), class_="source") if lines else ""


def _other(found: reference.Reference, about: Sequence[Paper]) -> Other:
    rows = _ledger(found.folder / bundle.LEDGER, about)
    machines = list(found.machine.values())
    device = machines[0].get("device") if machines else None
    return Other(found.name, found.profile, _rests(found.profile, device, machines), rows)


def _ledger(path: Path, about: Sequence[Paper]) -> dict[tuple[str, str], Row]:
    """The rows of a reference by paper and question. Raises InputError for a question that there is not."""
    known = {paper.id: [one.id for one in (*paper.claims, *paper.concerns)] for paper in about}
    rows = bundle.read_rows(path, ("paper", "id", *SHOWN))
    for row in rows:
        if row["paper"] in known and row["id"] not in known[row["paper"]]:
            raise refuse(f"{path}: id of {row['paper']}", row["id"], known[row["paper"]])
    return {(row["paper"], row["id"]): row for row in rows}


def _rests(profile: str, device: Any, noted: Iterable[Mapping[str, Any]]) -> str:
    name = device.get("name") if isinstance(device, Mapping) else device
    days = sorted({str(note["date"]) for note in noted if "date" in note})
    when = " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "a day that was not noted"
    return f"profile {profile}, layer costs of {name or 'an unknown device'}, trained on {when}"
