"""docs/tampering.md, from the lists of changes that the tests try. `python tests/tampering_page.py` writes it."""

from pathlib import Path

import certificate_tampering
import recorded_tampering

PAGE = Path(__file__).parents[1] / "docs" / "tampering.md"
BEGIN = """# Tampering: what was tried, and what a check says

Tests make each of these changes and look at what comes out. *Caught* is a refusal of one line. What no check can see is
named in the line that it prints. *Hashes*: whether whoever made the change also computed all hashes anew, and whatever
else this package can compute.
"""
HEAD = ("| what is changed | hashes | outcome |", "|---|---|---|")
PARTS = (
    ("A recorded run: `rebuttal verify`", (recorded_tampering.RAW, recorded_tampering.RESEALED)),
    (
        "A certificate: `rebuttal certify --check`",
        (certificate_tampering.PLAIN, certificate_tampering.FORGED),
    ),
    ("A reference: `rebuttal certify --check`", (certificate_tampering.OF_REFERENCE, {})),
)


def page():
    """The page: a table for each kind of file."""
    lines = [BEGIN]
    for title, (plain, anew) in PARTS:
        rows = [(kind, hashes) for table, hashes in ((plain, "as they were"), (anew, "made anew"))
                for kind in table.values()]  # fmt: skip
        caught = sum(bool(kind.says) for kind, _ in rows)
        counted = f"{len(rows)} kinds, of which {caught} are caught and {len(rows) - caught} named."
        lines += [f"## {title}", "", counted, "", *HEAD]
        lines += [f"| {kind.what} | {hashes} | {outcome(kind)} |" for kind, hashes in rows]
        lines.append("")
    return "\n".join(lines)


def outcome(kind):
    return "caught" if kind.says else f"not covered: {kind.untold}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
