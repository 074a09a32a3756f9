"""What a method's file says of itself: what it does, in a line, and whom it cites."""

import inspect
import re
import sys

INITIALS = re.compile(r"^(?:[A-ZÀ-Þ][\w’'.!\-]*|&|et|al\.)[,:]?$")


def summary_of(method: type) -> str:
    """The first sentence of the method's file, without the name before the colon: what is updated when, on what."""
    first = _text(method).split("\n\n")[0].replace("\n", " ")
    return first.split(": ", 1)[-1].rstrip(".")


def sources_of(method: type) -> list[str]:
    """Authors and year of what the file cites, in its order: 'Dean et al. 2012'."""
    text = " ".join(_text(method).split("\n\n", 1)[1].split("\n    ")[0].split())
    found = []
    for match in re.finditer(r" \((\d{4})\)", text):
        names = _authors(text[: match.start()].split(" "))
        if names:
            found.append(f"{names} {match[1]}")
    return list(dict.fromkeys(found))


def _authors(words: list[str]) -> str:
    """The authors' names at the end of some words, at most two of them."""
    names: list[str] = []
    while words and INITIALS.match(words[-1]):
        names.insert(0, words.pop())
        if words and words[-1].endswith((";", ".")) and words[-1] != "al.":
            break
    people = re.split(r", | & ", " ".join(names).strip(", "))
    return f"{people[0]} et al." if len(people) > 2 else " & ".join(person for person in people if person)


def _text(method: type) -> str:
    """The docstring of the file that a method is in."""
    return inspect.getdoc(sys.modules[method.__module__]) or ""
