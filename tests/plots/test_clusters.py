"""Pictures of clusters: compared with stored ones, and their marks with what was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.testing.compare import compare_images

from climxai.plots.clusters import CHOSEN, draw_number
from climxai.plots.curves import COLOURS
from climxai.plots.embedding import draw_embedding
from climxai.plots.style import save_figure

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


def number(**changes):
    """Draw what speaks for three clusters, of which two are used."""
    given = {
        "numbers": (2, 3, 4, 5),
        "chosen": 2,
        "given": True,
        "silhouette": np.array([0.3, 0.45, 0.2, -0.1]),
        "stability": np.array([0.9, 1.0, 0.6, 0.5]),
        "spread": np.array([0.1, 0.0, 0.2, 0.2]),
        "eigenvalues": np.array([0, 0.01, 0.05, 0.5, 0.6, 0.7]),
        "votes": {"eigengap": 3, "silhouette": 3, "stability": 3},
        "neighbours": 7,
        "title": "How many clusters: lrp, El Niño",
        "dpi": 60,
    }
    return draw_number(**(given | changes))


def embedding(samples: int = 60, clusters: int = 3):
    rng = np.random.default_rng(0)
    cluster = np.arange(samples) % (clusters + 1)
    pca = rng.normal(size=(samples, 2)) + 4 * np.stack([cluster, cluster % 2], axis=1)
    tsne = pca[:, ::-1].copy()
    tsne[:2] = np.nan
    return cluster, draw_embedding(
        {"Principal components": pca, "t-SNE": tsne},
        cluster=cluster,
        classes=[("El Niño", "La Niña")[n % 2] for n in range(samples)],
        year=np.linspace(1960, 2020, samples),
        variance=np.array([0.62, 0.21]),
        title="Samples in two dimensions: lrp, all classes",
        dpi=60,
    )


def test_pictures_look_like_the_stored_ones(tmp_path):
    for name, figure in (("clusters_number", number()), ("clusters_embedding", embedding()[1])):
        save_figure(figure, [tmp_path / f"{name}.png"])
        stored, made = REFERENCE / f"{name}.png", tmp_path / f"{name}.png"
        assert compare_images(str(stored), str(made), TOLERANCE) is None


def test_the_number_used_is_marked_and_the_votes_are_written():
    figure = number()
    eigen, silhouette, stability = figure.axes
    marks = [line.get_xydata().tolist() for line in silhouette.lines if line.get_color() == CHOSEN]
    assert marks == [[[2, 0.3]]]
    assert stability.get_ylim()[1] > 1
    assert [text.get_text() for text in eigen.texts] == ["used", "largest gap"]
    written = " ".join(text.get_text() for text in figure.texts)
    assert "2 clusters (given); best by each: eigengap 3, silhouette 3, stability 3" in written


def test_a_number_that_was_found_stands_alone():
    figure = number(
        numbers=(3,),
        chosen=3,
        given=False,
        silhouette=np.array([np.nan]),
        stability=np.array([0.8]),
        spread=np.array([0.1]),
        votes={},
    )
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "too few samples" in written
    assert "3 clusters (found)" in [text.get_text() for text in figure.texts]


def test_every_sample_is_drawn_once_per_panel():
    cluster, figure = embedding()
    for panel, missing in zip(figure.axes[:6], (0, 0, 0, 2, 2, 2), strict=True):
        drawn = sum(np.isfinite(dots.get_offsets()).all(axis=1).sum() for dots in panel.collections)
        assert drawn == len(cluster) - missing
    first = figure.axes[0].collections[0]
    assert len(first.get_offsets()) == (cluster == 1).sum()
    np.testing.assert_allclose(first.get_facecolor()[0], to_rgba(COLOURS[0]))


@pytest.mark.parametrize("clusters", [1, 9, 20])
def test_legends_stay_inside_the_figure(clusters):
    _, figure = embedding(clusters=clusters)
    figure.canvas.draw()
    width, height = figure.bbox.size
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
