"""What is read off a timeline for training is what the timeline says, and is read once."""

import shutil

import device_costs
import numpy as np
import pytest

from rebuttal import simulate
from rebuttal.base.errors import InputError
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.timeline_metrics import progress
from rebuttal.studies.runs import run_records

STATED = {"machine": "ideal", "workers": 3, "updates": 5}


@pytest.fixture
def file(project):
    path = project / "timeline.npz"
    device_costs.write(project, ["quadratic"])
    simulate("delayed", workload="quadratic", options={"k": 2}, **STATED).save(path)
    return path


@pytest.mark.parametrize("method", ["synchronous", "gpipe", "continuous_propagation", "asynchronous"])
def test_an_order_comes_out_as_it_was_packed(method):
    order = merged(simulate(method, workload="digits_deep", **STATED).order)
    packed = run_records.PackedOrder.of(order)
    assert packed.unpacked() == order
    assert packed.key == packed.unpacked().key == order.key
    passes = [name for name in order.operations if name in ("gradient", "forward")]
    assert len(packed.batches) == len(passes) > 0


def test_what_was_read_off_is_kept_with_the_axes_of_the_timeline(file):
    (read,) = run_records.records([file], "a study")
    timeline = run_records.Timeline.load(file)
    assert read.order.unpacked() == merged(timeline.order)
    assert read.updates == STATED["updates"]
    for name, values in progress(timeline).data_vars.items():
        assert np.array_equal(read.axes[str(name)], values)


def test_a_timeline_is_read_once_whatever_its_file_is_called_and_again_by_other_code(file, monkeypatch):
    read = []
    monkeypatch.setattr(
        run_records.Timeline,
        "load",
        lambda path, load=run_records.Timeline.load: read.append(path) or load(path),
    )
    same = shutil.copy(file, file.with_name("same.npz"))
    first, again = run_records.records([file], "a study"), run_records.records([same, file], "a study")
    assert read == [file]
    assert first[0].order.content == again[0].order.content == again[1].order.content
    monkeypatch.setattr(run_records, "reading", lambda: "another")
    run_records.records([file], "a study")
    assert read == [file, file]


def test_a_missing_timeline_is_refused(project):
    with pytest.raises(InputError, match=r"timeline .*none\.npz: cannot be read"):
        run_records.records([project / "none.npz"], "a study")
