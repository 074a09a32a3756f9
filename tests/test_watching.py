"""What is seen of a running pipeline: notes of stages, a table, and curves as they come."""

import json
import os
import time

import pytest

from rebuttal.studies.runs import pool, task_progress, watching


def double(number):
    return 2 * number


def test_a_list_of_tasks_leaves_a_note_of_how_far_it_is(project, monkeypatch):
    monkeypatch.setattr(pool, "cores", lambda: 1)
    done = []
    assert pool.run_all(double, [(1,), (2,)], "layer-wise: tuning", on_done=done.append) == [2, 4]
    assert sorted(done) == [0, 1]
    (note,) = watching.notes()
    assert (note["title"], note["done"], note["of"]) == ("layer-wise: tuning", 2, 2)
    assert note["process"] == os.getpid()
    assert "layer-wise: tuning" in watching.stages_html([note])
    assert ">done<" in watching.stages_html([note])


def test_tasks_run_outside_of_a_project_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pool, "cores", lambda: 1)
    assert pool.run_all(double, [(3,)], "nowhere") == [6]
    assert list(tmp_path.iterdir()) == []


def test_each_profile_has_its_own_notes_and_old_ones_are_not_shown(project, monkeypatch):
    task_progress.note("a", {"done": 1, "of": 2, "seconds": 3.0, "left_s": 3.0})
    monkeypatch.setenv("REBUTTAL_PROFILE", "ci")
    assert watching.notes() == []
    task_progress.note("b", {"done": 1, "of": 2, "seconds": 3.0, "left_s": 3.0})
    path = task_progress.folder() / "b.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"at": time.time() - watching.FRESH_S - 1}))
    assert watching.notes() == []


def test_the_curves_that_came_last_are_drawn(project):
    assert watching.curves_chart(watching.notes()) is None
    for number in range(task_progress.CURVES_SHOWN + 3):
        task_progress.note_curve("x: training", f"run <{number}>", (0, 10), [2.0, 1.0])
    rows = watching.curves_chart(watching.notes()).to_dict()["data"]["values"]
    assert len(rows) == 2 * task_progress.CURVES_SHOWN
    assert rows[-1]["run"].endswith(f"run <{task_progress.CURVES_SHOWN + 2}>")


def test_watching_ends_by_itself_where_it_is_told_to(project, monkeypatch):
    shown = []

    class Handle:
        def update(self, what):
            shown.append(what.data if hasattr(what, "data") else what)

    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    watching.watch(every_s=0.01, for_s=0.03)
    assert shown
    assert "Nothing runs in the profile quick" in shown[0]


@pytest.mark.parametrize("costs", [[1.0, 3.0], [0.0, 0.0]])
def test_a_bar_in_a_cell_ends_full(costs, monkeypatch, capsys):
    monkeypatch.delenv(task_progress.LINES, raising=False)
    monkeypatch.setattr(task_progress, "_in_a_cell", lambda: True)
    told = task_progress.progress("training", costs)
    assert isinstance(told, task_progress.Bar)
    for number in range(2):
        told.done(number)
    assert told._bar.n == pytest.approx(100)
    monkeypatch.setenv(task_progress.LINES, "1")
    assert isinstance(task_progress.progress("training", costs), task_progress.Lines)
