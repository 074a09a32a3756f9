"""Data of a user's own that cannot support a result are refused when they are loaded, by the name of their split."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from doc_pages import blocks, page
from PIL import Image
from synthetic_images import write_images

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.workloads import image_files
from rebuttal.workloads.sample_checks import SPLITS, check_samples

#: What is done to the tensors of one split, and what the line says of it.
WRONG = {
    "one NaN": (
        lambda x, y: (x.index_fill(0, torch.tensor([7]), torch.nan), y),
        "1 of .* the first at row 7",
    ),
    "infinity": (lambda x, y: (x / torch.zeros(()), y), "with NaN or infinity"),
    "labels from 1": (
        lambda x, y: (x, y + 1),
        "label 2; allowed: .* from 0 to 1, for the model has 2 outputs",
    ),
    "a label below 0": (lambda x, y: (x, y - 1), "the label -1; allowed: "),
    "labels that are no whole numbers": (lambda x, y: (x, y.double()), "labels of torch.float64"),
    "no samples": (lambda x, y: (x[:0], y[:0]), "0 samples and 0 targets"),
    "a target too few": (lambda x, y: (x, y[1:]), "samples and .* targets; allowed: as many targets"),
}


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "rings.py"
    path.write_text(blocks(page("adding_a_workload"), "python")[0])
    return path


@pytest.fixture(scope="module")
def rings(example):
    return workloads.load(f"file:{example}")


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_samples_are_told_by_their_split(rings, split, wrong):
    change, said = WRONG[wrong]
    splits = {**rings.splits, split: change(*rings.splits[split])}
    with pytest.raises(InputError, match=f"^split '{split}': got .*{said}") as refused:
        check_samples(replace(rings, splits=splits))
    assert "\n" not in str(refused.value)


def test_right_samples_pass(rings):
    check_samples(rings)


def test_a_split_that_is_missing_is_named(rings):
    with pytest.raises(InputError, match=r"^splits: got \['test', 'training'\]; allowed: .*validation"):
        check_samples(replace(rings, splits={name: rings.splits[name] for name in ("training", "test")}))


def test_training_has_every_class_and_more_than_one(rings):
    x, y = rings.splits["training"]
    one = {name: (some[of == 0], of[of == 0]) for name, (some, of) in rings.splits.items()}
    with pytest.raises(InputError, match="'validation': got the label 1, which no sample for training has"):
        check_samples(replace(rings, splits=rings.splits | {"training": (x[y == 0], y[y == 0])}))
    with pytest.raises(InputError, match="'training': got samples of one class"):
        check_samples(replace(rings, splits=one))


def test_a_file_with_such_samples_is_refused_when_it_is_loaded(example, tmp_path):
    text = example.read_text()
    broken = text.replace(
        "    return assemble(",
        "    splits = {s: rings(s, n) for s, n in SAMPLES.items()}\n"
        "    splits['test'][0][3] = float('nan')\n    return assemble(",
        1,
    )
    broken = broken.replace(
        "splits={split: rings(split, size) for split, size in SAMPLES.items()}", "splits=splits"
    )
    assert broken.count("splits=splits") == 1
    (tmp_path / "own.py").write_text(broken)
    with pytest.raises(InputError, match=r"^split 'test': got 1 of 200 samples with NaN"):
        workloads.load(f"file:{tmp_path / 'own.py'}")


def test_a_class_with_too_few_images_for_training_is_refused(tmp_path):
    write_images(tmp_path, classes=12, side=8, parts={"": 1})
    with pytest.raises(
        InputError, match=r"^images: got 1 of the class 'class\d+', none of them for training; allowed: "
    ):
        image_files.divided(image_files.read(tmp_path, 8, resize=True))


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_class_may_be_called_as_a_part(tmp_path, name):
    write_images(tmp_path, classes=2, side=8, parts={"": 6})
    (tmp_path / "class1").rename(tmp_path / name)
    assert image_files.read(tmp_path, 8, resize=True)[""].classes == ("class0", name)


def test_parts_without_classes_are_not_taken_for_classes(tmp_path):
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / part / "0.png")
    with pytest.raises(InputError, match="'train' has 0 class folders"):
        image_files.read(tmp_path, 8, resize=True)
