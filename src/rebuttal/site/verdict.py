"""Verdicts on a page: the badge, the effect, the rule in words, the evidence behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rebuttal import figures
from rebuttal.evidence.ledger import evidence_of
from rebuttal.figures.theme import words as plain
from rebuttal.site import html, method_links, other_profiles, words
from rebuttal.site.files import linked

FEW = 3  # data files that a question names at once
LEDGER_MIME = "application/vnd.rebuttal.evidence.ledger+json"
Row = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Html:
    """A piece of a page. `rows`: ledger rows that it stands for, for whoever assembles the site."""

    text: str
    label: str
    rows: tuple[Row, ...] = ()

    def __repr__(self) -> str:
        return self.label

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        ledger = {LEDGER_MIME: list(self.rows)} if self.rows else {}
        return {"text/html": self.text, "text/plain": self.label, **ledger}


def effect_html(row: Row) -> str:
    """Effect and interval, the interval never broken over lines."""
    return f"{escape(words.effect(row))} <small>{escape(words.interval(row))}</small>"


def measured_html(row: Row) -> str:
    """Effect and interval, and below them what was measured; nothing where nothing was."""
    if not measures(row):
        return "–"
    return f'{effect_html(row)}<br><span class="soft">{escape(words.measured(row["rule"]))}</span>'


def measures(row: Row) -> bool:
    """Whether a row, or a piece of evidence, rests on numbers."""
    return row["rule"] is not None and row["rule"]["kind"] != "explained"


def figure_link(name: str | None, page: str = "") -> str:
    """A link to a figure, on this page or on another; a dash for none."""
    if name is None:
        return "–"
    return html.link(figures.figure(name).title, f"{page}#fig-{name}")


def figure_links(row: Row, page: str = "") -> str:
    """Links to every figure that a question rests on; a dash for none."""
    names = dict.fromkeys(one["figure"] for one in evidence_of(row) if one["figure"])
    return "<br>".join(figure_link(name, page) for name in names) or "–"


def summary_table(rows: Sequence[Row], caption: str, page: str = "") -> str:
    """The table question -> word -> answer -> figures; its rows say what a reader may ask for."""
    cells = [
        (
            html.link(row["id"], f"{page}#{row['id']}") + f' <span class="soft">{escape(row["kind"])}</span>'
            f"<br>{escape(row['text'])}",
            html.badge(row["word"]),
            escape(row["answer"]) + other_profiles.line_html(row),
            figure_links(row, page),
        )
        for row in rows
    ]
    marks = [{f"data_{name}": html.marked(row[name]) for name in ("paper", "kind", "word")} for row in rows]
    return html.table(("Question", "Word", "Answer", "Figures"), cells, caption, "cards verdicts", marks)


def question_html(row: Row, kind: str) -> str:
    """One concern or claim: what is asked, the verdict, what it rests on, what is missing."""
    about = {
        "Kind": escape(row["kind"]),
        "Source": escape(row["source"]),
        **_pointers(evidence_of(row)),
        "Other profiles": escape(other_profiles.line(row)),
        "Missing": escape(row["missing"] or ""),
        "See also": ", ".join(html.link(one, f"#{one}") for one in row["concerns"]),
        "Data files": _data_files(row["data_files"]),
        "Made again by": f"<code>rebuttal pages {row['paper']}</code>; all that it rests on: <code>dvc repro</code>",
    }
    body = [
        html.element("p", escape(row["text"]), class_="question"),
        html.element("p", html.badge(row["word"]), class_="answer"),
        html.element("p", escape(row["answer"])),
        html.facts(about),
        evidence_table(row) if evidence_of(row) else "",
        _details(row) if any(one["places"] for one in evidence_of(row)) else "",
    ]
    return html.element(
        "section",
        "\n".join(body),
        class_=f"{kind} {html.marked(row['word'])}",
        id=row["id"],
        aria_label=f"{kind} {row['id']}",
    )


def _pointers(evidence: Sequence[Row]) -> dict[str, str]:
    """What explanations point to: methods of the workbench, and addresses."""
    rules = [one["rule"] for one in evidence]
    methods = dict.fromkeys(name for given in rules for name in given.get("methods") or [])
    references = dict.fromkeys(address for given in rules for address in given.get("references") or [])
    return {
        "Methods": ", ".join(map(method_links.link, methods)),
        "References": ", ".join(html.link(address, address) for address in references),
    }


def _data_files(names: Sequence[str]) -> str:
    """The files that a verdict was computed from; many wait behind a toggle."""
    listed = "<br>".join(map(linked, names))
    few = len(names) <= FEW
    return listed if few else html.element("details", f"<summary>{len(names)} files</summary>{listed}")


def _details(row: Row) -> str:
    return html.element(
        "details", html.element("summary", "Place by place, with its data files") + places(row)
    )


def evidence_table(row: Row) -> str:
    """Every piece of evidence: what decides, what explains, and the checks, which hold."""
    roles = {"decides": row["parts"], "explains": row["more"], "check": row["checks"]}
    cells = [
        (
            f'{escape(one["explain"])}<br><span class="soft">Rule: {escape(words.rule(one["rule"]))}.</span>',
            escape(f"{role}{': ' * bool(one.get('name'))}{one.get('name', '')}"),
            "holds" if role == "check" else html.badge(one["word"]),
            measured_html(one),
            html.number(one["n"] if measures(one) else None),
            figure_link(one["figure"]),
        )
        for role, some in roles.items()
        for one in some
    ]
    head = ("What is tested", "Role", "Word", "Effect [interval]", "n", "Figure")
    return html.table(head, cells, f"Evidence for {row['id']}", "cards verdicts")


def places(row: Row) -> str:
    """The outcome of every piece of evidence on every workload and machine, with the files it was read from."""
    return "".join(
        _places(row["id"], number, one) for number, one in enumerate(evidence_of(row), 1) if one["places"]
    )


def _places(name: str, number: int, one: Row) -> str:
    cells = [
        (escape(plain(place["where"])), html.badge(place["word"]), effect_html(place | {"unit": one["unit"]}),
         html.number(place["n"]), escape(place["note"]))
        for place in one["places"]
    ]  # fmt: skip
    head = ("Where", "Word", "Effect [interval]", "n", "Note")
    table = html.table(head, cells, f"{name}, evidence {number}: {words.measured(one['rule'])}")
    listed = ", ".join(f"<code>{escape(file)}</code>" for file in one["data_files"])
    return html.element(
        "div", table + html.element("p", f"Read from {listed}", class_="source"), class_="compact"
    )


def word_key() -> str:
    """What the words mean."""
    lines = {word: escape(text) for word, text in words.WORDS.items()}
    pairs = "".join(f"<dt>{html.badge(word)}</dt><dd>{text}</dd>" for word, text in lines.items())
    return f'<dl class="facts statuses">{pairs}</dl>'
