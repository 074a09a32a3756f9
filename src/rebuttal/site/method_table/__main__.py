"""`python -m rebuttal.site.method_table`: write the table of docs/methods again."""

from rebuttal.base.paths import root
from rebuttal.site.method_table import written

if __name__ == "__main__":
    path = root() / "docs" / "methods" / "README.md"
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
