"""The pages that are compared with stored pictures, each of known content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from climxai.plots.animation import Film, Moment, Series
from climxai.plots.hovmoller import Section, draw_sections
from climxai.plots.panels import Panel, Row, draw_panels
from climxai.plots.scores import draw_confusion, draw_reliability
from climxai.plots.settings import Maps
from climxai.plots.shares import Share, draw_shares
from climxai.plots.stippling import Marks
from climxai.plots.zonal import draw_means

SMALL = Maps(dpi=60)


def panels(world: Any, scale: str = "row") -> Any:
    relevance, field = world
    mask = xr.where(abs(relevance) > 0.3, 1, 0).where(np.isfinite(relevance), -1)
    signed = (
        Panel(relevance, "El Niño, n = 42", field, Marks(mask, "dots", "Dots: (3 of 9 cells)")),
        Panel(-0.4 * relevance, "La Niña, n = 7", -field),
    )
    unsigned = (Panel(abs(relevance), "El Niño, n = 42", field), None)
    rows = [Row(signed, True, "a method"), Row(unsigned, scale == "page", "another")]
    return draw_panels(rows, SMALL, title="Methods by classes", subtitle="n", scale=scale)


def means(world: Any) -> Any:
    relevance, field = world
    seeds = xr.concat([0.8 * relevance, 1.2 * relevance], "seed")
    return draw_means(
        relevance, field, SMALL, signed=True, title="El Niño", subtitle="n = 42",
        label="relevance (1)", seeds=seeds,
    )  # fmt: skip


def sections(along: str) -> Any:
    years = np.delete(1990 + np.arange(60) / 12, np.s_[20:30])
    places = np.arange(2.5, 360, 5) if along == "lon" else np.arange(-87.5, 90, 5)
    wave = np.exp(-(((places[None, :] - 40 - 30 * (years[:, None] - 1990)) / 25) ** 2))
    found = [
        Section(wave, "Relevance", "relevance (1)", False),
        Section(wave - 0.4, "SST anomaly", "°C", True),
    ]
    return draw_sections(
        found, years, places, SMALL, along=along, title="Through time",
        subtitle="n = 50", text="grey",
    )  # fmt: skip


def confusion() -> Any:
    matrices = {
        "train part": [np.array([[90, 10], [0, 50]]), np.array([[95, 5], [2, 48]])],
        "test part": [np.array([[8, 2], [0, 0]]), np.array([[9, 1], [0, 0]])],
    }
    return draw_confusion(matrices, ["La Niña", "El Niño"], title="Classes", subtitle="2", dpi=60)


def predictions() -> dict[int, tuple[Any, Any]]:
    numbers = np.random.default_rng(3)
    found = {}
    for seed in (0, 1):
        confidence = 0.5 + 0.5 * numbers.random(400)
        found[seed] = (confidence, numbers.random(400) < 0.3 + 0.6 * confidence)
    return found


def reliability() -> Any:
    return draw_reliability(predictions(), 2, title="Confidence", part="test", dpi=60)


def shares() -> Any:
    held = [
        Share(method, group, region, share, (share - 0.05, share + 0.04), cells)
        for method, plus in (("lrp", 0.0), ("saliency", 0.1))
        for region, cells, base in (("tropical_pacific", 0.15, 0.5), ("nino34", 0.02, 0.2))
        for group, share in (("La Niña", base + plus), ("El Niño", base + 0.1 + plus))
    ]
    return draw_shares(held, title="Where relevance lies", subtitle="shares", dpi=60)


def film(world: Any) -> Film:
    relevance, _ = world
    years = 1997 + np.arange(24) / 12
    series = Series(np.delete(years, [9, 10]), np.delete(np.sin(years * 3), [9, 10]), "nino34")
    return Film(
        abs(relevance), SMALL, signed=False, limit=1.0, title="a method", label="relevance (1)",
        series=series,
    )  # fmt: skip


def moment(world: Any, factor: float = 1.0, date: str = "1997-03") -> Moment:
    relevance, field = world
    year = int(date[:4]) + (int(date[5:]) - 1) / 12
    return Moment(factor * abs(relevance), factor * field, date, "true El Niño", year)


FIGURES: dict[str, Callable[[Any], Any]] = {
    "panels_rows": panels,
    "panels_page": lambda world: panels(world, "page"),
    "means": means,
    "sections_longitude": lambda _: sections("lon"),
    "sections_latitude": lambda _: sections("lat"),
    "confusion": lambda _: confusion(),
    "reliability": lambda _: reliability(),
    "shares": lambda _: shares(),
}
"""Name of the stored picture -> what draws it from the imagined world."""
