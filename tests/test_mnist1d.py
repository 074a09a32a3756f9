"""MNIST-1D as it is made here: the recipe of the paper, step by step, and what networks learn of it."""

import numpy as np
import pytest
import torch
from runs import run
from scipy.ndimage import gaussian_filter1d

from rebuttal.core.update_rules import rule
from rebuttal.machines.costs import Costs
from rebuttal.replaying.engine import EXACT, replay
from rebuttal.workloads import load, mnist1d

DIGITS = np.arange(10)


@pytest.fixture(scope="module")
def splits():
    return mnist1d.splits()


def test_splits_are_balanced_standardised_and_disjoint(splits):
    assert [len(y) for _, y in splits.values()] == [4000, 1000, 1000]
    assert [x.shape[1:] for x, _ in splits.values()] == [(1, 40)] * 3
    for x, y in splits.values():
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
        assert len(set(torch.bincount(y).tolist())) == 1
    x = splits["training"][0].double()
    assert abs(float(x.mean())) < 1e-6
    assert float(x.std(correction=0)) == pytest.approx(1, abs=1e-6)
    assert len({row.numpy().tobytes() for part, _ in splits.values() for row in part}) == 6000


def test_the_signals_are_the_same_every_time(splits):
    for one, two in zip(splits.values(), mnist1d.splits().values(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_templates_begin_and_end_at_nothing_and_have_one_deviation():
    templates = mnist1d._templates()
    assert np.allclose(templates[:, [0, -1]], 0)
    assert np.allclose(templates.std(1), 1 / 6)


def test_the_background_is_smoothed_by_a_gaussian():
    noise = np.random.default_rng(0).normal(size=(3, mnist1d.CANVAS))
    assert np.allclose(noise @ mnist1d._blur(), gaussian_filter1d(noise, 2, axis=1))


def test_a_sample_without_noise_is_its_template_stretched_and_shifted(monkeypatch):
    for name in ("BACKGROUND", "NOISE", "SCALE", "SHEAR"):
        monkeypatch.setattr(mnist1d, name, 0.0)
    monkeypatch.setattr(mnist1d, "SHIFT", 1)
    x, template = mnist1d.samples(np.random.default_rng(0), DIGITS), mnist1d._templates()
    places = np.linspace(0, mnist1d.CANVAS - 1, 40)
    for row, digit in zip(x, template, strict=True):
        distances = []
        for padding in range(36, 61):
            length = len(digit) + padding
            padded = np.interp(
                np.linspace(0, 1, mnist1d.CANVAS), np.linspace(0, 1, length), np.pad(digit, (0, padding))
            )
            distances.append(np.abs(np.interp(places, np.arange(mnist1d.CANVAS), padded) - row).max())
        assert min(distances) < 2 / mnist1d.GRID
    monkeypatch.setattr(mnist1d, "SHIFT", 48)
    shifted = mnist1d.samples(np.random.default_rng(0), np.zeros(500, int))
    peaks = shifted.argmax(1)
    assert peaks.min() < 8
    assert peaks.max() > 28


def test_a_signal_of_nothing_but_its_slope_is_a_line(monkeypatch):
    for name in ("BACKGROUND", "NOISE", "HIGH"):
        monkeypatch.setattr(mnist1d, name, 0.0)
    x = mnist1d.samples(np.random.default_rng(1), np.zeros(4000, int))
    steps = np.diff(x)
    assert np.abs(steps - steps.mean(1, keepdims=True)).max() <= 1 / mnist1d.GRID
    slopes = x[:, -1] - x[:, 0]
    assert 0.37 < np.abs(slopes).max() <= 0.375 + 1 / mnist1d.GRID
    assert slopes.std() == pytest.approx(0.75 / np.sqrt(12), rel=0.05)


def final_accuracy(name, epochs, rate, recipe):
    workload = load(name)
    updates, costs = epochs * 40, Costs(name, 1, 4, 100, 4000, ("all",), {100: (0.5,)}, {100: (0.5,)}, 0.0)
    timeline = run("mini_batch", {}, workers=1, updates=updates, batch=100, workload=name, costs=costs)
    curves = replay(timeline, learning_rates=[rate], workload=workload, rule=recipe, points=2, table=EXACT)
    return float(curves.test_metric[0, 0, -1])


def test_a_linear_model_and_a_convolutional_one_are_as_far_apart_as_published():
    recipe = rule("adam", schedule={"decay": "cosine"})
    assert 0.27 < final_accuracy("mnist1d_linear", 10, 0.01, recipe) < 0.36
    assert final_accuracy("mnist1d_cnn", 12, 0.01, recipe) > 0.75
