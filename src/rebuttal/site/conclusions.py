"""Conclusions in a few sentences: the counts of words, and the answers that are the farthest from chance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal.evidence.naming import enumerated
from rebuttal.site import question, strip, words

Row = Mapping[str, Any]
#: What decides a question, in the order in which a reader should hear of it: first where a claim does not hold.
DECIDED = ("contradicted", "depends", "no difference", "supported")
NAMED = 3  # papers whose strongest answer is a finding
MOST_WORDS = 130  # of the questions and answers that a conclusion names


def strongest(rows: Sequence[Row]) -> list[Row]:
    """The decided answers: by word in the order of DECIDED, then by `strip.distance` of the effect from its margin."""
    found = [row for row in rows if row["word"] in DECIDED and _distance(row) > 0]
    return sorted(found, key=lambda row: (DECIDED.index(row["word"]), -_distance(row)))


def _distance(row: Row) -> float:
    """Of the parts that are decided, the largest distance."""
    return max((strip.distance(part) for part in row["parts"] if part["word"] in DECIDED), default=0.0)


def counts(rows: Sequence[Row]) -> str:
    """How many questions have which word: 'Of 12 questions 4 are supported and 8 cannot be told.'."""
    found = Counter(row["word"] for row in rows)
    said = [f"{found[word]} {words.COUNTED[word][found[word] != 1]}" for word in words.WORDS if word in found]
    return f"Of {len(rows)} questions {enumerated(said or [''])}."


def of_paper(rows: Sequence[Row]) -> list[Row]:
    """What a conclusion of about a hundred words names: the strongest answers, and one that could not be told."""
    unlike = each_once(strongest(rows))
    open_ = [row for row in rows if row["word"] == "cannot tell"][:1]
    found: list[Row] = []
    for row in [*unlike[:2], *open_, *unlike[2:]]:
        if sum(len(f"{one['text']} {one['answer']}".split()) for one in (*found, row)) > MOST_WORDS:
            break
        found.append(row)
    return found


def each_once(rows: Sequence[Row]) -> list[Row]:
    """Of rows with one answer the first."""
    return list({row["answer"]: row for row in reversed(rows)}.values())[::-1]


def in_a_sentence(rows: Sequence[Row]) -> str:
    """The counts, and the answer of the strongest part."""
    found = strongest(rows)[:1]
    return " ".join([counts(rows), *(row["answer"] for row in found)])


def findings(reviews: Sequence[Sequence[Row]]) -> list[Row]:
    """The strongest answer of each paper; of these the strongest."""
    first = [found[0] for rows in reviews if (found := strongest(rows))]
    return strongest(first)[:NAMED]


def limits(rows: Sequence[Row]) -> str:
    """What every answer of a paper rests on, in one line: the clock, the fewest seeds, the workloads."""
    said = [
        piece
        for row in rows
        for piece in question.limits(row).split("; ")
        if "clock" in piece or "seeds" in piece
    ]
    clocks = list(dict.fromkeys(piece for piece in said if "clock" in piece))
    seeds = [int(first) for piece in said if (first := piece.split()[0]).isdigit()]
    fewest = [f"seeds where chance enters: {min(seeds)} at least"] if seeds else []
    return "; ".join([*clocks, *fewest])
