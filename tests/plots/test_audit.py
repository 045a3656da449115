"""Pictures of an audit: what their lines and bars show, compared with sums done here."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.testing.compare import compare_images

from climxai.core.errors import DataError
from climxai.plots.audit import draw_books, draw_conservation, relevance_left
from climxai.plots.style import save_figure

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0  # as in test_maps.py
RULES = ('{"name":"zero"}', '{"name":"epsilon"}', '{"name":"w_square"}')


def books(seed: int = 0, bias: float = 0.2, stabiliser: float = 0.1) -> xr.Dataset:
    """An audit of three layers, two seeds and 40 samples, whose sums balance."""
    random = np.random.default_rng(seed)
    output = random.uniform(1, 3, (2, 40))
    output[1, 3] = np.nan  # not explained by the second network
    taken = {
        "bias": bias * random.uniform(0, 1, (2, 3, 40)) * output[:, None],
        "stabiliser": stabiliser * random.uniform(0, 1, (2, 3, 40)) * output[:, None],
        "other": np.zeros((2, 3, 40)) * output[:, None],
    }
    passed = output[:, None] - np.cumsum(sum(taken.values()), axis=1)
    deep = {**taken, "passed": passed, "positive": passed * 1.5, "negative": passed * -0.5}
    return xr.Dataset(
        {name: (("seed", "layer", "sample"), values) for name, values in deep.items()}
        | dict.fromkeys(("output", "start"), (("seed", "sample"), output)),
        coords={
            "seed": [0, 1],
            "layer": ["5", "3", "1"],
            "kind": ("layer", ["dense", "pooling", "convolution"]),
            "rule": ("layer", list(RULES)),
        },
    )


def test_what_is_left_is_what_the_layers_passed_on() -> None:
    dataset = books()
    left = relevance_left(dataset)
    assert left.dims == ("seed", "step", "sample")
    np.testing.assert_allclose(left[:, 1:], dataset["passed"] / dataset["output"], rtol=1e-12)
    assert (left[:, 0].values[np.isfinite(dataset["output"].values)] == 1).all()
    assert np.isnan(left.values[1, :, 3]).all()


def test_lines_are_medians_over_samples_and_seeds() -> None:
    dataset = books()
    figure = draw_conservation({"a rule": dataset, "another": books(1, 0.4)})
    axes = figure.axes[0]
    drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    share = (dataset["passed"] / dataset["output"]).values
    expected = np.nanmedian(share.transpose(1, 0, 2).reshape(3, -1), axis=1)
    np.testing.assert_allclose(drawn["a rule"], [1, *expected], rtol=1e-9)
    names = [label.get_text() for label in axes.get_xticklabels()]
    # The names by which rule maps and the file know the layers.
    assert names == ["output", "5\ndense", "3\npooling", "1\nconv."]


def test_bars_are_shares_of_what_each_layer_took() -> None:
    dataset = books()
    taken = draw_books(dataset, "A rule").axes[1]
    heights = [bar.get_height() for bar in taken.patches[:3]]
    share = (dataset["bias"] / dataset["output"]).values.transpose(1, 0, 2).reshape(3, -1)
    np.testing.assert_allclose(heights, np.nanmedian(share, axis=1), rtol=1e-9)
    assert [label.get_text() for label in taken.get_xticklabels()][1] == "3\npooling\nepsilon"


LONG = ("0.layers.1", "0.link", "encoder.blocks.3.convolutions.12.project")


@pytest.mark.parametrize("many", [1, 3])
def test_names_of_layers_do_not_run_into_each_other(many: int) -> None:
    once = books()
    dataset = once.isel(layer=list(range(3)) * many).assign_coords(
        layer=list(LONG) * many, rule=("layer", ['{"name":"w_square"}', "", RULES[1]] * many)
    )
    for figure in (draw_books(dataset, "A rule"), draw_conservation({"a rule": dataset})):
        figure.canvas.draw()
        for axes in figure.axes:
            labels = axes.get_xticklabels()
            assert any("0.link" in label.get_text() for label in labels)
            upright = labels[0].get_rotation() > 0
            boxes = [label.get_window_extent() for label in labels]
            assert all(figure.bbox.y0 <= box.y0 for box in boxes)
            if upright:
                # Slanted lines of text are apart when their ends are.
                ends = [box.x1 for box in boxes]
                height = 1.2 * figure.dpi * labels[0].get_size() / 72
                assert min(np.diff(ends)) * np.sin(np.radians(60)) > height
            else:
                assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_no_explained_sample_draws_an_empty_picture() -> None:
    nothing = books() * np.nan
    nothing = nothing.assign_coords(books().coords)
    draw_books(nothing, "nothing")
    draw_conservation({"nothing": nothing})
    with pytest.raises(DataError, match="no audit"):
        draw_conservation({})


@pytest.mark.parametrize("name", ["audit_conservation", "audit_books"])
def test_pictures_look_like_the_stored_ones(name: str, tmp_path: Path) -> None:
    figure = (
        draw_books(books(), "Where relevance went: a rule", dpi=60)
        if name == "audit_books"
        else draw_conservation({"a_rule": books(), "another": books(1, 0.4)}, dpi=60)
    )
    save_figure(figure, [tmp_path / f"{name}.png"])
    stored = REFERENCE / f"{name}.png"
    assert compare_images(str(stored), str(tmp_path / f"{name}.png"), TOLERANCE) is None
