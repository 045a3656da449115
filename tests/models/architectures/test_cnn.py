"""The convolutional network against loops over cells, and what rotation of the globe must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from climxai.core.errors import ModelError
from climxai.models.architectures import Cnn
from climxai.models.architectures.convolution import Block
from climxai.models.network import build_network, count_parameters, weighted_layers
from climxai.models.training import Training
from climxai.models.training.fit import Examples, fit

SHAPE = (2, 7, 10)


def _cnn(**fields: Any) -> Cnn:
    return Cnn.model_validate(fields)


def _inputs(samples: int = 3) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randn(samples, *SHAPE, generator=random, dtype=torch.float64)


def _cell(x: np.ndarray, i: int, j: int, longitude: str, latitude: str) -> np.ndarray:
    """All channels at a cell, which may lie beyond the grid's edge."""
    _, lat, lon = x.shape
    if longitude == "circular":
        j %= lon
    elif longitude == "replicate":
        j = min(max(j, 0), lon - 1)
    if latitude == "replicate":
        i = min(max(i, 0), lat - 1)
    if not (0 <= i < lat and 0 <= j < lon):
        return np.zeros(len(x))
    return x[:, i, j]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("latitude", ["zero", "replicate"])
@pytest.mark.parametrize("longitude", ["circular", "zero", "replicate"])
def test_convolution_equals_a_loop_over_cells(longitude: str, latitude: str, stride: int) -> None:
    fields: dict[str, Any] = (
        {"pooling": "none"}
        if stride == 1
        else {
            "pooling": "stride",
            "factor": stride,
        }
    )
    settings = _cnn(kernel=5, longitude=longitude, latitude=latitude, initial="torch", **fields)
    block = Block(settings, 2, 4).double()
    convolution = next(m for m in block.modules() if isinstance(m, nn.Conv2d))
    weight, bias = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()
    x = _inputs(2)
    found = block(x).detach().numpy()
    assert found.shape == (2, 4, -(-7 // stride), -(-10 // stride))
    for sample in range(2):
        for i in range(found.shape[2]):
            for j in range(found.shape[3]):
                z = bias.copy()
                for di in range(-2, 3):
                    for dj in range(-2, 3):
                        where = (i * stride + di, j * stride + dj)
                        cell = _cell(x[sample].numpy(), *where, longitude, latitude)
                        z += weight[:, :, di + 2, dj + 2] @ cell
                np.testing.assert_allclose(found[sample, :, i, j], np.maximum(z, 0), atol=1e-12)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_pooling_keeps_the_cells_at_the_edge(pooling: str) -> None:
    # 7 x 10 cells in windows of 3: the last row of windows holds one latitude, the last column one
    # longitude; their mean is over the cells that exist.
    settings = _cnn(pooling=pooling, factor=3, kernel=1)
    pool = Block(settings, 2, 2).pooling
    x = _inputs(1)
    found = pool(x)[0, 1].numpy()
    reduce = np.mean if pooling == "average" else np.max
    expected = [
        [reduce(x[0, 1, i : i + 3, j : j + 3].numpy()) for j in (0, 3, 6, 9)] for i in (0, 3, 6)
    ]
    np.testing.assert_allclose(found, expected)


def test_turning_the_globe_turns_the_features() -> None:
    settings = _cnn(pooling="none", head="average", convolutions=2, residual=True, channels=[3, 5])
    network = build_network(settings, SHAPE, 3, seed=0).double()
    x = _inputs()
    torch.testing.assert_close(network(x.roll(4, dims=3)), network(x), rtol=1e-12, atol=1e-12)
    edged = build_network(
        settings.model_copy(update={"longitude": "zero"}), SHAPE, 3, seed=0
    ).double()
    assert not torch.allclose(edged(x.roll(4, dims=3)), edged(x))


def test_residual_link_adds_the_input_before_the_activation() -> None:
    block = Block(_cnn(residual=True, pooling="none", convolutions=2), 4, 4).double()
    assert isinstance(block.link, nn.Identity)
    x = torch.randn(2, 4, 7, 10, dtype=torch.float64)
    plain = block.layers(x)
    torch.testing.assert_close(block(x), torch.clamp(plain + x, min=0))


def test_residual_link_matches_channels_by_weights() -> None:
    block = Block(_cnn(residual=True, pooling="stride"), 2, 4).double()
    x = _inputs(2)
    link = block.link.weight.detach()[:, :, 0, 0]
    expected = torch.einsum("oc,nchw->nohw", link, x[:, :, ::2, ::2])
    torch.testing.assert_close(block(x), torch.clamp(block.layers(x) + expected, min=0))


def test_batch_norm_normalises_each_channel() -> None:
    block = Block(_cnn(batch_norm=True, pooling="none"), 2, 4).double().train()
    z = block.layers(_inputs(5) * 7 + 3).detach()
    np.testing.assert_allclose(z.mean((0, 2, 3)), 0, atol=1e-10)
    np.testing.assert_allclose(z.std((0, 2, 3), unbiased=False), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        # convolutions (2·9+1)·16 and (16·9+1)·32; 2 x 3 cells of 32 channels to 3 logits
        ({}, 19 * 16 + 145 * 32 + (2 * 3 * 32 + 1) * 3),
        # no bias before batch norm, whose scale and shift count; the mean of 32 channels
        ({"batch_norm": True, "head": "average"}, 20 * 16 + 146 * 32 + 33 * 3),
        # links of 2·16 and 16·32 weights; 7 x 10 cells
        (
            {"residual": True, "pooling": "none"},
            19 * 16 + 2 * 16 + 145 * 32 + 16 * 32 + (70 * 32 + 1) * 3,
        ),
        # two pieces per channel, dense layer of 6 units with two pieces
        (
            {"activation": "maxout", "channels": [4], "hidden": [6], "head": "average"},
            19 * 8 + 5 * 12 + 7 * 3,
        ),
    ],
    ids=str,
)
def test_parameters_by_hand(fields: dict[str, Any], parameters: int) -> None:
    assert count_parameters(_cnn(**fields), SHAPE, 3) == parameters


def test_weighted_layers_come_first_to_last() -> None:
    network = build_network(
        _cnn(channels=[3, 4], residual=True, batch_norm=True, hidden=[6], head="average"),
        SHAPE,
        2,
        seed=0,
    )
    assert [tuple(weight.shape) for _, weight in weighted_layers(network)] == [
        (3, 2, 3, 3),
        (3, 2, 1, 1),
        (4, 3, 3, 3),
        (4, 3, 1, 1),
        (6, 4),
        (2, 6),
    ]


def test_glorot_bound_counts_the_window() -> None:
    network = build_network(_cnn(channels=[40], activation="maxout"), SHAPE, 2, seed=0)
    weight = weighted_layers(network)[0][1].detach()
    bound = (6 / (2 * 9 + 40 * 9)) ** 0.5
    assert 0.99 * bound < float(weight.abs().max()) <= bound


def test_a_grid_too_small_is_an_error() -> None:
    # 7 x 10, then 4 x 5, 2 x 3, 1 x 2, 1 x 1: the fifth block has nothing to merge.
    count_parameters(_cnn(channels=[2] * 4, longitude="zero"), SHAPE, 2)
    with pytest.raises(ModelError, match=r"block 5: its grid is 1 x 1 .* fewer blocks"):
        count_parameters(_cnn(channels=[2] * 5, longitude="zero"), SHAPE, 2)
    with pytest.raises(ModelError, match=r"block 2: its grid is 4 x 5 .* circular window of 13"):
        count_parameters(_cnn(kernel=13), SHAPE, 2)
    with pytest.raises(ModelError, match=r"block 1: .* circular window of 13"):
        count_parameters(_cnn(kernel=13, convolutions=2, pooling="stride"), SHAPE, 2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kernel": 4}, "no centre"),
        ({"pooling": "none", "factor": 2}, "no use"),
        ({"factor": 1}, "greater than or equal to 2"),
        ({"channels": []}, "at least 1"),
        ({"longitude": "reflect"}, "circular"),
    ],
    ids=str,
)
def test_impossible_fields_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        _cnn(**fields)


def test_learns_a_pattern_wherever_it_lies() -> None:
    # A warm or a cold blob anywhere on the globe, the seam included.
    random = np.random.default_rng(0)
    x = 0.3 * random.normal(size=(120, 1, 8, 12))
    y = random.integers(0, 2, 120)
    for sample in range(120):
        i, j = random.integers(1, 7), random.integers(0, 12)
        for dj in (-1, 0, 1):
            x[sample, 0, i - 1 : i + 2, (j + dj) % 12] += 2.0 * (2 * y[sample] - 1)
    examples = Examples(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
    bits = []
    for _ in range(2):
        network = build_network(
            _cnn(channels=[4, 4], batch_norm=True, residual=True, head="average"), (1, 8, 12), 2, 1
        )
        settings = Training.model_validate(
            {"epochs": 8, "batch_size": 17, "optimizer": {"name": "adam", "learning_rate": 0.01}}
        )
        history = fit(network, examples, None, settings, 0)
        assert history.rows[-1].train_accuracy > 0.95
        bits.append(b"".join(v.numpy().tobytes() for v in network.state_dict().values()))
    assert bits[0] == bits[1]
