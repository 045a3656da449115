"""The linear beginning of a network, against the network itself and autograd on it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.front import front_of
from climxai.attribution.network import trace
from tests.attribution.small import SHAPE, samples, seeded


class Functional(nn.Module):
    """With functions: scaling, a constant, padding, two convolutions in a row, a residual."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3)
        self.second = nn.Conv2d(3, 3, 1)
        self.head = nn.Linear(3 * 6 * 8, 2)
        self.register_buffer("scale", torch.rand(2, 1, 1).double() + 0.5)

    def forward(self, x):
        x = functional.pad(x * self.scale - 0.3, (1, 1, 0, 0), mode="circular")
        x = self.first(functional.pad(x, (0, 0, 1, 1)))
        x = x + self.second(x)
        x = functional.relu(x)
        return self.head((x + self.second(x)).flatten(1))


class InputTwice(nn.Module):
    """The input passes the first layer's side: no cut but none after a weight that all follows."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 2, 1)
        self.head = nn.Linear(96, 2)

    def forward(self, x):
        return self.head((torch.relu(self.first(x)) + x).flatten(1))


NETWORKS = {
    "dense": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(96, 5), nn.ReLU(), nn.Linear(5, 2)),
        (5,),
    ),
    "linear": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(96, 3)), (3,)),
    "two linear": (
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(96, 9), nn.Linear(9, 4), nn.Tanh()),
        (4,),
    ),
    "batch norm and pooling": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            nn.AvgPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(36, 2),
        ),
        (3, 3, 4),
    ),
    "functional": (Functional, (3, 6, 8)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_front_is_the_networks_linear_beginning(name):
    make, shape = NETWORKS[name]
    network = trace(seeded(make()), SHAPE, torch.float64)
    front = front_of(network)
    x, other = samples(), samples().flip(0) * 2
    assert front.shape == shape
    z = front(x)
    torch.testing.assert_close(front.tail(z), network(x), rtol=1e-12, atol=1e-12)
    # Affine: a mixture of inputs gives the same mixture of z.
    mixed = front(0.3 * x + 0.7 * other)
    torch.testing.assert_close(mixed, 0.3 * z + 0.7 * front(other), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(front.linear(x) + front.bias, z, rtol=1e-12, atol=1e-12)
    assert not front.linear(torch.zeros_like(x)).any()
    assert front.narrow
    flat = front.matrix() @ x.flatten(1).T
    torch.testing.assert_close(flat.T, front.linear(x).flatten(1), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_go_through_the_cut(name):
    network = trace(seeded(NETWORKS[name][0]()), SHAPE, torch.float64)
    front = front_of(network)
    x = samples()
    start = torch.randn(network(x).shape, generator=torch.Generator().manual_seed(1)).double()
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(network.module(leaf), leaf, start)
    gradient, outputs = front.tail_gradient(front(x), start)
    torch.testing.assert_close(front.pull(gradient), expected, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(outputs, network(x), rtol=1e-12, atol=1e-12)
    assert not outputs.requires_grad


def test_a_dense_first_layer_is_taken_as_it_is():
    network = trace(seeded(NETWORKS["dense"][0]()), SHAPE, torch.float64)
    front = front_of(network)
    assert front.matrix() is front.weight
    assert torch.equal(front.matrix(), network.module[1].weight)
    assert front_of(network) is front


@pytest.mark.parametrize(
    "module",
    [
        InputTwice(),
        nn.Sequential(nn.Flatten(), nn.Tanh(), nn.Linear(96, 2)),
        nn.Sequential(nn.ReLU(), nn.Flatten()),
    ],
    ids=["the input goes past it", "an activation first", "no weights"],
)
def test_networks_without_a_linear_beginning(module):
    assert front_of(trace(seeded(module), SHAPE, torch.float64)) is None


def test_a_cut_softmax_stays_cut():
    module = seeded(
        nn.Sequential(nn.Flatten(), nn.Linear(96, 4), nn.ReLU(), nn.Linear(4, 2), nn.Softmax(1))
    )
    network = trace(module, SHAPE, torch.float64)
    front = front_of(network)
    x = samples()
    torch.testing.assert_close(front.tail(front(x)), module[:-1](x), rtol=1e-12, atol=1e-12)


def test_products_of_inputs_are_not_linear():
    class Squared(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(96, 2)

        def forward(self, x):
            z = self.dense(x.flatten(1))
            return z * z

    front = front_of(trace(seeded(Squared()), SHAPE, torch.float64))
    assert front.shape == (2,)
    assert not torch.allclose(front.tail(front(samples())), front(samples()))
