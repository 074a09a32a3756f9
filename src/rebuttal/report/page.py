"""Pages: the frame around a body, and the assets that all pages share."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import jinja2
import vl_convert

from rebuttal import paths

# no request leaves the page: scripts and styles are the site's own files, nothing is evaluated, nothing is sent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
LINKS = (("rebuttal", "index.html"), ("Concerns", "index.html#Concerns"), ("Claims", "index.html#Claims"),
         ("Methods compared", "comparison.html"), ("Machines", "machines.html"),
         ("Calibration", "calibration.html"),
         ("Reproduce", "index.html#How-to-reproduce"), ("Provenance", "index.html#Provenance"))  # fmt: skip
FOOTER = (
    "Every result on this page was computed from the files that it names; none was typed. "
    "Nothing is loaded from elsewhere."
)
VEGA = "vega.js"
SNIPPET = "window.vegaEmbed = vegaEmbed;"  # all that charts.js asks of the bundle
TEMPLATES = Path(__file__).parent / "template"


def template(name: str) -> str:
    """The text of one of the package's templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def render(title: str, description: str, body: str, here: str, interactive: bool = True) -> str:
    """A whole page. `body` is HTML; `here` is the page's own address within the site."""
    page = jinja2.Environment(autoescape=True).from_string(template("page.html.j2"))
    return page.render(
        title=title, description=description, body=body, here=here, policy=POLICY, links=LINKS, footer=FOOTER,
        interactive=interactive,
    )  # fmt: skip


def write(path: Path, text: str) -> Path:
    """Write a file of the site: whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path


def write_assets(site: Path) -> None:
    """The style sheet, the script that draws charts, and Vega, once for all charts of all pages."""
    for name in ("style.css", "charts.js"):
        write(site / "assets" / name, template(name))
    write(site / "assets" / VEGA, vega())


def vega() -> str:
    """The bundle of Vega, Vega-Lite and Vega-Embed that vl-convert carries: put together once for each version."""
    made_of = f"{version('vl-convert-python')}\n{SNIPPET}"
    kept = paths.root() / ".cache" / f"vega-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.js"
    if not kept.is_file():
        write(kept, vl_convert.javascript_bundle(SNIPPET))
    return kept.read_text(encoding="utf-8")
