"""The README's findings, written from reports/ledger.json, so that no number in it was typed."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.errors import InputError
from rebuttal.evidence import markdown_table, papers
from rebuttal.site import conclusions
from rebuttal.site.words import WORDS

Row = dict[str, Any]  # of the ledger

BEGIN, END = "<!-- ledger: written by `rebuttal release` from reports/ledger.json -->", "<!-- /ledger -->"
QUESTIONS = 5  # that a README quotes


def write_readme() -> None:
    """Put the ledger's rows between the README's two marks. Raises InputError if the marks are not there."""
    path = paths.root() / "README.md"
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise InputError(
            f"README.md: got other marks; allowed: one line {BEGIN!r} and after it one line {END!r}"
        )
    rows = json.loads((paths.root() / "reports" / "ledger.json").read_text(encoding="utf-8"))
    write_text(path, markdown_table.between(text, BEGIN, END, findings(rows)))


def findings(rows: Sequence[Row]) -> str:
    """The counts of words; below them five questions at most, of the strongest answers of every paper by turns."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row["paper"], []).append(row)
    rests = f"Runs of the profile `{rows[0]['profile']}`; every question has its place on the site."
    strongest = [conclusions.each_once(conclusions.strongest(some)) for some in of.values()]
    by_turns = [row for turn in zip_longest(*strongest) for row in turn if row]
    lines = [
        f"- *{row['text']}* {row['answer']} ({row['paper']}, {row['id']}: {row['word']})"
        for row in by_turns[:QUESTIONS]
    ]
    return "\n\n".join([rests, _summary(of), "\n".join(lines)])


def _summary(of: Mapping[str, Sequence[Row]]) -> str:
    counted = {paper: Counter(row["word"] for row in rows) for paper, rows in of.items()}
    found = [word for word in WORDS if any(word in counts for counts in counted.values())]
    lines = [f"| paper | questions | {' | '.join(found)} |", "|---|--:|" + "--:|" * len(found)]
    for paper, counts in counted.items():
        cells = " | ".join(str(counts[word]) for word in found)
        lines.append(f"| *{papers.load(paper).title}* | {counts.total()} | {cells} |")
    return "\n".join(lines)
