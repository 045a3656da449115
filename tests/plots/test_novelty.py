"""Novelty against time: samples of the baseline apart, the most novel named without overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from climxai.core.errors import DataError
from climxai.plots.novelty import draw_series

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


def test_all_known_samples_are_drawn_at_zero() -> None:
    figure = draw_series(
        YEARS, np.zeros(24), BASELINE, {0: "2000-01"}, subtitle="inputs", joined=True
    )
    assert figure.axes[0].get_ylim() == (0, 1)


def test_nothing_to_draw_is_refused() -> None:
    none = np.empty(0)
    with pytest.raises(DataError, match="no sample"):
        draw_series(none, none, none.astype(bool), {}, subtitle="", joined=True)
