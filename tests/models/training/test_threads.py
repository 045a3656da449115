"""Threads: small dense networks take one, give the same bits under any number, and put it back."""

from __future__ import annotations

import pytest
import torch

from climxai.models.architectures import Architecture, Cnn, Mlp
from climxai.models.network import build_network
from climxai.models.training import Training, threads
from climxai.models.training.fit import Examples, fit

SHAPE = (2, 3, 4)


def _threads_seen(architecture: Architecture, examples: Examples) -> tuple[list[int], bytes]:
    network = build_network(architecture, SHAPE, 3, 0)
    seen: list[int] = []
    settings = Training(epochs=2)
    fit(network, examples, None, settings, 0, lambda row: seen.append(torch.get_num_threads()))
    return seen, b"".join(p.detach().numpy().tobytes() for p in network.parameters())


def test_small_dense_network_takes_one_thread(examples: Examples) -> None:
    torch.set_num_threads(2)
    seen, bits = _threads_seen(Mlp(), examples)
    assert seen == [1, 1]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    assert _threads_seen(Mlp(), examples)[1] == bits


def test_larger_networks_keep_their_threads(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(2)
    assert _threads_seen(Cnn(channels=(2,)), examples)[0] == [2, 2]
    monkeypatch.setattr(threads, "SHARED_FROM", 100)
    assert _threads_seen(Mlp(), examples)[0] == [2, 2]


def test_the_limit_counts_multiplications() -> None:
    # 16,020 cells, 8 and 8 units, 2 classes: 128,240 weights; times 60 samples 7.7 million.
    network = build_network(Mlp(), (1, 89, 180), 2, 0)
    assert threads.is_small(network, 60)
    assert threads.is_small(network, 10**8 // 128240)
    assert not threads.is_small(network, 10**8 // 128240 + 1)


def test_threads_are_put_back_after_an_error() -> None:
    torch.set_num_threads(2)
    with pytest.raises(KeyboardInterrupt), threads.one_thread(True):
        raise KeyboardInterrupt
    assert torch.get_num_threads() == 2
