"""The README's table of findings, written from reports/ledger.json, so that no number in it was typed."""

import json
import re
from typing import Any

from rebuttal import paths
from rebuttal.errors import InputError
from rebuttal.report import page

BEGIN, END = "<!-- ledger: written by `rebuttal site` from reports/ledger.json -->", "<!-- /ledger -->"
HEAD = "| | question | status | effect [95 % interval] | n |\n|---|---|---|---|---|"


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
    page.write(path, f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.partition(END)[2]}")


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table: one line for each concern and claim."""
    return "\n".join([HEAD, *map(_line, rows)])


def _line(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    effect = "" if row["effect"] is None else f"{row['effect']:.3g} {row['unit']}"
    interval = "" if low is None or high is None else f" [{low:.3g}, {high:.3g}]"
    text = re.sub(r"\s+", " ", row["text"]).replace("|", "\\|")
    return f"| {row['id']} | {text} | **{row['status']}** | {effect}{interval} | {row['n']} |"
