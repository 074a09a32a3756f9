"""The index of the site: findings, every paper in a tile, every question with its answer, and how far to trust them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rebuttal import figures
from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.core.schemas import CALIBRATION
from rebuttal.evidence import papers, replication
from rebuttal.evidence.papers import Paper
from rebuttal.site import conclusions, html, other_profiles, question, templates, words
from rebuttal.site.files import files_table, reviewed
from rebuttal.site.verdict import Html

ERRORS = "calibration_error"  # the figure of the calibration whose sentence says how far the clock is off


@dataclass(frozen=True, repr=False)
class Overview:
    """What every review left behind; every method gives a piece of the index page."""

    reviews: tuple[dict[str, Any], ...]
    papers: tuple[Paper, ...]

    def findings(self) -> Html:
        """Three answers, each with its strip: of each paper the strongest, of these the strongest."""
        rows = conclusions.findings([review["rows"] for review in self.reviews])
        given = [
            {"row": row, "strips": question.strips(row)[:1], "paper": self._paper(row["paper"])}
            for row in rows
        ]
        text = templates.render("findings.html.j2", findings=given, badges=question.badges)
        return Html(text, f"{len(rows)} findings")

    def papers_table(self) -> Html:
        """A tile for each paper: its conclusion in a sentence, and a square for each question."""
        tiles = [
            {"paper": paper, "rows": review["rows"], "said": conclusions.in_a_sentence(review["rows"])}
            for paper, review in zip(self.papers, self.reviews, strict=True)
        ]
        text = templates.render("tiles.html.j2", tiles=tiles, symbols=html.SYMBOLS)
        return Html(text, f"{len(tiles)} papers")

    def filters(self) -> Html:
        """A search, and lists, by which the questions below are narrowed down; a script shows and keeps them."""
        rows = self._rows()
        there = {row["word"] for row in rows}
        choices: Mapping[str, Mapping[str, str]] = {
            "paper": {paper.id: paper.title for paper in self.papers},
            "kind": {kind: kind for kind in sorted({row["kind"] for row in rows})},
            "word": {word: word for word in words.WORDS if word in there},
        }
        text = templates.render("filter.html.j2", choices=choices)
        return Html(text, "filters of the questions", about={"kind": "filter"})

    def questions(self) -> Html:
        """Question, answer, word and interval, a table for each paper."""
        found = [
            question.table(review["rows"], paper.title, f"{paper.id}.html")
            for paper, review in zip(self.papers, self.reviews, strict=True)
        ]
        return Html("\n".join(found), f"{len(self._rows())} questions")

    def words(self) -> Html:
        """What the words mean."""
        return Html(html.facts(dict(words.WORDS)), "words")

    def trust(self) -> Html:
        """How far to trust the answers: the clock, seeds and sizes, and on what they rest."""
        lines = [conclusions.limits(self._rows()), self._clock(), self._replicated()]
        text = templates.render("trust.html.j2", lines=[line for line in lines if line], rests=self._rests())
        return Html(text, "how far to trust the answers")

    def provenance(self) -> Html:
        """Every result file with its hash."""
        table = files_table([one for review in self.reviews for one in review["files"]])
        return Html(
            html.element("details", f"<summary>Every result file, with its hash</summary>{table}"),
            "result files",
        )

    def _rows(self) -> list[dict[str, Any]]:
        return [row for review in self.reviews for row in review["rows"]]

    def _paper(self, name: str) -> Paper:
        return next(paper for paper in self.papers if paper.id == name)

    def _clock(self) -> str:
        """The sentence of the calibration, if there is one."""
        if not (paths.results() / CALIBRATION.pattern).is_file():
            return ""
        return figures.figure(ERRORS).says(results.load_calibration(paths.results()))

    def _replicated(self) -> str:
        """How many words were the same with other seeds, if that was tried."""
        found = replication.of_profile(paths.profile())
        return (
            f"All studies were trained again with other seeds. {replication.in_words(found)}" if found else ""
        )

    def _rests(self) -> str:
        """On which profile, device and days the verdicts rest, and what stands beside them."""
        profiles = {row["profile"] for row in self._rows()}
        others = {
            one.name: one for profile in profiles for one in other_profiles.others(profile, self.papers)
        }
        rests = [review["rests"] for review in self.reviews if review["rests"]]
        return other_profiles.said(rests, [others[name] for name in sorted(others)])


def overview() -> Overview:
    """The overview of every paper whose review was written. Raises InputError if there is none."""
    reviews = reviewed()
    return Overview(tuple(reviews), tuple(papers.load(review["paper"]) for review in reviews))
