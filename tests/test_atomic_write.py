"""Files and folders that are written whole or not at all."""

from pathlib import Path

import pytest

from rebuttal.base.atomic_write import replacing, write_text


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("half")
        assert not path.exists()
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path, *, folder: bool) -> None:
    path = tmp_path / "kept"
    inner = path / "content" if folder else path
    write_text(inner, "before")
    with pytest.raises(TypeError), replacing(path) as partial:
        write_text(partial / "content" if folder else partial, "after").write_text(None)  # pyright: ignore[reportArgumentType]
    assert inner.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_the_whole_folder(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    write_text(path / "old", "before")
    with replacing(path) as partial:
        write_text(partial / "new", "after")
    assert [each.name for each in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]
