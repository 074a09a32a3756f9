"""What the pages of the methods say of the code is true."""

import ast
import inspect
import re
import textwrap
from dataclasses import fields

import numpy as np
import pytest
from doc_pages import DOCS, ROOT, blocks, page, section
from runs import run

from rebuttal.methods import METHODS

HEADINGS = [
    "Source", "Pseudo-code", "Timeline", "Options", "Differences from the paper", "When to use it", "Laws it obeys",
]  # fmt: skip


def names_in(module):
    tree = ast.parse((ROOT / "tests" / module).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


every_method = pytest.mark.parametrize("name", METHODS)


def test_there_is_a_page_and_a_picture_for_each_method_and_no_other():
    found = {path.name for path in (DOCS / "methods").iterdir()}
    assert found == {f"{name}.{kind}" for name in METHODS for kind in ("md", "svg")} | {"README.md"}


@every_method
def test_a_page_has_all_headings_in_order_and_is_short(name):
    text = page(f"methods/{name}")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == HEADINGS
    assert 40 <= len(text.splitlines()) <= 90


@every_method
def test_the_box_of_a_page_is_that_of_the_file(name):
    (box,) = blocks(section(page(f"methods/{name}"), "Pseudo-code"), "text")
    source = inspect.getdoc(inspect.getmodule(METHODS[name]))
    assert source is not None
    assert (
        box
        == textwrap.dedent("\n".join(line for line in source.splitlines() if line.startswith("    "))) + "\n"
    )


@every_method
def test_a_page_cites_what_the_file_cites(name):
    years = re.findall(r"\((\d{4})\)", inspect.getdoc(inspect.getmodule(METHODS[name])) or "")
    assert years
    assert set(years) <= set(re.findall(r"\((\d{4})\)", section(page(f"methods/{name}"), "Source")))


@every_method
def test_a_page_explains_every_option_with_its_default(name):
    rows = re.findall(
        r"^\| `(\w+)` \| (\S+) \|", section(page(f"methods/{name}"), "Options"), flags=re.MULTILINE
    )
    assert rows == [(field.name, str(field.default)) for field in fields(METHODS[name])]
    assert rows or section(page(f"methods/{name}"), "Options").strip().startswith("None")


@every_method
def test_differences_are_numbered(name):
    numbers = re.findall(
        r"^(\d+)\. ", section(page(f"methods/{name}"), "Differences from the paper"), flags=re.MULTILINE
    )
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 2


@every_method
def test_the_laws_of_a_page_are_tests(name):
    files = [path.name for path in (ROOT / "tests").glob("test_laws*.py")]
    known = set().union(*map(names_in, [*files, "test_method_pages.py"]))
    named = set(re.findall(r"`(test_\w+)`", section(page(f"methods/{name}"), "Laws it obeys")))
    assert named
    assert named <= known


def test_links_between_pages_lead_somewhere():
    for path in [*DOCS.glob("methods/*.md"), DOCS / "adding_a_method.md", DOCS / "python_api.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_index_lists_every_method():
    assert set(re.findall(r"\[`(\w+)`\]\(\1\.md\)", (DOCS / "methods" / "README.md").read_text())) == set(
        METHODS
    )


def test_the_two_softsyncs_share_a_clock():
    one, two = (run(name, {"n": 2}) for name in ("softsync", "softsync_aware"))
    for part in ("computes", "messages", "updates"):
        for column, values in getattr(one, part).items():
            if column != "value":
                np.testing.assert_array_equal(values, getattr(two, part)[column])
