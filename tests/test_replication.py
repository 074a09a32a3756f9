"""Two ledgers from different seeds: which words stay, and which are reversed."""

import pytest

from rebuttal.evidence import replication


def row(question: str, *words: str) -> dict:
    parts = [{"name": f"part {at}", "word": word, "answer": f"{word}."} for at, word in enumerate(words)]
    return {"paper": "a-paper", "id": question, "parts": parts}


def test_equal_ledgers_keep_every_word() -> None:
    rows = [row("a-1", "supported", "cannot tell"), row("a-2", "answered")]
    found = replication.compared(rows, rows[::-1])
    assert (found["parts"], found["same"], found["decided"], found["kept"]) == (3, 3, 2, 2)
    assert found["reversed"] == 0
    assert found["differ"] == []


def test_what_is_decided_later_is_no_loss_and_a_reversal_is_counted() -> None:
    first = [row("a-1", "cannot tell", "supported"), row("a-2", "contradicted"), row("a-3", "supported")]
    again = [row("a-1", "supported", "cannot tell"), row("a-2", "supported"), row("a-3", "supported")]
    found = replication.compared(first, again)
    assert (found["decided"], found["kept"], found["reversed"]) == (3, 1, 1)
    assert [(one["id"], one["reference"], one["again"]) for one in found["differ"]] == [
        ("a-1", "cannot tell", "supported"),
        ("a-1", "supported", "cannot tell"),
        ("a-2", "contradicted", "supported"),
    ]
    assert "Of 3 decided parts 1 have the same word again; 1 is reversed." in replication.in_words(found)


def test_ledgers_of_different_papers_are_not_compared() -> None:
    with pytest.raises(ValueError, match="a-1 stands beside a-2"):
        replication.compared([row("a-1", "supported")], [row("a-2", "supported")])


def test_the_page_has_a_line_for_each_word_that_differs() -> None:
    first, again = [row("a-1", "supported")], [row("a-1", "cannot tell")]
    content = {"profile": "quick", "shift": 1000, **replication.compared(first, again)}
    page = replication.page(content)
    assert "| a-1 | part 0 | supported | cannot tell | supported. | cannot tell. |" in page
    assert "all seeds 1,000 higher" in page
