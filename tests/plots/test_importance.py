"""Bars of importance: their lengths, whiskers and order, compared with sums done here."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climxai.core.errors import DataError
from climxai.plots.importance import MOST, draw_importance, places_of


def made(groups: int = 4, seeds: int = 2) -> xr.Dataset:
    random = np.random.default_rng(0)
    values = random.normal(size=(seeds, 5, groups)) * 0.1 + np.arange(groups)
    return xr.Dataset(
        {
            "cross_entropy": (("seed", "repeat", "group"), values),
            "rank": (("seed", "group"), np.tile(np.arange(groups)[::-1] + 1, (seeds, 1))),
        },
        coords={"seed": range(seeds), "group": [f"box {number}" for number in range(groups)]},
        attrs={"passes": "multi", "direction": "backward"},
    )


def test_bars_are_means_and_lines_percentiles_the_largest_on_top() -> None:
    dataset = made()
    figure = draw_importance(dataset, "cross_entropy", title="Importance")
    axes = figure.axes[0]
    values = dataset["cross_entropy"].values
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, values.mean((0, 1))[::-1])
    assert [bar.get_y() for bar in axes.patches] == sorted(
        (bar.get_y() for bar in axes.patches), reverse=True
    )
    lines = axes.collections[0].get_segments()
    low, high = np.percentile(values.reshape(-1, 4), [5, 95], axis=0)
    np.testing.assert_allclose([line[0, 0] for line in lines], low[::-1])
    np.testing.assert_allclose([line[1, 0] for line in lines], high[::-1])
    dots = {line.get_label(): line.get_xdata() for line in axes.get_lines()}
    np.testing.assert_allclose(dots["seed 1"], values[1].mean(0)[::-1])
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "4 groups, several passes backward" in texts


def test_several_passes_order_by_rank_and_a_single_pass_by_mean() -> None:
    # A group may change more once others are gone; its rank is the order of the passes.
    dataset = made()
    dataset["rank"][:] = [[1, 2, 3, 4], [2, 1, 3, 4]]
    assert places_of(dataset, "cross_entropy").tolist() == [1, 0, 2, 3]
    dataset.attrs["passes"] = "single"
    assert places_of(dataset, "cross_entropy").tolist() == [3, 2, 1, 0]


def test_of_many_groups_the_largest_are_drawn() -> None:
    figure = draw_importance(made(60, 1), "cross_entropy", title="Importance")
    axes = figure.axes[0]
    assert len(axes.patches) == MOST
    assert axes.get_yticklabels()[0].get_text() == "box 59"
    assert f"the first {MOST} of 60 groups" in figure.texts[1].get_text()


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(DataError, match="no importance by accuracy"):
        draw_importance(made(), "accuracy", title="Importance")
