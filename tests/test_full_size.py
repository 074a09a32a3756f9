"""Networks at full size: the published counts, and the mathematics of a chain against the whole network."""

import json
from typing import Any

import pytest
import torch
from test_workload_zoo import staged
from torchvision import models

from rebuttal.base.errors import InputError
from rebuttal.workloads import chains, full_size, timing

WEIGHTS = {
    "alexnet": models.AlexNet_Weights.IMAGENET1K_V1,
    "googlenet": models.GoogLeNet_Weights.IMAGENET1K_V1,
    "inception_v3": models.Inception_V3_Weights.IMAGENET1K_V1,
    "resnet50": models.ResNet50_Weights.IMAGENET1K_V1,
    "vit_b_16": models.ViT_B_16_Weights.IMAGENET1K_V1,
}
WITH_AUXILIARY = {
    "googlenet": 13_004_888
}  # published as 13.0 M; the others' published counts are those of WEIGHTS


@pytest.fixture(scope="module")
def catalogues():
    return {name: full_size.catalogue(name, auxiliary=True) for name in full_size.MODELS}


def total(rows, what, *, auxiliary=True):
    return sum(getattr(row, what) for row in rows if auxiliary or not row.auxiliary)


@pytest.mark.parametrize("name", WEIGHTS)
def test_parameters_and_operations_are_the_published_ones(catalogues, name):
    published, rows = WEIGHTS[name].meta, catalogues[name]
    counts = {total(rows, "parameters", auxiliary=False), total(rows, "parameters")}
    assert published["num_params"] in counts
    multiply_adds = total(rows, "forward_flops", auxiliary=False) / 2
    assert multiply_adds / 1e9 == pytest.approx(published["_ops"], abs=6e-4)
    assert total(rows, "parameters") == WITH_AUXILIARY.get(name, published["num_params"])


def test_the_transformer_has_the_size_of_gpt2(catalogues):
    rows = catalogues["gpt2_small"]
    head = rows[-1].parameters
    assert head == 50_257 * 768 + 50_257
    assert total(rows, "parameters") - head == 124_439_808
    products = 24 * 768**2 * 1024 + 4 * 768 * 1024**2
    assert total(rows, "forward_flops") == 12 * products + 2 * 768 * 50_257 * 1024


@pytest.mark.parametrize("name", full_size.MODELS)
def test_a_backward_pass_costs_two_forward_passes_less_the_gradient_of_the_input(catalogues, name):
    rows = [row for row in catalogues[name] if row.forward_flops]
    first, *rest = rows
    assert first.backward_flops in {first.forward_flops, 2 * first.forward_flops}
    for row in rest:
        assert row.backward_flops == 2 * row.forward_flops


def test_what_is_saved_is_counted_once(catalogues):
    rows = {row.layer: row for row in catalogues["alexnet"]}
    assert rows["features0"].saved == 3 * 224 * 224
    assert (
        rows["features1"].saved == rows["features1"].outputs
    )  # ReLU keeps its output, and pooling finds it there
    assert rows["features2"].saved_bytes == 8 * rows["features2"].outputs  # the places of the largest
    assert rows["features8"].saved == 0  # its input is the output that the ReLU before keeps


def test_the_catalogue_is_written_whole(tmp_path):
    full_size.write(["alexnet", "googlenet"], tmp_path / "results" / "full_size.json")
    written = json.loads((tmp_path / "results" / "full_size.json").read_text())
    assert list(written) == ["alexnet", "googlenet"]
    assert [row["layer"] for row in written["googlenet"]["layers"] if row["auxiliary"]] == ["aux1", "aux2"]
    with pytest.raises(InputError, match="did you mean 'resnet50'"):
        full_size.catalogue("resnet5")


def small(name) -> tuple[Any, Any, int]:
    """The whole network with random weights and ten outputs, the cut, and the side of a small image."""
    torch.manual_seed(0)
    if name == "vit_b_16":
        whole = models.VisionTransformer(32, 16, 2, 2, 32, 64, num_classes=10)
        torch.nn.init.normal_(next(whole.heads.parameters()))
        return whole, chains.vision_transformer, 32
    plain = {"num_classes": 10} | ({"dropout": 0.0} if name not in {"resnet50", "resnet18"} else {})
    if name in {"googlenet", "inception_v3"}:
        plain |= {"aux_logits": False, "init_weights": False}
    cut = {"alexnet": chains.alexnet, "googlenet": chains.googlenet, "inception_v3": chains.inception}
    return (
        models.get_model(name, weights=None, **plain),
        cut.get(name, chains.resnet),
        75 if "v3" in name else 64,
    )


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "inception_v3", "resnet18", "vit_b_16"])
def test_a_chain_computes_what_the_whole_network_computes(name):
    """Normalised over the batch too: in training mode, outputs and every gradient."""
    whole, cut, side = small(name)
    x, y = torch.randn(2, 3, side, side), torch.tensor([3, 7])

    def loss(outputs):
        return torch.nn.functional.cross_entropy(outputs, y)

    expected = whole(x)
    gradients = torch.autograd.grad(loss(expected), list(whole.parameters()))
    by_parameter = dict(zip(map(id, whole.parameters()), gradients, strict=True))
    model = cut(whole)
    outputs, flat = staged(model, x, loss)
    assert len(list(model.parameters())) == len(by_parameter)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)
    ordered = torch.cat([by_parameter[id(parameter)].flatten() for parameter in model.parameters()])
    torch.testing.assert_close(flat, ordered, rtol=1e-3, atol=1e-4)


def test_a_network_at_full_size_is_a_workload_to_be_timed():
    workload = full_size.workload("alexnet", samples=2)
    x, y = workload.splits["training"]
    assert workload.parameters == 61_100_840
    assert x.shape == (2, 3, 224, 224)
    assert bool(torch.isfinite(workload.loss(workload.predict(workload.start(0), x), y)))


def test_the_layers_of_a_network_at_full_size_can_be_timed():
    """What a GPU is to measure, once and on two samples."""
    workload = full_size.workload("alexnet", samples=2)
    x, y = timing.samples(workload, 2)
    with timing.threads(1):
        seconds = timing.layers_s(workload, workload.module(), x, y)
    assert seconds.shape == (len(workload.layers), 2)
    assert (seconds >= 0).all()
    assert seconds.sum() > 0
