"""The README's tables of findings, written from reports/ledger.json, so that no number in it was typed."""

import html
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.evidence import judging, papers
from rebuttal.site import page

Row = dict[str, Any]  # of the ledger

BEGIN, END = "<!-- ledger: written by `rebuttal release` from reports/ledger.json -->", "<!-- /ledger -->"
WORDS: tuple[str, ...] = get_args(judging.Word)
HEAD = "| | question | word | answer |\n|---|---|---|---|"


def write_readme() -> None:
    """Put the ledger's rows between the README's two marks. Raises InputError if the marks are not there."""
    path = paths.root() / "README.md"
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise InputError(
            f"README.md: got other marks; allowed: one line {BEGIN!r} and after it one line {END!r}"
        )
    rows = json.loads((paths.root() / "reports" / "ledger.json").read_text(encoding="utf-8"))
    before, _, rest = text.partition(BEGIN)
    page.write(path, f"{before}{BEGIN}\n{tables(rows)}\n{END}{rest.partition(END)[2]}")


def tables(rows: Sequence[Row]) -> str:
    """How many questions of each paper have which word; below it, folded away, every question with its answer."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row["paper"], []).append(row)
    rests = f"Runs of the profile `{rows[0]['profile']}`; the pages show beside each verdict what other profiles found."
    return "\n\n".join([rests, _summary(of), *(_of_paper(*each) for each in of.items())])


def table(rows: Sequence[Row]) -> str:
    """A Markdown table: one line for each concern and claim."""
    return "\n".join([HEAD, *map(_line, rows)])


def _summary(of: Mapping[str, Sequence[Row]]) -> str:
    counted = {paper: Counter(row["word"] for row in rows) for paper, rows in of.items()}
    found = [status for status in WORDS if any(status in counts for counts in counted.values())]
    lines = [f"| paper | questions | {' | '.join(found)} |", "|---|--:|" + "--:|" * len(found)]
    for paper, counts in counted.items():
        cells = " | ".join(str(counts[status]) for status in found)
        lines.append(f"| *{papers.load(paper).title}* | {counts.total()} | {cells} |")
    return "\n".join(lines)


def _of_paper(paper: str, rows: Sequence[Row]) -> str:
    title = html.escape(papers.load(paper).title)
    return f"<details>\n<summary>{title}: every question</summary>\n\n{table(rows)}\n\n</details>"


def _line(row: Row) -> str:
    text = re.sub(r"\s+", " ", row["text"]).replace("|", "\\|")
    return f"| {row['id']} | {text} | **{row['word']}** | {row['answer']} |"
