"""`python -m rebuttal.pictures`: draw the pictures of docs/methods again."""

from rebuttal.paths import root
from rebuttal.pictures import write

write(root() / "docs" / "methods")
