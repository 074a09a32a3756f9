"""What-if: closed forms where there are some, the sliders, and how long a redraw takes."""

import time

import pytest

from rebuttal.base.errors import InputError
from rebuttal.figures.what_if import sliders
from rebuttal.figures.what_if.prediction import what_if
from rebuttal.figures.what_if.sliders import explore
from rebuttal.figures.what_if.what_if_chart import MOST_BARS, SVG_MIME, VEGA_MIME, gantt_panel
from rebuttal.figures.what_if.what_if_runs import batches_per_s, run
from rebuttal.machines.processors import PROCESSORS
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.methods import METHODS
from rebuttal.methods.backup_workers import BackupWorkers

FREE = {"bandwidth_gbit_s": float("inf"), "latency_us": 0.0, "stragglers": "none"}
REDRAW_S, LOADED = 1.0, 6  # on a core of its own; so many times where its caches and threads are shared
#: The most work of each kind: by a collective for each layer, through memory, a server, stages, and extra passes.
HEAVY = ("layer_wise_overlapped", "hogwild", "bounded_delay", "backup_workers", "zero_bubble", "pprs")


@pytest.mark.parametrize("workers", [1, 2, 8, 16])
def test_without_communication_and_stragglers_a_speed_up_is_the_number_of_workers(workers):
    assert what_if("all_reduce", workers=workers, **FREE).speedup == pytest.approx(workers)


@pytest.mark.parametrize("name", ["asynchronous", "layer_wise_overlapped", "hogwild", "local_sgd"])
def test_so_it_is_for_every_way_to_share_the_data(name):
    assert what_if(name, workers=8, **FREE).speedup == pytest.approx(8, rel=0.1)


@pytest.mark.parametrize(("stages", "m"), [(2, 4), (4, 4), (8, 16)])
def test_a_pipeline_that_is_drained_has_its_bubble(stages, m):
    """S stages and m micro-batches take m + S - 1 turns of a stage: a speed-up of S m / (m + S - 1)."""
    found = what_if("gpipe", options={"m": m}, workers=stages, depth=8, **FREE).speedup
    assert found == pytest.approx(stages * m / (m + stages - 1), rel=0.05)


def test_backups_use_fewer_samples_than_they_compute():
    found = what_if("backup_workers", options={"b": 2}, workers=8, **FREE)
    assert found.speedup == pytest.approx(6, rel=0.1)


def test_more_of_a_good_thing_never_slows_a_barrier():
    slow, fast = (what_if(workers=8, bandwidth_gbit_s=width) for width in (1.0, 10.0))
    late, prompt = (what_if(workers=8, stragglers=name) for name in ("lognormal_wide", "none"))
    assert slow.speedup < fast.speedup < what_if(workers=8, bandwidth_gbit_s=100.0).speedup
    assert late.samples_per_s < prompt.samples_per_s
    far = what_if(workers=8, latency_us=10_000.0)
    assert far.samples_per_s < fast.samples_per_s


def test_the_mean_staleness_of_asynchronous_workers_is_one_less_than_their_number():
    assert what_if("asynchronous", workers=4).summary["staleness_mean"] == pytest.approx(3, abs=0.3)


def test_a_prediction_says_itself_in_words_and_in_a_picture():
    found = what_if("backup_workers", workers=4)
    assert repr(found).startswith("backup workers, 4 workers: ")
    assert "gradients for nothing" in repr(found)
    shown = found._repr_mimebundle_()
    assert shown[SVG_MIME].startswith("<svg")
    assert f"{found.speedup:.2g} times one worker" in str(shown[VEGA_MIME]["concat"][1]["title"])


def test_the_curve_has_no_point_where_a_method_cannot_run():
    assert list(what_if("gpipe", workers=3, depth=4).curve) == [1, 2, 3, 4]


def test_a_picture_never_has_more_bars_than_it_can_hold():
    bars = next(
        iter(gantt_panel(what_if("layer_wise", workers=16, depth=16).setting).spec["datasets"].values())
    )
    assert len(bars) <= MOST_BARS


def test_a_method_of_ones_own_goes_in_the_place_of_the_name():
    own = what_if(BackupWorkers(b=3), workers=8)
    assert own.setting.name == "backup_workers"
    assert own.speedup == what_if("backup_workers", options={"b": 3}, workers=8).speedup


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "gpip"}, "method: got 'gpip'.*did you mean 'gpipe'"),
        ({"worker": 3}, "what_if: got 'worker'; .*did you mean 'workers'"),
        ({"workers": 0}, "workers: got 0; allowed: a whole number from 1"),
        ({"workers": 2.5}, "workers: got 2.5"),
        ({"depth": 65}, "depth: got 65; allowed: a whole number from 1 to 64"),
        ({"batch": 0}, "batch: got 0; allowed: a whole number from 1"),
        ({"workers": None}, "workers: got None"),
        ({"latency_us": "30"}, "latency_us: got '30'"),
        ({"bandwidth_gbit_s": 0.0}, "bandwidth_gbit_s: got 0.0"),
        ({"latency_us": float("inf")}, "latency_us: got inf"),
        ({"stragglers": "parето"}, "stragglers: got"),
        ({"device": "p10"}, "device: got 'p10'.*did you mean 'p100'"),
        ({"method": "gpipe", "workers": 9, "depth": 8}, "workers: got 9; allowed: from 1 to 8"),
        ({"method": "backup_workers", "options": {"c": 1}}, "backup_workers option: got 'c'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(given, message):
    with pytest.raises(InputError, match=message) as refused:
        what_if(**given)
    assert "\n" not in str(refused.value)


class Display:
    """In the place of a notebook's: what was shown last."""

    def __init__(self):
        self.shown = {}

    def update(self, shown, *, raw):
        assert raw
        self.shown = shown


@pytest.fixture
def shown(monkeypatch):
    """A function that shows an explorer; the display that it is shown on."""
    display = Display()

    def show(explorer):
        explorer._shown = display
        return display

    return show


def test_the_sliders_begin_where_the_arguments_say_and_can_be_turned(shown):
    start = {"options": {"b": 2}, "workers": 6, "batch": 48, "bandwidth_gbit_s": 25.0}
    explorer = explore("backup_workers", **start)
    assert set(explorer.controls) == set(sliders.LABELS)
    assert explorer.setting == what_if("backup_workers", **start).setting
    display = shown(explorer)
    explorer.controls["workers"].value = 9
    assert display.shown["text/plain"].startswith("backup workers, 9 workers")
    assert dict(explorer.setting.options) == {"b": 2}
    explorer.controls["method"].value = "all_reduce"
    assert display.shown["text/plain"].startswith("one all-reduce, 9 workers")
    assert explorer.setting.options == ()


def test_a_setting_that_is_refused_shows_its_line_until_it_is_left(shown):
    explorer = explore("gpipe", workers=8, depth=8)
    display = shown(explorer)
    explorer.controls["workers"].value = 9
    line = "workers: got 9; allowed: from 1 to 8, the layers that have parameters: one stage each"
    assert display.shown == {"text/plain": line}
    explorer.controls["depth"].value = 9
    assert VEGA_MIME in display.shown


def test_everything_that_there_is_can_be_chosen():
    found = explore(BackupWorkers(b=3), workers=20).controls
    names = {"method": METHODS, "stragglers": STRAGGLERS, "device": PROCESSORS}
    for control, known in names.items():
        choices = [one[1] if isinstance(one, tuple) else one for one in found[control].options]
        assert [one for one in choices if one in known] == list(known)
    assert found["method"].value == BackupWorkers(b=3)
    assert found["workers"].max == 20


@pytest.mark.parametrize("name", HEAVY)
def test_a_redraw_takes_less_than_a_second(name, shown):
    """Everything from the slider to what the notebook is sent, at the sliders' ends, with nothing remembered."""
    explorer = explore(name, workers=8, depth=16)
    display = shown(explorer)
    run.cache_clear()
    batches_per_s.cache_clear()
    start_s = time.process_time()  # one thread, so on a core of its own these are the seconds that pass
    explorer.controls["workers"].value = 16
    took_s = time.process_time() - start_s
    assert VEGA_MIME in display.shown
    assert took_s < REDRAW_S * LOADED
