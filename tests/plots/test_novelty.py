"""Novelty against time: samples of the baseline apart, the most novel named without overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from climxai.core.errors import DataError
from climxai.plots.novelty import draw_series, spread

YEARS = 2000 + np.arange(24) / 12
NOVELTY = 0.5 + 0.02 * np.arange(24)
BASELINE = np.arange(24) < 10


def draw(named: dict[int, str], **more: Any) -> Any:
    options = {"subtitle": "inputs", "joined": True, **more}
    return draw_series(YEARS, NOVELTY, BASELINE, named, **options)


def test_every_sample_is_drawn_once_beside_its_line() -> None:
    line, others, known = draw({}).axes[0].get_lines()
    np.testing.assert_allclose(line.get_ydata(), NOVELTY)
    np.testing.assert_allclose(others.get_ydata(), NOVELTY[10:])
    np.testing.assert_allclose(known.get_ydata(), NOVELTY[:10])
    assert len(draw({}, joined=False).axes[0].get_lines()) == 2


def test_names_stand_clear_of_each_other() -> None:
    figure = draw({23: "2001-12", 22: "2001-11", 21: "2001-10", 20: "2001-09"})
    figure.canvas.draw()
    # The box of the letters alone: an annotation would count its leader line too.
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    assert len(boxes) == 4
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1


def cross(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two segments [end, (x, y)] have a point in common inside."""

    def side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    apart = side(*one, other[0]) * side(*one, other[1])
    return apart < 0 and side(*other, one[0]) * side(*other, one[1]) < 0


@pytest.mark.parametrize("count", [4, 9, 20])
def test_leader_lines_do_not_cross(count: int) -> None:
    # Neighbours in time whose novelty rises and falls, at the beginning, as late 2015 does.
    rise = 1 + np.abs(np.sin(np.arange(24.0) * 2.2))
    named = {int(at): f"{2000 + at // 12}-{at % 12 + 1:02d}" for at in np.argsort(-rise)[:count]}
    figure = draw_series(YEARS, rise, BASELINE, named, subtitle="inputs", joined=True)
    figure.canvas.draw()
    axes = figure.axes[0]
    leaders = [np.asarray(line) for line in axes.collections[-1].get_segments()]
    assert len(leaders) == len(axes.texts) == count
    for at, line in enumerate(leaders):
        for other in leaders[at + 1 :]:
            pairs = [(line[i : i + 2], other[j : j + 2]) for i in (0, 1) for j in (0, 1)]
            assert not any(cross(*pair) for pair in pairs)
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    for at, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[at + 1 :])
        assert axes.bbox.x0 - 1 <= box.x0
        assert box.x1 <= axes.bbox.x1 + 1
        assert box.y0 > axes.transData.transform((0, rise.max()))[1]
        assert box.y1 <= figure.bbox.y1


def test_names_without_room_are_left_out_from_the_last() -> None:
    years = 2000 + np.arange(400) / 12
    rise = np.linspace(2, 1, 400)
    named = {at: f"{at}" for at in range(300)}
    figure = draw_series(years, rise, rise > 3, named, subtitle="", joined=False)
    texts = [int(text.get_text()) for text in figure.axes[0].texts]
    assert 20 < len(texts) < 300
    assert texts == list(range(len(texts)))


def test_places_are_as_near_as_they_can_be() -> None:
    assert spread(np.array([]), 1.0, 0.0, 10.0).size == 0
    np.testing.assert_allclose(spread(np.array([5.0, 8.0]), 1.0, 0.0, 10.0), [5, 8])
    np.testing.assert_allclose(spread(np.array([5.0, 5.0, 9.9]), 1.0, 0.0, 10.0), [4.5, 5.5, 9.5])
    np.testing.assert_allclose(spread(np.array([0.0, 0.1, 2.0]), 1.0, 0.0, 10.0), [0.5, 1.5, 2.5])


def test_all_known_samples_are_drawn_at_zero() -> None:
    figure = draw_series(
        YEARS, np.zeros(24), BASELINE, {0: "2000-01"}, subtitle="inputs", joined=True
    )
    assert figure.axes[0].get_ylim() == (0, 1)


def test_nothing_to_draw_is_refused() -> None:
    none = np.empty(0)
    with pytest.raises(DataError, match="no sample"):
        draw_series(none, none, none.astype(bool), {}, subtitle="", joined=True)
