"""Timelines in files: what is damaged is refused in one line, and nothing half-written stays."""

import contextlib
import dataclasses
import json

import numpy as np
import pytest
from runs import run

from rebuttal.base.errors import InputError
from rebuttal.core.timeline import Timeline
from rebuttal.core.timeline_arrays import sealed


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "run.npz"
    run("backup_workers", {"b": 2}).save(path)
    return path


def refused(path):
    with pytest.raises(InputError) as refusal:
        Timeline.load(path)
    text = str(refusal.value)
    assert "\n" not in text
    assert str(path) in text
    assert "allowed" in text
    return text


def test_a_file_that_is_not_there_is_refused(tmp_path):
    refused(tmp_path / "none.npz")


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_file_that_was_cut_short_is_refused(saved, share):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(share * len(whole))])
    refused(saved)


def test_a_flipped_bit_is_noticed_or_changes_nothing(saved):
    whole, key = saved.read_bytes(), Timeline.load(saved).order.key
    for place in range(40, len(whole), len(whole) // 40):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with contextlib.suppress(InputError):  # a bit of the archive's own, such as a date
            assert Timeline.load(saved).order.key == key


@pytest.mark.parametrize("text", ["", "no archive", '{"json": 1}'])
def test_a_file_of_something_else_is_refused(saved, text):
    saved.write_text(text)
    refused(saved)


def test_an_array_alone_is_refused(saved):
    with saved.open("wb") as file:
        np.save(file, np.arange(3))
    refused(saved)


def rewritten(path, **changed):
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files} | changed
    np.savez(path, allow_pickle=False, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize("part", ["header", "computes.node", "messages.tag", "updates.value", "graph.input"])
def test_a_file_without_one_of_its_parts_is_refused(saved, part):
    rewritten(saved, **{part: None})
    assert part in refused(saved)


def test_another_schema_is_refused(saved):
    rewritten(saved, header=np.frombuffer(json.dumps({"schema": 99}).encode(), dtype=np.uint8))
    assert "schema" in refused(saved)


def test_a_graph_that_rests_on_the_future_is_refused(saved):
    with np.load(saved) as stored:
        inputs = stored["graph.input"].copy()
    inputs[0] = 10_000
    with np.load(saved) as stored:
        arrays = {name: stored[name] for name in stored.files} | {"graph.input": inputs}
    header = json.loads(arrays.pop("header").tobytes())
    np.savez(saved, allow_pickle=False, **sealed(arrays, header["names"], header["about"]))
    assert "later" in refused(saved)


def test_a_save_that_fails_leaves_no_file(tmp_path):
    timeline = dataclasses.replace(run("synchronous"), about={"machine": object()})
    with pytest.raises(TypeError):
        timeline.save(tmp_path / "deep" / "run.npz")
    assert not list(tmp_path.rglob("*.npz"))
