"""The pages of docs, taken apart."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def page(name):
    """The text of a page, named from docs."""
    return (DOCS / f"{name}.md").read_text()


def section(text, heading):
    """What stands under a heading."""
    return text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text, language):
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
