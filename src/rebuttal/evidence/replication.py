"""Two ledgers of the same questions from different seeds: which parts have the same word, and which are reversed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal.base import paths
from rebuttal.evidence import markdown_table

Row = Mapping[str, Any]
UNDECIDED = ("cannot tell", "open")
REVERSED = {"supported", "contradicted"}
FILE = "replication.json"  # of the folder reference
PAGE = """# Replication with other seeds

Written by `python benchmarks/replication.py --write reference/replication.json --page docs/replication.md`.
Every study of the profile `{profile}` was trained again with all seeds {shift:,} higher, tuning seeds included; the
code, the sizes and the costs of the device are the same. {said}

A part is decided if its word is another one than *cannot tell*. A reversal is a part that is supported on one side and
contradicted on the other.

{table}"""


def of_profile(profile: str) -> dict[str, Any] | None:
    """What was found for a profile, if it is the one that was trained again."""
    file = paths.root() / "reference" / FILE
    if not file.is_file():
        return None
    content = json.loads(file.read_text(encoding="utf-8"))
    return content if content["profile"] == profile else None


def compared(reference: Sequence[Row], again: Sequence[Row]) -> dict[str, Any]:
    """How many parts keep their word, and those that do not.

    Returns: parts, of all deciding evidence; same, those with the same word; decided, those that are decided in the
    reference; kept, those of them with the same word again; reversed; and `differ`, one row for each other part:
    id, part, both words and both answers.
    """
    pairs = [pair for rows in zip(_by_id(reference), _by_id(again), strict=True) for pair in _parts(*rows)]
    differ = [pair for pair in pairs if pair["reference"] != pair["again"]]
    decided = [pair for pair in pairs if pair["reference"] not in UNDECIDED]
    return {
        "parts": len(pairs),
        "same": len(pairs) - len(differ),
        "decided": len(decided),
        "kept": sum(pair["reference"] == pair["again"] for pair in decided),
        "reversed": sum({pair["reference"], pair["again"]} == REVERSED for pair in pairs),
        "differ": differ,
    }


def _by_id(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["paper"], row["id"]))


def _parts(one: Row, other: Row) -> list[dict[str, Any]]:
    """The parts of one question, on both sides. Raises ValueError if the sides are of different questions."""
    if one["id"] != other["id"]:
        raise ValueError(f"{one['id']} stands beside {other['id']}: both ledgers must be of the same papers")
    return [
        {"id": one["id"], "part": first["name"], "reference": first["word"], "again": second["word"],
         "answers": [first["answer"], second["answer"]]}
        for first, second in zip(one["parts"], other["parts"], strict=True)
    ]  # fmt: skip


def in_words(content: Mapping[str, Any]) -> str:
    """One sentence or two: how many of the decided parts kept their word, and how many are reversed."""
    turned = content["reversed"]
    return (
        f"Of {content['decided']} decided parts {content['kept']} have the same word again; "
        f"{turned or 'none'} {'is' if turned in (0, 1) else 'are'} reversed. "
        f"Of all {content['parts']} parts {content['same']} have the same word."
    )


def page(content: Mapping[str, Any]) -> str:
    """docs/replication.md: the sentence, and each part whose word differs."""
    head = ["question", "part", "word", "with other seeds", "answer", "with other seeds"]
    cells = [[row["id"], row["part"] or "", row["reference"], row["again"], *row["answers"]]
             for row in content["differ"]]  # fmt: skip
    table = markdown_table.table(head, cells) if cells else "No word differs.\n"
    return PAGE.format(
        profile=content["profile"], shift=content["shift"], said=in_words(content), table=table
    )
