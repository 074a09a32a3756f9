"""`python -m rebuttal.figures.method_diagrams`: draw the pictures of docs/methods again."""

from rebuttal.base.paths import root
from rebuttal.figures.method_diagrams import write

write(root() / "docs" / "methods")
