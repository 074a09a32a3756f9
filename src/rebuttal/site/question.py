"""A question as one object, the same on the index, on its paper's page and in a notebook: asked, word, answer."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal import figures
from rebuttal.base import paths
from rebuttal.base.config import yaml_text
from rebuttal.evidence import naming
from rebuttal.evidence.ledger import evidence_of
from rebuttal.evidence.rules import rule_of
from rebuttal.site import html, method_links, other_profiles, strip, templates, words
from rebuttal.site.files import address

Row = Mapping[str, Any]
TRAINED = "notebooks/train.ipynb"  # of a study's results
COLUMNS = ("part", "where", "word", "effect", "low", "high", "unit", "n", "note")


def render(row: Row, kind: str, *, page: bool = False, claims: Sequence[Row] = ()) -> str:
    """The object of a row of the ledger. kind: concern or claim.

    page: with what only a page has, links to files and commands. claims: those that this question carries.
    """
    return templates.render(
        "question.html.j2", row=row, kind=kind, page=page, badge=html.badge, strips=strips(row), limits=limits(row),
        cite=cite(row), rule=rules(row), wrong=wrong(row), data=data_address(row), notebook=notebook_address(row),
        evidence=[_evidence(one) for one in evidence_of(row)], checks=[_check(one) for one in row["checks"]],
        methods=_methods(row), references=_references(row), other=other_profiles.line(row),
        files=[(name, address(name)) for name in row["data_files"]],
        claims=[(one, render(one, "claim", page=page)) for one in claims],
    )  # fmt: skip


def deciding(row: Row) -> list[str]:
    """The figures of the parts of a question that have a number; a figure beside words illustrates."""
    found = [part["figure"] for part in row["parts"] if part["figure"] and part["effect"] is not None]
    return list(dict.fromkeys(found))


def strips(row: Row) -> list[dict[str, Any]]:
    """Part -> its name, its word and the strip of its places; parts without a number have none."""
    found = [(part, strip.of(part)) for part in row["parts"]]
    return [{"part": part, "lines": drawn} for part, drawn in found if drawn]


def limits(row: Row) -> str:
    """Under which conditions the answer holds, in one line: the clock, seeds, where."""
    said = dict.fromkeys(piece for part in row["parts"] for piece in part["conditions"].split("; ") if piece)
    seeds = {part["n"] for part in row["parts"] if part["interval_kind"].startswith("95") and part["n"]}
    places = {place["where"] for part in row["parts"] for place in part["places"]}
    counted = [f"{min(seeds)} seeds"] if seeds else []
    counted += [f"{len(places)} places"] if len(places) > 1 else []
    return "; ".join([*said, *counted])


def cite(row: Row) -> str:
    """What a review or a letter can quote."""
    words_ = ", ".join(_said(part) for part in row["parts"]) or row["word"]
    return (
        f"“{row['answer']}” ({words_}) Reproducibility workbench rebuttal, {row['paper']}, question {row['id']}, "
        f"profile {row.get('profile', 'unknown')}."
    )


def _said(part: Row) -> str:
    return f"{part['name']}: {part['word']}" if part["name"] else part["word"]


def rules(row: Row) -> str:
    """The rules that decide, as the paper's file has them."""
    found = [{"part": part["name"], "rule": part["rule"]} if part["name"] else {"rule": part["rule"]}
             for part in row["parts"] if part["rule"]]  # fmt: skip
    return yaml_text.dumped(found) if found else ""


def wrong(row: Row) -> str:
    """The text of a report that an answer is wrong, to be filled in."""
    rule = "; ".join(rule_of(part["rule"]).in_words() for part in row["parts"] if part["rule"])
    return (
        f"Title: {row['paper']}, {row['id']}: the answer is wrong\n\nAsked: {row['text']}\nAnswer: {row['answer']}\n"
        f"Rule: {rule or 'none'}\nMade by: rebuttal pages {row['paper']}, profile {row.get('profile', 'unknown')}\n\n"
        "What is wrong (the rule, the runs, the conditions, the sentence):\nWhat the answer should be, and why:\n"
    )


def data_address(row: Row) -> str:
    """Where the page has the numbers of a question."""
    return f"questions/{row['paper']}/{row['id']}.csv"


def notebook_address(row: Row) -> str:
    """The executed notebook that trained what the question rests on; empty where there is none."""
    for name in row["data_files"]:
        folder, _, inner = name.removeprefix("results/").partition("/")
        if inner.startswith("training/") and (paths.results(folder) / TRAINED).is_file():
            return f"data/{folder}/{TRAINED}"
    return ""


def csv_of(row: Row) -> str:
    """Every number behind a question: a line for each part, and for each of its places."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for part in evidence_of(row):
        for where, one in [("all together", part), *((place["where"], place) for place in part["places"])]:
            low, high = one["interval"]
            table.writerow((part.get("name", ""), where, one["word"], one["effect"], low, high, part["unit"], one["n"],
                            one.get("note", "")))  # fmt: skip
    return text.getvalue()


def bar(rows: Sequence[Row]) -> str:
    """How many questions have which word, as a line of badges with counts."""
    counts = Counter(row["word"] for row in rows)
    return "".join(
        html.element("span", f"{counts[word]} {html.badge(word)}", class_="count")
        for word in words.WORDS
        if word in counts
    )


def table(rows: Sequence[Row], caption: str, page: str = "") -> str:
    """Question, answer, word, interval: a line for each row. page: where the questions have their chapters."""
    given = [{"row": row, "glyph": strip.glyph(row), "badges": badges(row)} for row in rows]
    return templates.render("answers.html.j2", rows=given, caption=caption, page=page)


def badges(row: Row) -> str:
    """The word of each part; of all together where parts have no names or all say the same."""
    parts = [part for part in row["parts"] if part["name"]]
    if len({part["word"] for part in parts}) < 2:
        return html.badge(row["word"])
    return " ".join(html.badge(part["word"], part["name"]) for part in parts)


def _evidence(one: Row) -> dict[str, Any]:
    """A piece of evidence for the table of how a question was decided."""
    places = [place | {"said": words.numbers(place | {"unit": one["unit"]}), "where": naming.place(place["where"])}
              for place in one["places"]]  # fmt: skip
    measured = rule_of(one["rule"]).measured() if one["rule"] and one["effect"] is not None else ""
    return {
        "one": one, "said": words.numbers(one) if one["effect"] is not None else "–", "measured": measured,
        "rule": rule_of(one["rule"]).in_words() if one["rule"] else "", "places": places, "word": one.get("word"),
        "figure": (one["figure"], figures.figure(one["figure"]).title) if one["figure"] else None,
    }  # fmt: skip


def _check(one: Row) -> dict[str, Any]:
    figure = (one["figure"], figures.figure(one["figure"]).title) if one.get("figure") else None
    return {"explain": one["explain"], "rule": rule_of(one["rule"]).in_words(), "figure": figure}


def _methods(row: Row) -> list[str]:
    """The methods that explanations point to, as links."""
    rules_ = [one["rule"] for one in evidence_of(row) if one["rule"]]
    return [
        method_links.link(name) for name in dict.fromkeys(m for r in rules_ for m in r.get("methods") or [])
    ]


def _references(row: Row) -> list[str]:
    rules_ = [one["rule"] for one in evidence_of(row) if one["rule"]]
    return list(dict.fromkeys(address for rule in rules_ for address in rule.get("references") or []))
