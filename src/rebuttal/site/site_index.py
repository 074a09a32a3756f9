"""The index of the site: all papers' concerns and claims with their verdicts, and how to make the site again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from rebuttal.evidence import papers
from rebuttal.evidence.papers import Paper
from rebuttal.site import html, other_profiles
from rebuttal.site.files import files_table, reviewed
from rebuttal.site.verdict import Html, summary_table, word_key
from rebuttal.site.words import WORDS


@dataclass(frozen=True, repr=False)
class Overview:
    """What every review left behind; every method gives a piece of the index page."""

    reviews: tuple[dict[str, Any], ...]
    papers: tuple[Paper, ...]

    def papers_table(self) -> Html:
        """Papers with the counts of their verdicts."""
        cells = [self._paper(*pair) for pair in zip(self.papers, self.reviews, strict=True)]
        head = ("Paper", "Concerns", "Claims", "Reproduced in")
        table = html.table(head, cells, "Papers under review", "cards")
        return Html(self._rests() + table, f"{len(cells)} papers")

    def filters(self) -> Html:
        """Lists by which the questions below can be narrowed down; a script shows them and keeps what was chosen."""
        return Html(self._form(), "filters of the questions")

    def concerns(self) -> Html:
        """Concern -> status -> effect [interval], n -> figure, for every paper."""
        return self._tables("concerns", "What the reviewers of {title} asked, and what the measurements say")

    def claims(self) -> Html:
        """The same for the papers' claims."""
        return self._tables("claims", "What {title} claims, and what the measurements say")

    def words(self) -> Html:
        """What the words mean."""
        return Html(word_key(), "what the words mean")

    def provenance(self) -> Html:
        """Every result file with its hash."""
        return Html(files_table([one for review in self.reviews for one in review["files"]]), "result files")

    def _rests(self) -> str:
        """On which profile, device and days the verdicts rest, and what stands beside them."""
        profiles = {row["profile"] for review in self.reviews for row in review["rows"]}
        others = {
            one.name: one for profile in profiles for one in other_profiles.others(profile, self.papers)
        }
        rests = [review["rests"] for review in self.reviews if review["rests"]]
        return other_profiles.said(rests, [others[name] for name in sorted(others)])

    def _paper(self, paper: Paper, review: dict[str, Any]) -> tuple[str, ...]:
        address = f"{paper.id}.html"
        named = f"{html.link(paper.title, address)}<br>{escape(', '.join(paper.authors))} ({paper.year})"
        return (
            named,
            self._counts(paper, review, "concerns"),
            self._counts(paper, review, "claims"),
            html.link(address, address),
        )

    def _counts(self, paper: Paper, review: dict[str, Any], which: str) -> str:
        names = [one.id for one in getattr(paper, which)]
        count = Counter(row["word"] for row in review["rows"] if row["id"] in names)
        return " ".join(
            html.element(
                "a", f"{number} {html.badge(status)}", class_="count",
                href=f"?paper={paper.id}&word={html.marked(status)}#{which.capitalize()}",
            )
            for status, number in sorted(count.items())
        )  # fmt: skip

    def _form(self) -> str:
        rows = [row for review in self.reviews for row in review["rows"]]
        there = {row["word"] for row in rows}
        choices = {
            "paper": {paper.id: paper.title for paper in self.papers},
            "kind": {html.marked(kind): kind for kind in sorted({row["kind"] for row in rows})},
            "word": {html.marked(word): word for word in WORDS if word in there},
        }
        lists = "".join(_list(name, values) for name, values in choices.items())
        return html.element(
            "form", f"{lists}<output></output>", id="filter", role="search", aria_label="Questions", hidden="",
        )  # fmt: skip

    def _tables(self, which: str, caption: str) -> Html:
        found = []
        for paper, review in zip(self.papers, self.reviews, strict=True):
            names = [one.id for one in getattr(paper, which)]
            rows = [row for row in review["rows"] if row["id"] in names]
            found.append(summary_table(rows, caption.format(title=paper.title), f"{paper.id}.html"))
        return Html("\n".join(found), which)


def _list(name: str, values: Mapping[str, str]) -> str:
    """A list of all or one of the values."""
    options = "".join(html.element("option", escape(said), value=value) for value, said in values.items())
    return html.element(
        "label", f'{name.capitalize()} <select name="{name}"><option value="">all</option>{options}</select>'
    )


def overview() -> Overview:
    """The overview of every paper whose review was written. Raises InputError if there is none."""
    reviews = reviewed()
    return Overview(tuple(reviews), tuple(papers.load(review["paper"]) for review in reviews))
