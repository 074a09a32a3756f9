"""HTML from the templates of this package: everything is escaped, unless it says that it is HTML already."""

import functools
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

FOLDER = Path(__file__).parent / "template"


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip


def render(name: str, **given: Any) -> Markup:
    """A template with what it is given. Raises jinja2.UndefinedError for what it lacks."""
    return Markup(_environment().get_template(name).render(**given))  # noqa: S704 - a template escapes what it is given


def text(name: str) -> str:
    """The text of one of the package's own files: a script, a style sheet."""
    return (FOLDER / name).read_text(encoding="utf-8")
