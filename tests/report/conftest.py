"""A made-up run whose numbers are known, and names that are no good manners in HTML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from climxai.report.material import (
    Audit,
    Clusters,
    Composite,
    Extra,
    Material,
    Moment,
    Moments,
    Picture,
    Record,
)
from tests.report.browser import Tab, browser

RUDE = "<script>document.title = 'owned'</script>"
RUDER = '"><img src=x onerror="document.title=1">'
CLASSES = ("la_nina", RUDE)


@pytest.fixture(scope="session")
def tab() -> Iterator[Tab]:
    """A page of a headless browser, or a skip."""
    with browser() as found:
        yield found


def part_of_scores(confusion: list[list[int]], entropy: float = 0.3) -> dict[str, Any]:
    """Return the scores of one part with this confusion matrix."""
    whole = np.array(confusion, dtype=float)
    recall = whole.diagonal() / whole.sum(axis=1)
    return {
        "n": int(whole.sum()),
        "accuracy": float(whole.trace() / whole.sum()),
        "balanced_accuracy": float(recall.mean()),
        "cross_entropy": entropy,
        "recall": dict(zip(CLASSES, recall.tolist(), strict=True)),
        "confusion": confusion,
    }


def scores(test: list[list[list[int]]], linear: list[list[int]]) -> dict[str, Any]:
    """Return the scores of one network per test matrix, beside a linear baseline."""
    even = [[40, 0], [0, 40]]
    return {
        "seeds": [
            {"seed": at, "train": part_of_scores(even), "test": part_of_scores(each)}
            for at, each in enumerate(test)
        ],
        "baselines": {"linear": {"train": part_of_scores(even), "test": part_of_scores(linear)}},
    }


def composite_dataset(method: str = "lrp") -> xr.Dataset:
    """Return a composite of two classes, two channels and two seeds on a 4 x 6 grid.

    Its largest relevance lies at 30 south, 120 west; the seeds agree but for a small noise.
    """
    random = np.random.default_rng(5)
    lat, lon = np.array([-60.0, -30.0, 0.0, 30.0]), np.arange(0.0, 360, 60)
    field = random.normal(0, 1, (2, 2, 4, 6))
    relevance = np.abs(field) / 10
    relevance[..., 1, 4] = 0.9
    field[..., 1, 4] = 2.5
    by_seed = np.stack([relevance, relevance + random.normal(0, 0.005, relevance.shape)])
    over = ("class", "channel", "lat", "lon")
    return xr.Dataset(
        {
            "relevance": (over, relevance),
            "relevance_by_seed": (("seed", *over), by_seed),
            "field": (over, field),
            "count": ("class", [20, 30]),
            "count_by_seed": (("seed", "class"), [[10, 15], [10, 15]]),
            "zero_fraction": (("seed", "class"), [[0.0, 0.0], [0.0, 0.0]]),
            "conservation": (("seed", "class"), [[1.0, 1.0], [1.0, 0.99]]),
        },
        coords={
            "class": list(CLASSES),
            "channel": ["sst", "slp"],
            "units": ("channel", ["degC", "hPa"]),
            "lat": lat,
            "lon": lon,
            "seed": [0, 1],
        },
        attrs={
            "method": method,
            "signed": 0,
            "method_settings": f'{{"name": "{method}"}}',
        },
    )


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Everything a page can show, from a run without anything to warn of."""

    def picture(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        random = np.random.default_rng(len(name))
        Image.fromarray(random.integers(0, 255, (60, 90, 3), dtype=np.uint8)).save(path)
        return path

    composites = []
    for at, method in enumerate(("lrp", "saliency", RUDER)):
        pictures = {
            (name, channel): picture(f"maps/{at}_{number}_{channel}.png")
            for number, name in enumerate(CLASSES)
            for channel in ("sst", "slp")
            if (at, number) != (1, 1)
        }
        file = tmp_path / "composites" / f"{at}.nc"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"netCDF")
        composites.append(Composite(method, file, composite_dataset(method), pictures))
    for name in ("config.yaml", "scores.json", "provenance.json", "odd: name #1 <b>.txt"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    moments = tuple(
        Moment(
            f"199{at}-01",
            f"true {RUDE}",
            f"Map of 199{at}-01.",
            np.full((40, 60, 3), 20 * at, dtype=np.uint8),
        )
        for at in range(5)
    )
    clusters = [
        {
            "cluster": number,
            "count": 10 * number,
            "silhouette": 0.4,
            "classes": {"la_nina": 10 * number},
            "right": 1.0,
            "follows_field": 0.8,
            "nearest": ["1990-01", "1991-01"],
        }
        for number in (1, 2)
    ]
    account = {
        "id": "lrp_la_nina",
        "method": "lrp",
        "within": "class la_nina",
        "samples": 30,
        "without_relevance": 0,
        "in_no_cluster": 0,
        "chosen": {"clusters": 2, "given": False, "votes": {"eigengap": 2, "silhouette": None}},
        "clusters": clusters,
        "stability": [{"change": "3 neighbours", "clusters": 2, "agreement": 0.9, "lowest": None}],
        "verdict": "stable: every change keeps them (adjusted Rand index at least 0.90)",
        "suspects": [],
        "settings": {"algorithm": {"name": "spectral"}},
    }
    shares = {"n": 50, "conservation": 0.98, "bias": 0.02, "stabiliser": 0.0, "other": 0.0,
              "land": 0.0, "zero_maps": 0.0}  # fmt: skip
    return Material(
        root=tmp_path,
        name=RUDE,
        version="0.0",
        made="2026-01-01T00:00:00Z",
        config={
            "label": {"name": "box_index", "classes": [{"class": RUDE, "above": 0.5}]},
            "preprocess": [{"name": "anomaly", "by": "month"}],
            "split": {"name": "fraction", "train": 0.6},
            "network": {"name": "mlp", "hidden": [8, 8]},
            "train": {"seeds": [0, 1], "epochs": 3},
            "explain": {
                "objective": {"name": "predicted_class"},
                "samples": "all",
                "methods": [{"id": RUDER, "name": "lrp", "rule": {"name": "epsilon"}}],
            },
        },
        config_text=f"data: {RUDE}\n</script>\n",
        same_config=True,
        command="climxai report config.yaml",
        readable={"la_nina": "La Niña"},
        provenance={
            "train": {
                "command": f"climxai train {RUDE}",
                "started": "2026-01-01T00:00:00Z",
                "finished": "2026-01-01T00:01:00Z",
                "inputs": {f"/data/{RUDE}.nc": "abc"},
                "versions": {"climxai": "0.0"},
                "networks": {"0": "def"},
                "samples": "one",
                "warnings": [],
            },
            "explain": {"samples": "one"},
        },
        scores=scores([[[20, 0], [0, 20]], [[20, 0], [1, 19]]], linear=[[15, 5], [5, 15]]),
        signature={
            "channels": ("sst", "slp"),
            "units": ("degC", "hPa"),
            "grid": "4 x 6 cells",
            "valid": np.ones((2, 4, 6), dtype=bool),
        },
        parameters=1234,
        record=Record("1990-01", "1999-12", 118, "standard", ("1994-02 and 1994-05",)),
        explained={"train": {"la_nina": 40, RUDE: 40}, "none": {"la_nina": 2, RUDE: 1}},
        leaks={"lrp": 0.0},
        composites=tuple(composites),
        moments=Moments("lrp (epsilon)", 80, moments),
        clusters=(
            Clusters(
                account,
                (Picture(picture("strategies/n.png"), "Why so many.", "Why so many."),),
                {1: picture("strategies/1.png"), 2: picture("strategies/2.png")},
            ),
        ),
        audits=(
            Audit(
                "lrp",
                ({"seed": 0, **shares}, {"seed": 1, **shares}),
                ("widen the first layer",),
                (Picture(picture("audit/lrp.png"), "The audit.", "The audit."),),
            ),
        ),
        extras=(
            Extra(
                "Novelty",
                RUDE,
                tuple(Picture(picture(f"novelty/{at}.png"), "Seen.", str(at)) for at in range(3)),
                (("Ranks", ("rank", "date"), ((1, "1990"), (2, RUDER))),),
                (tmp_path / "config.yaml",),
            ),
        ),
        loss_curves=picture("loss.png"),
    )
