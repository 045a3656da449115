"""Networks: seeds and bits, initial weights against their formulas, layers in order."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from climxai.core.errors import ModelError
from climxai.models.architectures import ARCHITECTURES, Architecture, Linear, Mlp
from climxai.models.architectures.activations import Maxout
from climxai.models.network import build_network, count_parameters, logits, weighted_layers

SHAPE = (2, 6, 8)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_seed_fixes_bits_and_global_state_does_not(name: str) -> None:
    architecture = ARCHITECTURES[name]()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = build_network(architecture, SHAPE, 3, seed=5)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    build_network(architecture, SHAPE, 3, seed=4)
    second = build_network(architecture, SHAPE, 3, seed=5)
    other = build_network(architecture, SHAPE, 3, seed=6)
    weights = [weight for _, weight in weighted_layers(first)]
    assert weights
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, (_, c) in zip(weights, weighted_layers(other), strict=True):
        assert not torch.equal(a, c)
    assert not first.training


@pytest.mark.parametrize(
    ("initial", "bound"),
    [
        ("glorot_uniform", math.sqrt(6 / (96 + 40))),
        ("he_uniform", math.sqrt(6 / 96)),
        ("torch", math.sqrt(1 / 96)),
    ],
)
def test_initial_weights_are_uniform_within_the_published_bound(initial: str, bound: float) -> None:
    network = build_network(Mlp(hidden=(40,), initial=initial), SHAPE, 2, seed=0)
    weight = dict(network.named_parameters())["1.weight"].detach()
    bias = dict(network.named_parameters())["1.bias"].detach()
    assert float(weight.abs().max()) <= bound
    # A uniform distribution's standard deviation is bound/√3; 3,840 draws.
    assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert float(weight.mean()) == pytest.approx(0, abs=bound / 20)
    assert bool((bias == 0).all()) is (initial != "torch")


def test_maxout_units_start_as_wide_as_one_piece() -> None:
    network = build_network(Mlp(hidden=(40,), activation=Maxout(pieces=5)), SHAPE, 2, seed=0)
    weight = network.get_parameter("1.weight").detach()
    assert weight.shape == (200, 96)
    bound = math.sqrt(6 / (96 + 40))
    assert 0.99 * bound < float(weight.abs().max()) <= bound


def test_count_parameters_by_hand() -> None:
    # 16,020 cells: (16020+1)*8 + (8+1)*8 + (8+1)*2.
    assert count_parameters(Mlp(hidden=(8, 8)), (1, 89, 180), 2) == 128258
    assert count_parameters(Linear(), (2, 3, 4), 5) == 25 * 5
    # A network too large for any memory is counted all the same.
    assert (
        count_parameters(Mlp(hidden=(10**9,)), (1, 1000, 1000), 2)
        == (10**6 + 1) * 10**9 + (10**9 + 1) * 2
    )


def test_weighted_layers_come_first_to_last() -> None:
    network = build_network(Mlp(hidden=(5, 4), activation=Maxout(pieces=3)), SHAPE, 2, seed=0)
    assert [tuple(weight.shape) for _, weight in weighted_layers(network)] == [
        (15, 96),
        (12, 5),
        (2, 4),
    ]


def test_logits_run_in_evaluation_mode_and_in_batches() -> None:
    network = build_network(Mlp(dropout=0.5), SHAPE, 2, seed=0).train()
    x = torch.randn(7, *SHAPE, generator=torch.Generator().manual_seed(0))
    found = logits(network, x, batch_size=3)
    assert network.training
    with torch.no_grad():
        expected = network.eval()(x).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "outputs", "words"),
    [((1, 3, 4), 1, "at least 2"), ((0, 3, 4), 2, "at least one channel")],
)
def test_impossible_sizes(shape: tuple[int, int, int], outputs: int, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        build_network(Linear(), shape, outputs, 0)
    with pytest.raises(ModelError, match=words):
        count_parameters(Linear(), shape, outputs)


def test_architecture_alone_builds_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Architecture().build(SHAPE, 2)
