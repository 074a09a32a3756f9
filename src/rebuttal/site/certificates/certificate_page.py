"""certificate.html: a certificate for readers, in the frame and the style sheet of the site."""

from html import escape
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.site import html, markdown, templates
from rebuttal.site import page as frame
from rebuttal.site.page import Heading

NAME = "reports/certificate.html"  # beside the site's pages, whose style sheet and links it shares
STYLE = "reports/assets/style.css"
MEANING = {
    "reproduced": "equal verdicts, and effects that agree within the tolerances",
    "other size": "an equal verdict, but a piece of evidence or an effect outside of the tolerances",
    "other verdict": "the verdict of the rerun is another",
    "missing": "only one side has this question",
}


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write the page into a certificate's folder, with the style sheet that it needs if no site brought one."""
    style = folder / STYLE
    if not style.is_file():
        write_text(style, templates.text("style.css"))
    write_text(folder / NAME, text(folder, content))


def text(folder: Path, content: dict[str, Any]) -> str:
    """The page of a certificate in a folder, whose papers decide what a page of its site leads to."""
    about = (
        f"A rerun in the profile {content['profile']} against the reference {content['reference']['name']}"
    )
    with paths.within(folder, folder):
        return frame.titled("Certificate", _parts(content), "certificate.html", about, _lede(content, about))


def _lede(content: dict[str, Any], about: str) -> str:
    said = f"{escape(about)}: <strong>{escape(content['outcome'])}</strong>. Made {escape(content['made'])}."
    return html.element("p", said) + html.facts(
        {name: escape(text) for name, text in _facts(content).items()}
    )


def _parts(content: dict[str, Any]) -> list[tuple[Heading, str]]:
    again = html.element(
        "p", "In the folder that holds this certificate, without training and without torch:"
    )
    again += html.element("pre", "<code>rebuttal certify --check certificate.json</code>", tabindex="0")
    meaning = html.facts({name: escape(text) for name, text in MEANING.items()})
    found = {
        "Questions": meaning + _questions(content["questions"]),
        "Where both were made": _machines(content),
        "To check it again": again,
    }
    return [(Heading(2, markdown.slug(name), name), text) for name, text in found.items()]


def _facts(content: dict[str, Any]) -> dict[str, str]:
    given = content["tolerances"]
    return {
        "Tolerances": "words equal; an effect in the other's 95 % interval, or ratios within a factor of "
        f"{given['ratio_factor']}, or numbers within {100 * given['relative']:g} %",
        "Code": f"SHA-256 {content['rerun']['code_sha256']}",
        "Results": f"SHA-256 {content['rerun']['files_sha256']}",
        "Reference": f"SHA-256 {content['reference']['files_sha256']}",
    }


def _questions(questions: list[dict[str, Any]]) -> str:
    cells = [
        (escape(one["id"]), escape(one["outcome"]), *(_side(one[side]) for side in ("reference", "rerun")),
         escape("; ".join(one["why"])))
        for one in questions
    ]  # fmt: skip
    head = ("Question", "Outcome", "Reference", "Rerun", "What differs")
    return html.table(head, cells, "Every concern and claim, in the reference and in the rerun", "cards")


def _side(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    return f"{html.badge(row['word'])} {escape(row['answer'])}"


def _machines(content: dict[str, Any]) -> str:
    sides = [content[side]["machine"] for side in ("reference", "rerun")]
    cells = [
        (escape(study), *(escape(_device(side.get(study, {}))) for side in sides))
        for study in dict.fromkeys([*sides[0], *sides[1]])
    ]
    return html.table(("Study", "Reference", "Rerun"), cells, "Devices, commits and versions", "cards")


def _device(noted: dict[str, Any]) -> str:
    """What a provenance.json says, in words."""
    device = noted.get("device", "unknown device")
    name = device.get("name", "unknown device") if isinstance(device, dict) else str(device)
    versions = ", ".join(f"{package} {version}" for package, version in noted.get("versions", {}).items())
    return "; ".join(
        text for text in (name, f"commit {noted.get('git_commit', 'unknown')}", versions) if text
    )
