"""The picture of losses: what is drawn is what is in the dataset."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climxai.core.errors import DataError
from climxai.plots.optimal_input import MOST, draw_loss


def curves(targets: int = 2, seeds: int = 3, steps: int = 5) -> xr.Dataset:
    step = np.arange(steps + 1)
    loss = np.array([[10.0 ** -(step * (s + 1)) for s in range(seeds)] for _ in range(targets)])
    moves = np.full((targets, seeds), steps)
    moves[:, -1] = 2
    return xr.Dataset(
        {
            "loss": (("target", "seed", "step"), loss),
            "penalty": (("target", "seed", "step"), np.full_like(loss, 0.25)),
            "moves": (("target", "seed"), moves),
        },
        coords={
            "target": [f"t{number}" for number in range(targets)],
            "seed": np.arange(seeds),
            "step": step,
        },
    )


def shown(figure: object) -> list:
    return [axes for axes in figure.axes if axes.get_visible()]


def test_a_line_per_seed_holds_loss_and_penalty() -> None:
    data = curves()
    panels = shown(draw_loss(data))
    assert [axes.get_title(loc="left") for axes in panels] == ["t0", "t1"]
    for axes, target in zip(panels, data["target"].values, strict=True):
        lines = axes.get_lines()
        assert len(lines) == 3
        for line, seed in zip(lines, data["seed"].values, strict=True):
            expected = (data["loss"] + 0.25).sel(target=target, seed=seed)
            made = int(data["moves"].sel(target=target, seed=seed))
            np.testing.assert_allclose(line.get_ydata(), expected[: made + 1])
        assert axes.get_xlim()[1] >= 5


def test_a_curve_ends_in_a_dot_where_its_gradient_vanished() -> None:
    data = curves()
    data["moves"][1, 1] = 0
    figure = draw_loss(data)
    one, other = shown(figure)
    assert [line.get_marker() for line in one.get_lines()] == ["None", "None", "o"]
    assert [len(line.get_xdata()) for line in one.get_lines()] == [6, 6, 3]
    assert one.get_lines()[2].get_markevery() == [2]
    assert [list(line.get_xdata()) for line in other.get_lines()][1:] == [[0], [0, 1, 2]]
    assert any("a dot: the gradient vanished there" in text.get_text() for text in figure.texts)


def test_the_axis_is_logarithmic_only_where_the_loss_spans_decades() -> None:
    assert shown(draw_loss(curves()))[0].get_yscale() == "linear"
    falling = curves().assign(penalty=curves()["penalty"] * 0)
    assert shown(draw_loss(falling))[0].get_yscale() == "log"
    scores = falling.assign(loss=-falling["loss"])
    assert shown(draw_loss(scores))[0].get_yscale() == "linear"


def test_many_targets_are_cut_and_said() -> None:
    figure = draw_loss(curves(targets=MOST + 2, seeds=1))
    assert len(shown(figure)) == MOST
    assert any(f"first {MOST} of {MOST + 2} targets" in text.get_text() for text in figure.texts)


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(DataError, match="no optimised input"):
        draw_loss(curves().isel(target=[]))
