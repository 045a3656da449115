"""SmoothGrad against the plain loop on the same draws, long loops, captum, and closed forms."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from climxai.attribution.beginning import beginning_of
from climxai.attribution.context import Context
from climxai.attribution.methods.smoothgrad import SmoothGrad
from climxai.attribution.network import trace
from climxai.attribution.noise import (
    InputNoise,
    _on_z,
    noise_on_z,
    noise_roots,
    quadratic,
    ranges,
)
from climxai.core.errors import ModelError
from tests.attribution.plain_loops import (
    VALID,
    assert_same_in_any_batch,
    built,
    context,
    inputs,
    plain_gradient,
    starts,
)
from tests.attribution.small import SHAPE, seeded

FORMS = ("mean", "absolute", "square", "variance")


def generators(count, seed=0):
    return [context().generator(seed, i) for i in range(count)]


def in_form(gradients, form):
    """Return the form of gradients [draw, sample, ...], each by its definition."""
    return {
        "mean": lambda g: g.mean(0),
        "absolute": lambda g: g.mean(0).abs(),
        "square": lambda g: (g**2).mean(0),
        "variance": lambda g: g.var(0, correction=0),
    }[form](gradients)


def plain_loop(module, x, noise, start, form):
    """Return the form over noise [sample, draw, ...], each draw through the whole network."""
    each = [plain_gradient(module, x + noise[:, k], start) for k in range(noise.shape[1])]
    return in_form(torch.stack(each), form)


@pytest.mark.parametrize("form", FORMS)
def test_behind_the_beginning_as_on_the_inputs_for_the_same_draws(form):
    module, network = built("narrow")
    x, start = inputs(), starts()
    noise = InputNoise(x, 0.3, VALID, generators(4)).draw(11)
    front = beginning_of(network)
    assert front.narrow
    with torch.no_grad():
        z = front((x[:, None] + noise).flatten(0, 1)).reshape(4, 11, -1)
        found = _on_z(front, z, start, form, [slice(0, 4), slice(4, 11)]).reshape(x.shape)
    expected = plain_loop(module, x, noise, start, form)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["wide", "none"])
@pytest.mark.parametrize("form", FORMS)
def test_equal_to_the_plain_loop_for_the_same_draws(kind, form):
    module, network = built(kind)
    x, start = inputs(), starts()
    found = SmoothGrad(draws=7, noise=0.2, form=form, seed=3).attribute(
        network, x, start, context()
    )
    noise = InputNoise(x, 0.2, VALID, generators(4, seed=3)).draw(7)
    expected = plain_loop(module, x, noise, start, form)
    torch.testing.assert_close(found.values, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.output, (module(x) * start).sum(1))


@pytest.mark.parametrize("form", ["mean", "square", "variance"])
def test_its_expectation_is_that_of_a_long_plain_loop(form):
    # Both are means over draws, so their difference is judged by the spread of repeated blocks.
    module, network = built("narrow")
    x, start = inputs(2), starts(2)
    blocks, draws = 20, 200
    loop = InputNoise(x, 0.15, VALID, generators(2, seed=99))
    ours, plain = [], []
    for block in range(blocks):
        method = SmoothGrad(draws=draws, form=form, seed=block)
        ours.append(method.attribute(network, x, start, context()).values)
        plain.append(plain_loop(module, x, loop.draw(draws), start, form))
    one, other = torch.stack(ours), torch.stack(plain)
    error = ((one.var(0) + other.var(0)) / blocks).sqrt()
    apart = (one.mean(0) - other.mean(0)) / error
    assert apart.abs().max() < 5.5
    assert 0.5 < apart.std() < 1.6
    # The spread between blocks is that of independent draws as well: the covariance is right.
    assert 0.6 < (one.var(0).mean() / other.var(0).mean()) < 1.6


@pytest.mark.parametrize("form", ["mean", "square", "variance"])
def test_captum_draws_from_the_same_distribution(form):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    module, network = built("narrow")
    x = torch.randn((1, *SHAPE), generator=torch.Generator().manual_seed(1)).double()
    start = torch.tensor([[0.0, 1.0, 0.0]]).double()
    everywhere = context().__class__(torch.ones(SHAPE, dtype=torch.bool))
    found = SmoothGrad(draws=20000, noise=0.15, form=form).attribute(network, x, start, everywhere)
    spread = [0.15 * (each.max() - each.min()).item() for each in x[0]]
    names = {"mean": "smoothgrad", "square": "smoothgrad_sq", "variance": "vargrad"}
    torch.manual_seed(0)
    # captum knows one deviation: the channels are scaled so that both have the same.
    scale = torch.tensor(spread).double().reshape(1, 2, 1, 1)

    class Scaled(nn.Module):
        def forward(self, values):
            return module(values * scale)

    tunnel = captum.NoiseTunnel(captum.Saliency(Scaled()))
    expected = tunnel.attribute(
        x / scale,
        nt_type=names[form],
        nt_samples=20000,
        stdevs=1.0,
        target=1,
        abs=False,
    )
    expected = expected / (scale if form == "mean" else scale**2)
    assert (found.values - expected).norm() < 0.05 * expected.norm()


@pytest.mark.parametrize("kind", ["narrow", "wide"])
def test_a_linear_network_has_the_same_gradient_everywhere(kind):
    first = nn.Flatten() if kind == "narrow" else nn.Conv2d(2, 24, 3, padding=1)
    size = 96 if kind == "narrow" else 24 * 48
    module = seeded(nn.Sequential(first, nn.Flatten(), nn.Linear(size, 3)))
    network, x, start = trace(module, SHAPE, torch.float64), inputs(), starts()
    gradient = plain_gradient(module, x, start)
    closed = {"mean": gradient, "absolute": gradient.abs(), "square": gradient**2}
    for form in FORMS:
        found = SmoothGrad(draws=5, form=form).attribute(network, x, start, context())
        torch.testing.assert_close(found.values, closed.get(form, 0 * gradient))


def test_a_square_has_moments_in_closed_form():
    # f = (w x)^2 / 2 has the gradient (w x) w: its mean is (w x) w, its variance s^2 |w|^2 w^2.
    class Square(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(96, 1, bias=False)

        def forward(self, x):
            return self.dense(x.flatten(1)).square() / 2

    module = seeded(Square())
    network, x = trace(module, SHAPE, torch.float64), inputs(1)
    start, weight = torch.ones(1, 1).double(), module.dense.weight.reshape(1, *SHAPE)
    s = 0.15 * torch.stack(
        [each[v].max() - each[v].min() for each, v in zip(x[0], VALID, strict=True)]
    )
    spread = ((weight * VALID).square().sum((2, 3)) * s**2).sum()
    closed = (x * weight).sum()
    for form, expected, share in (
        ("mean", closed * weight, 0.02),
        ("variance", spread * weight**2, 0.05),
        ("square", (closed**2 + spread) * weight**2, 0.05),
    ):
        method = SmoothGrad(draws=20000, form=form)
        found = method.attribute(network, x, start, context()).values
        assert (found - expected).norm() < share * expected.norm() + 0.02 * spread.sqrt()


def test_the_roots_have_the_covariance_of_noise_on_valid_cells():
    _, network = built("narrow")
    front = beginning_of(network)
    weight = (front.matrix() * VALID.flatten()).reshape(7, 2, -1)
    roots = noise_roots(network, front, VALID).reshape(2, 7, 7)
    for channel in range(2):
        torch.testing.assert_close(
            roots[channel].T @ roots[channel], weight[:, channel] @ weight[:, channel].T
        )
    # Another mask is not answered from what was kept for the first.
    other = torch.ones_like(VALID)
    again = noise_roots(network, front, other).reshape(2, 7, 7)[0]
    whole = front.matrix().reshape(7, 2, -1)[:, 0]
    torch.testing.assert_close(again.T @ again, whole @ whole.T)


def test_a_beginning_that_is_singular_has_roots_too():
    # More units than cells, and two that are equal: W W^T has no Cholesky factor.
    module = seeded(nn.Sequential(nn.Flatten(), nn.Linear(96, 130), nn.ReLU(), nn.Linear(130, 3)))
    module[1].weight.data[1] = module[1].weight.data[0]
    module[1].bias.data[1] = module[1].bias.data[0]
    network = trace(module, SHAPE, torch.float64)
    front = beginning_of(network)
    noise = noise_on_z(network, front, inputs(), 0.2, VALID, generators(4), 6)
    assert noise.isfinite().all()
    torch.testing.assert_close(noise[..., 0], noise[..., 1])
    found = SmoothGrad(draws=4).attribute(network, inputs(), starts(), context())
    assert found.values.isfinite().all()


def test_noise_stays_on_valid_cells_and_scales_with_their_range():
    x = inputs()
    noise = InputNoise(x, 0.5, VALID, generators(4)).draw(4000)
    assert not noise[:, :, ~VALID].any()
    for i in range(4):
        for c in range(2):
            known = x[i, c][VALID[c]]
            expected = 0.5 * (known.max() - known.min()).item()
            found = noise[i, :, c][:, VALID[c]].std().item()
            assert found == pytest.approx(expected, rel=0.02)


def test_zeros_on_land_do_not_count_in_the_range():
    x = (inputs().abs() + 5) * VALID
    expected = torch.stack(
        [
            torch.stack([c[v].max() - c[v].min() for c, v in zip(each, VALID, strict=True)])
            for each in x
        ]
    )
    torch.testing.assert_close(ranges(x, VALID), expected)
    torch.testing.assert_close(ranges(-x, VALID), expected)
    land = VALID.clone()
    land[1] = False
    assert ranges(x * land, land)[:, 1].tolist() == [0.0] * 4


def test_a_network_that_sees_only_land_is_not_shaken():
    module = seeded(nn.Sequential(nn.Flatten(), nn.Linear(96, 6), nn.Tanh(), nn.Linear(6, 3)))
    module[1].weight.data *= ~VALID.flatten()
    network = trace(module, SHAPE, torch.float64)
    found = SmoothGrad(draws=5).attribute(network, inputs(), starts(), context())
    torch.testing.assert_close(found.values, plain_gradient(module, inputs(), starts()))


def test_the_quadratic_form_is_that_of_the_whole_matrix():
    _, network = built("narrow")
    front = beginning_of(network)
    gradients = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0)).double()
    moments = gradients.transpose(1, 2) @ gradients
    weight = front.matrix()
    expected = torch.diagonal(weight.T @ moments @ weight, dim1=1, dim2=2)
    torch.testing.assert_close(quadratic(front, moments), expected)


@pytest.mark.parametrize("kind", ["narrow", "wide", "none"])
@pytest.mark.parametrize("form", ["mean", "variance"])
def test_neither_batch_nor_memory_matters(kind, form):
    _, network = built(kind)
    assert_same_in_any_batch(SmoothGrad(draws=6, form=form), network)


def test_seeds_and_samples_have_their_own_noise():
    _, network = built("narrow")
    x, start = inputs(1).repeat(2, 1, 1, 1), starts(1).repeat(2, 1)
    found = SmoothGrad(draws=3).attribute(network, x, start, context()).values
    assert not torch.allclose(found[0], found[1])
    other = SmoothGrad(draws=3, seed=1).attribute(network, x, start, context()).values
    assert not torch.allclose(found, other)
    rows = torch.tensor([8, 8])
    same = SmoothGrad(draws=3).attribute(network, x, start, context(rows=rows)).values
    torch.testing.assert_close(same[0], same[1])


def test_what_the_objective_subtracts_is_kept():
    module, network = built("narrow")
    x, start, reference = inputs(), starts(), torch.ones(1, 3).double()
    found = SmoothGrad(draws=2).attribute(network, x, start, context(reference=reference))
    torch.testing.assert_close(found.output, ((module(x) - 1) * start).sum(1))
    torch.testing.assert_close(found.reference, start.sum(1))


def test_what_is_refused_and_what_is_empty():
    _, network = built("narrow")
    with pytest.raises(ValidationError, match="set draws to 2"):
        SmoothGrad(form="variance", draws=1)
    for wrong in ({"draws": 0}, {"noise": 0}, {"form": "median"}):
        with pytest.raises(ValidationError):
            SmoothGrad.model_validate(wrong)
    with pytest.raises(ModelError, match="objective's weights have shape"):
        SmoothGrad().attribute(network, inputs(), starts()[:, :2], context())
    none = SmoothGrad().attribute(network, inputs()[:0], starts()[:0], context())
    assert none.values.shape == (0, *SHAPE)
    assert SmoothGrad().signed
    assert not SmoothGrad(form="square").signed
    assert not SmoothGrad().decomposes


@pytest.mark.parametrize("kind", ["narrow", "wide", "conv"])
@pytest.mark.parametrize("memory", [256_000_000, 1])
def test_where_all_draws_share_one_gradient_the_variance_is_zero_not_rounding(kind, memory):
    # In single precision, where a mean of equal numbers is not that number.
    shape = (1, 12, 18)
    torch.manual_seed(4)
    module = {
        "narrow": lambda: nn.Sequential(
            *(nn.Flatten(), nn.Linear(216, 8), nn.ReLU()),
            *(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)),
        ),
        "wide": lambda: nn.Sequential(
            *(nn.Flatten(), nn.Linear(216, 1100), nn.ReLU()),
            *(nn.Linear(1100, 8), nn.ReLU(), nn.Linear(8, 3)),
        ),
        "conv": lambda: nn.Sequential(
            *(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(4 * 10 * 16, 3)),
        ),
    }[kind]().eval()
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            # Far from where a rectifier switches: of every three one is off.
            layer.bias.data = torch.where(torch.arange(len(layer.bias)) % 3 == 1, -1e3, 1e3)
    network = trace(module, shape)
    assert beginning_of(network).narrow == (kind == "narrow")
    x, valid = torch.randn(4, *shape), torch.ones(shape, dtype=torch.bool)
    method = SmoothGrad(form="variance", draws=53)
    start = torch.tensor([[1.0, -1.0, 0.0]]).repeat(4, 1)
    found = method.attribute(network, x, start, Context(valid, memory=memory)).values
    assert (found == 0).all()
    assert SmoothGrad(draws=53).attribute(network, x, start, Context(valid)).values.any()
