"""The frame of every page: title, navigation, contents, style sheet, scripts, and a policy that forbids all requests.

What a page has is data: its headings, and what its scripts are to work on. Nothing reads a page's HTML to find out.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.config import parameter_files
from rebuttal.site import templates

# no request leaves the page: scripts and styles are the site's own files, nothing is evaluated, nothing is sent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
LINKS = (("rebuttal", "index.html"), ("Questions", "index.html#Questions"), ("Methods", "methods/index.html"),
         ("Methods compared", "comparison.html"), ("Machines", "machines.html"), ("Calibration", "calibration.html"),
         ("How it was measured", "measured.html"), ("Reproduce", "index.html#How-to-reproduce"))  # fmt: skip
COMPARED = "comparison"  # the study of all methods
FOOTER = (
    "Every result on this page was computed from the files that it names; none was typed. "
    "Nothing is loaded from elsewhere."
)
VEGA = "vega.js"
#: What a page has -> the scripts that work on it, in their order.
SCRIPTS = {
    "selection": ("state.js", "selection.js"),
    "chart": ("state.js", VEGA, "charts.js"),
    "live": ("timeline.js",),
    "filter": ("state.js", "filter.js"),
    "keys": ("keys.js",),
}
SNIPPET = "window.vegaEmbed = vegaEmbed;"  # all that charts.js asks of the bundle
FEW = 3  # chapters from which on a page has a list of them


@dataclass(frozen=True)
class Heading:
    """A heading that the contents may lead to. word: of a question, that of its verdict."""

    level: int
    id: str
    text: str
    word: str = ""


@dataclass(frozen=True)
class Content:
    """What stands on a page. html: without the title. lede: below the title. uses: keys of SCRIPTS."""

    title: str
    html: str
    headings: tuple[Heading, ...] = ()
    uses: tuple[str, ...] = ()
    lede: str = ""
    aside: bool = False  # whether the contents stand at the side, and follow


def render(content: Content, description: str, here: str, **more: Any) -> str:
    """A whole page, with the scripts that it has work for. here: its address within the site (methods/gpipe.html)."""
    chapters = [one for one in content.headings if one.level == 2 or one.word]
    given: dict[str, Any] = {
        "title": content.title, "description": description, "body": content.html, "lede": content.lede, "here": here,
        "policy": POLICY, "links": _links(), "footer": FOOTER, "scripts": scripts(content.uses),
        "up": "../" * here.count("/"), "contents": chapters if len(chapters) >= FEW else [], "aside": content.aside,
    }  # fmt: skip
    return str(templates.render("page.html.j2", **given, **more))


def _links() -> list[tuple[str, str]]:
    """What every page leads to; the comparison is there if its study is run."""
    compared = COMPARED in parameter_files.listed(paths.root())
    return [(name, address) for name, address in LINKS if compared or address != f"{COMPARED}.html"]


def scripts(uses: Iterable[str]) -> list[str]:
    """The scripts of a page that has these things, each once."""
    wanted = set(uses)
    return list(dict.fromkeys(name for what, names in SCRIPTS.items() if what in wanted for name in names))


def titled(
    title: str,
    parts: Sequence[tuple[Heading, str]],
    here: str,
    about: str,
    lede: str = "",
    uses: Sequence[str] = (),
) -> str:
    """A whole page of chapters, each a heading and its HTML."""
    chapters = templates.render("parts.html.j2", parts=parts)
    headings = tuple(one for one, _ in parts)
    return render(Content(title, chapters, headings, tuple(uses), lede), f"{title}: {about}", here)


def write_assets(site: Path) -> None:
    """The style sheet, the scripts, and Vega, once for all charts of all pages."""
    names = {name for some in SCRIPTS.values() for name in some} - {VEGA}
    for name in ("style.css", *sorted(names)):
        write_text(site / "assets" / name, templates.text(name))
    write_text(site / "assets" / VEGA, vega())


def vega() -> str:
    """The bundle of Vega, Vega-Lite and Vega-Embed that vl-convert carries: put together once for each version."""
    made_of = f"{version('vl-convert-python')}\n{SNIPPET}"
    kept = paths.root() / ".cache" / f"vega-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.js"
    if not kept.is_file():
        write_text(kept, vl_convert.javascript_bundle(SNIPPET))
    return kept.read_text(encoding="utf-8")
