"""Pages: the frame around a body, and the assets that all pages share."""

import hashlib
import re
from html import escape
from importlib.metadata import version
from pathlib import Path

import jinja2
import vl_convert

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.config import parameter_files
from rebuttal.site import html, selection_form

# no request leaves the page: scripts and styles are the site's own files, nothing is evaluated, nothing is sent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
LINKS = (("rebuttal", "index.html"), ("Concerns", "index.html#Concerns"), ("Claims", "index.html#Claims"),
         ("Methods", "methods/index.html"), ("Methods compared", "comparison.html"), ("Machines", "machines.html"),
         ("Calibration", "calibration.html"),
         ("How it was measured", "measured.html"), ("Reproduce", "index.html#How-to-reproduce"))  # fmt: skip
COMPARED = "comparison"  # the study of all methods
FOOTER = (
    "Every result on this page was computed from the files that it names; none was typed. "
    "Nothing is loaded from elsewhere."
)
VEGA = "vega.js"
#: What stands in a body -> the scripts that work on it, in their order.
SCRIPTS = {
    'id="selection"': ("state.js", "selection.js"),
    'class="chart"': ("state.js", VEGA, "charts.js"),
    'class="live"': ("timeline.js",),
    'id="filter"': ("state.js", "filter.js"),
}
SNIPPET = "window.vegaEmbed = vegaEmbed;"  # all that charts.js asks of the bundle
TEMPLATES = Path(__file__).parent / "template"
HEADING = re.compile(r"<h([12])([^>]*)>(.*?)</h\1>", re.DOTALL)


def template(name: str) -> str:
    """The text of one of the package's templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def render(title: str, description: str, body: str, here: str) -> str:
    """A whole page, with the scripts that its body has work for.

    `body` is HTML; `here` is the page's own address within the site, as in methods/gpipe.html. A body with something
    to select gets the form for it before its first chapter.
    """
    body = _with_form(body)
    page = jinja2.Environment(autoescape=True).from_string(template("page.html.j2"))
    return page.render(
        title=title, description=description, body=body, here=here, policy=POLICY, links=_links(), footer=FOOTER,
        scripts=scripts(body), up="../" * here.count("/"),
    )  # fmt: skip


def _links() -> list[tuple[str, str]]:
    """What every page leads to; the comparison is there if its study is run."""
    compared = COMPARED in parameter_files.listed(paths.root())
    return [(name, address) for name, address in LINKS if compared or address != f"{COMPARED}.html"]


def _with_form(body: str) -> str:
    """The body with the form of the selection before its first chapter, if there is something to select."""
    form = selection_form.form(body)
    start = re.search(r"<h2[ >]", body)
    return body[: start.start()] + form + body[start.start() :] if form and start else form + body


def scripts(body: str) -> list[str]:
    """The scripts of a page: of charts, of the list of questions, or none."""
    return list(dict.fromkeys(name for mark, names in SCRIPTS.items() if mark in body for name in names))


def titled(body: str, here: str, about: str) -> str:
    """A whole page whose title is the body's first heading, with a list of its chapters."""
    title = next((html.text(found[3]) for found in HEADING.finditer(body) if found[1] == "1"), here)
    return render(title, f"{title}: {about}", with_contents(body), here)


def with_contents(body: str) -> str:
    """The body with a list of its chapters after the first heading."""
    chapters = [found for found in HEADING.finditer(body) if found[1] == "2" and 'id="' in found[2]]
    if len(chapters) < 3:
        return body
    links = "".join(
        f'<li><a href="#{anchor(found[2])}">{escape(html.text(found[3]))}</a></li>' for found in chapters
    )
    contents = f'<nav aria-label="Contents"><ol class="toc">{links}</ol></nav>'
    return re.sub(r"(</h1>)", rf"\1{contents}", body, count=1)


def anchor(attributes: str) -> str:
    """The id among a heading's attributes."""
    found = re.search(r'id="([^"]*)"', attributes)
    return found[1] if found else ""


def write(path: Path, text: str) -> Path:
    """Write a file of the site: whole or not at all."""
    return write_text(path, text)


def write_assets(site: Path) -> None:
    """The style sheet, the scripts, and Vega, once for all charts of all pages."""
    for name in ("style.css", "state.js", "selection.js", "filter.js", "charts.js", "timeline.js"):
        write(site / "assets" / name, template(name))
    write(site / "assets" / VEGA, vega())


def vega() -> str:
    """The bundle of Vega, Vega-Lite and Vega-Embed that vl-convert carries: put together once for each version."""
    made_of = f"{version('vl-convert-python')}\n{SNIPPET}"
    kept = paths.root() / ".cache" / f"vega-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.js"
    if not kept.is_file():
        write(kept, vl_convert.javascript_bundle(SNIPPET))
    return kept.read_text(encoding="utf-8")
