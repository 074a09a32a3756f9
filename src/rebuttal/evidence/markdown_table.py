"""Tables in Markdown, and the part of a page that a command writes: for docs, in which no number is typed."""

from collections.abc import Collection, Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()) -> str:
    """A table, a line for each row. numbers: heads of columns that are set to the right."""
    lines = [head, ["--:" if name in numbers else "---" for name in head], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def between(page: str, begin: str, end: str, text: str) -> str:
    """The page with another text between two marks; the first of them it has once."""
    before, rest = page.split(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}"
