"""What a notebook shows of a dictionary: two columns, for people."""

import rebuttal
from rebuttal.base.listing import Listing


def test_numbers_are_rounded_where_they_are_shown_and_nowhere_else():
    listed = Listing({"seconds": 1.923723731724842, "bytes": 151335000000, "<b>": float("nan")})
    assert listed["seconds"] == 1.923723731724842
    shown = listed._repr_html_()
    assert shown.count("<tr>") == 3
    for text in ("1.924<", "151,335,000,000<", "&lt;b&gt;", "nan<"):
        assert text in shown


def test_methods_and_machines_are_listed_with_what_they_are():
    assert "K40 workers" in rebuttal.MACHINES._repr_html_()
    shown = rebuttal.METHODS._repr_html_()
    assert all(f"<code>{name}</code>" in shown for name in rebuttal.METHODS)
    assert str(rebuttal.METHODS["greedy"].__doc__).splitlines()[0][:30] in shown
