"""Workloads: flat weights against torch's own modules, starts, placement."""

import pickle
import subprocess
import sys

import pytest
import torch
from synthetic_mnist import write_mnist
from test_workload_zoo import LARGE
from torch import nn
from torch.func import grad, vmap

from rebuttal import workloads
from rebuttal.workloads import models
from rebuttal.workloads.workload import Workload

BUILDERS = {
    "digits_mlp": models.digits_mlp,
    "digits_cnn": models.digits_cnn,
    "mnist_cnn": models.mnist_cnn,
}


# Of the others, test_workload_zoo.py shows as much on fewer samples.
NAMES = tuple(name for name in workloads.NAMES if name not in LARGE)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> dict[str, Workload]:
    root = write_mnist(tmp_path_factory.mktemp("data"))
    return {name: workloads.load(name, root) for name in NAMES}


@pytest.fixture(params=NAMES)
def workload(request, loaded) -> Workload:
    return loaded[request.param]


def head(workload: Workload, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    x, y = workload.splits["training"]
    return x[:size], y[:size]


def flat_loss(workload: Workload):
    return lambda weights, x, y: workload.loss(workload.predict(weights, x), y)


def flat_gradient(
    workload: Workload, weights: torch.Tensor, x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    weights = weights.detach().requires_grad_()
    return torch.autograd.grad(flat_loss(workload)(weights, x, y), weights)[0]


def module_gradient(
    workload: Workload, weights: torch.Tensor, x: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    model = workload.module(weights)
    gradients = torch.autograd.grad(workload.loss(model(x), y), list(model.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients])


class TestFlatWeights:
    def test_the_gradient_is_that_of_the_module_to_the_bit(self, workload):
        weights, (x, y) = workload.start(3), head(workload, 32)
        assert torch.equal(flat_gradient(workload, weights, x, y), module_gradient(workload, weights, x, y))

    def test_layer_by_layer_is_the_whole(self, workload):
        weights, (x, _) = workload.start(3), head(workload, 16)
        staged = x
        for layer in workload.module(weights):
            staged = layer(staged)
        assert torch.equal(staged, workload.predict(weights, x))

    def test_the_gradient_is_the_slope_of_the_loss(self, workload):
        exact = workload.double()
        weights, (x, y) = exact.start(1), head(exact, 8)
        direction = torch.randn(
            exact.parameters, generator=torch.Generator().manual_seed(0), dtype=torch.float64
        )
        direction /= direction.norm()
        loss, step = flat_loss(exact), 1e-6
        slope = (loss(weights + step * direction, x, y) - loss(weights - step * direction, x, y)) / (2 * step)
        assert float(slope) == pytest.approx(
            float(flat_gradient(exact, weights, x, y) @ direction), rel=1e-5, abs=1e-8
        )

    def test_func_grad_and_vmap_give_each_gradient(self, workload):
        starts, (x, y) = torch.stack([workload.start(seed) for seed in range(3)]), head(workload, 24)
        xs, ys = x.unflatten(0, (3, 8)), y.unflatten(0, (3, 8))
        together = vmap(grad(flat_loss(workload)))(starts, xs, ys)
        apart = torch.stack([flat_gradient(workload, *one) for one in zip(starts, xs, ys, strict=True)])
        torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-6)

    def test_unflatten_views_the_modules_parameters(self, workload):
        weights = workload.start(0)
        views = workload.unflatten(weights)
        for name, parameter in workload.module(weights).named_parameters():
            assert torch.equal(views[name], parameter)
            assert views[name].untyped_storage().data_ptr() == weights.untyped_storage().data_ptr()

    def test_layers_cover_the_weights_in_order(self, workload):
        end = 0
        for layer, (name, child) in zip(workload.layers, workload.module().named_children(), strict=True):
            assert (layer.name, layer.kind) == (name, type(child).__name__.lower())
            assert layer.parameters.start == end
            end = layer.parameters.stop
            assert layer.shapes == tuple(tuple(parameter.shape) for parameter in child.parameters())
        assert end == workload.parameters == len(workload.start(0))

    def test_the_mean_of_the_losses_is_the_loss(self, workload):
        x, y = head(workload, 100)
        outputs = workload.predict(workload.start(0), x)
        assert workload.losses(outputs, y).shape == (len(x),)
        torch.testing.assert_close(workload.losses(outputs, y).mean(), workload.loss(outputs, y))

    def test_a_module_is_fresh_and_holds_copies(self, workload):
        weights = workload.start(0)
        model = workload.module(weights)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(1)
        assert torch.equal(weights, workload.start(0))
        assert torch.equal(nn.utils.parameters_to_vector(workload.module().parameters()), weights)


class TestStart:
    def test_repeats_to_the_bit_and_differs_by_seed(self, workload):
        assert torch.equal(workload.start(5), workload.start(5))
        assert len({workload.start(seed).numpy().tobytes() for seed in range(20)}) == 20

    def test_neither_reads_nor_moves_the_global_generator(self, workload):
        before = torch.random.get_rng_state()
        first = workload.start(5)
        workload.module()
        assert torch.equal(torch.random.get_rng_state(), before)
        torch.manual_seed(1234)
        assert torch.equal(workload.start(5), first)
        torch.random.set_rng_state(before)

    def test_loading_does_not_move_the_global_generator(self):
        before = torch.random.get_rng_state()
        workloads.load("digits_cnn")
        assert torch.equal(torch.random.get_rng_state(), before)

    @pytest.mark.parametrize("name", BUILDERS)
    def test_is_the_layers_own_default(self, loaded, name):
        workload, generator = loaded[name], torch.Generator().manual_seed(77)
        drawn = [part.flatten() for layer in workload.layers for part in workload.initial(layer, generator)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(77)
            built = nn.utils.parameters_to_vector(BUILDERS[name]().parameters())
        assert torch.equal(torch.cat(drawn), built)

    def test_in_float64_is_the_float32_one(self, workload):
        exact = workload.double().start(2)
        assert exact.dtype == torch.float64
        assert torch.equal(exact.float(), workload.start(2))


class TestPlacement:
    def test_to_converts_data_and_model_and_leaves_the_original(self, workload):
        exact = workload.to("cpu", torch.float64)
        x, y = head(exact, 4)
        assert (x.dtype, y.dtype) == (torch.float64, workload.splits["training"][1].dtype)
        assert exact.predict(exact.start(0), x).dtype == torch.float64
        assert workload.predict(workload.start(0), head(workload, 4)[0]).dtype == torch.float32
        assert str(workload.device) == "cpu"

    def test_survives_pickling(self, workload):
        copy = pickle.loads(pickle.dumps(workload))  # noqa: S301 - made one line above
        x, _ = head(workload, 4)
        assert torch.equal(copy.predict(copy.start(0), x), workload.predict(workload.start(0), x))


def test_names_batches_and_data_checks_import_no_torch():
    code = (
        "import sys; from rebuttal import workloads; from rebuttal.base import devices; "
        "from rebuttal.machines import costs; from rebuttal.workloads import batches; "
        "workloads.check_data('digits_mlp', None); batches.batch_indices(9, 2, 0, 0, 3); "
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_multi_margin_loss_is_that_of_torch_and_can_be_batched():
    outputs, y = torch.randn(7, 5, 10, generator=torch.Generator().manual_seed(0)), torch.arange(5) % 10
    expected = torch.stack([nn.functional.multi_margin_loss(row, y, reduction="none") for row in outputs])
    torch.testing.assert_close(vmap(models.multi_margins, in_dims=(0, None))(outputs, y), expected)
    torch.testing.assert_close(models.multi_margin(outputs[0], y), expected[0].mean())


def test_the_few_images_are_four_of_each_class():
    few, all_of_them = (workloads.load(name).splits for name in ("digits_few", "digits_deep"))
    assert few["training"][1].bincount().tolist() == [4] * 10
    for split in ("validation", "test"):
        assert torch.equal(few[split][0], all_of_them[split][0])
    assert torch.equal(few["training"][0], all_of_them["training"][0][:40])
