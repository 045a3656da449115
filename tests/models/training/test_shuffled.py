"""Shuffled labels: as many of each, blocks that stay together, another order per network."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.models.training.shuffled import shuffled_labels


@pytest.mark.parametrize("block", [1, 7, 50, 1000])
def test_every_label_is_kept(block: int) -> None:
    labels = np.arange(200)
    found = shuffled_labels(labels, 0, block, "train")
    assert sorted(found.tolist()) == labels.tolist()
    cuts = np.count_nonzero(np.diff(found) != 1)
    # At most one cut per block and one more for where the cutting begins.
    assert cuts <= 200 // block + 1
    if block < 100:
        assert found.tolist() != labels.tolist()


def test_nothing_of_the_order_is_left() -> None:
    labels = np.repeat([0, 1], 500)
    share = [(shuffled_labels(labels, number, 1, "train") == labels).mean() for number in range(20)]
    # 1000 even odds have a standard deviation of 0.016.
    assert np.mean(share) == pytest.approx(0.5, abs=0.015)
    assert np.std(share) > 0.004


def test_networks_and_parts_get_orders_of_their_own() -> None:
    labels = np.arange(50)
    one, again, other, part = (
        shuffled_labels(labels, number, 1, purpose).tolist()
        for number, purpose in ((0, "train"), (0, "train"), (1, "train"), (0, "validation"))
    )
    assert one == again
    assert one != other
    assert one != part


def test_no_labels_at_all() -> None:
    assert shuffled_labels(np.zeros(0, dtype=np.int64), 0, 3, "train").tolist() == []
