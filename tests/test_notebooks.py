"""Notebooks call, show and explain: no logic but the reader's own, no outputs, one kernel, nothing that needs torch."""

import ast
import json
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted([*FOLDER.rglob("*.ipynb"), *ROOT.glob("papers/*/review.ipynb")])
LOGIC = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Try,
)
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: "-".join(path.parts[-2:]))


def code_cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def trees(path, readers_own=True):
    cells = [cell for cell in code_cells(path) if readers_own or not is_the_readers_own(cell)]
    return [ast.parse("".join(cell["source"])) for cell in cells]


def is_the_readers_own(cell):
    """A cell in which the reader writes a method or a model: there, logic is what it is for."""
    return "your-own" in cell["metadata"].get("tags", [])


def is_executed_by_the_pipeline(path):
    return path.stem in ("train", "review") or path.stem.startswith(("review_", "compare_"))


def test_there_are_notebooks_for_training_and_review():
    assert "train" in {path.stem for path in NOTEBOOKS}
    assert {"review", "review_paper"} <= {path.stem for path in NOTEBOOKS}
    assert "compare_methods" in {path.stem for path in NOTEBOOKS}


@every_notebook
def test_it_is_a_valid_notebook_with_ids(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor >= 5) == (4, True)


@every_notebook
def test_it_has_no_outputs_and_no_counts(path):
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        assert "execution" not in cell["metadata"]
    assert "papermill" not in json.loads(path.read_text())["metadata"]


@every_notebook
def test_its_kernel_is_the_environments_own(path):
    assert json.loads(path.read_text())["metadata"]["kernelspec"]["name"] == "python3"


@every_notebook
def test_it_holds_no_logic(path):
    found = [
        f"line {node.lineno}: {type(node).__name__}"
        for tree in trees(path, readers_own=False)
        for node in ast.walk(tree)
        if isinstance(node, LOGIC)
    ]
    assert found == [], "move it into the package, where it has a type and a test"


def test_the_readers_own_logic_is_in_the_cells_of_two_notebooks():
    own = [path.stem for path in NOTEBOOKS for cell in code_cells(path) if is_the_readers_own(cell)]
    assert own == ["your_method", "your_method", "your_model"]


@every_notebook
def test_it_imports_no_torch(path):
    nodes = [node for tree in trees(path, readers_own=False) for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported}.isdisjoint({"torch", "torchvision"})


@every_notebook
def test_its_parameters_are_one_cell_of_plain_assignments(path):
    tagged = [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1 if is_executed_by_the_pipeline(path) else len(tagged) <= 1
    for cell in tagged:
        for statement in ast.parse("".join(cell["source"])).body:
            assert isinstance(statement, ast.Assign | ast.AnnAssign)
            assert statement.value is not None
            ast.literal_eval(statement.value)  # a literal, so that its type can be checked before a run


def test_the_rules_do_refuse(tmp_path):
    path = tmp_path / "bad.ipynb"
    source = "def f():\n    return [run(s) for s in seeds]\nfor s in seeds:\n    import torch\n"
    cell = {"cell_type": "code", "source": source, "outputs": [{}], "execution_count": 3, "metadata": {}}
    path.write_text(json.dumps({"cells": [cell], "metadata": {"kernelspec": {"name": "conda"}}}))
    for rule in (
        test_it_has_no_outputs_and_no_counts,
        test_its_kernel_is_the_environments_own,
        test_it_holds_no_logic,
        test_it_imports_no_torch,
    ):
        with pytest.raises(AssertionError):
            rule(path)
