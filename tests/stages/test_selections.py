"""Several composites of one run: selections, statistics, files that are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.stages.conftest import Command

SEVERAL = """composite:
  - {normalise: max}
  - id: winter
    select: {seasons: [DJF], parts: [train, test]}
    where: "abs(index) > 0.3"
    statistics: [median, {name: quantiles, at: [0.1, 0.9]}, sign_agreement, frequency, count]
    differences: [warm, cold]
    anomaly: true
  - {id: months, by: month, seeds: before, normalise: rank, draw: false}
"""


@pytest.fixture
def explained(climxai: Command, experiment: Path) -> Path:
    text = experiment.read_text(encoding="utf-8")
    begin, end = text.index("  methods:"), text.index("composite:")
    text = f"{text[:begin]}  methods: [saliency]\n{text[end:]}"
    experiment.write_text(text.replace("composite: {normalise: max}\n", SEVERAL), encoding="utf-8")
    for stage in ("train", "explain"):
        assert climxai(stage, experiment).code == 0
    return experiment


def shards(experiment: Path) -> list[Path]:
    return sorted((experiment.parent / "out" / "relevance" / "saliency").rglob("shard-*.nc"))


def test_one_file_per_composite(climxai: Command, explained: Path) -> None:
    done = climxai("composite", explained)
    assert done.code == 0, done.err
    out = explained.parent / "out"
    assert sorted(path.name for path in (out / "composites").iterdir()) == [
        "saliency.nc",
        "saliency_months.nc",
        "saliency_winter.nc",
    ]
    maps = {path.name for path in (out / "maps").iterdir()}
    assert {"saliency_warm.png", "saliency_winter_cold.png"} <= maps
    assert not any("months" in name for name in maps)
    winter = xr.load_dataset(out / "composites" / "saliency_winter.nc")
    held = xr.concat(
        [xr.load_dataset(path) for path in shards(explained)], "sample", data_vars="minimal",
        coords="minimal", compat="override", join="override",
    )  # fmt: skip
    held = held.isel(
        sample=np.isin(held["time"].dt.month, [12, 1, 2])
        & (np.abs(held["index"]) > 0.3).values
        & (held["split"] != 1).values
        & (held["split"] != 3).values
    )
    relevance = held["relevance"] / np.abs(held["relevance"]).max(("channel", "lat", "lon"))
    for number, name in enumerate(("cold", "warm")):
        chosen = relevance.isel(sample=(held["label"] == number).values)
        mine = winter.sel({"class": name})
        assert int(mine["count"]) == chosen.sizes["sample"] > 0
        np.testing.assert_allclose(mine["relevance"], chosen.mean("sample"), atol=1e-6)
        np.testing.assert_allclose(mine["relevance_median"], chosen.median("sample"), atol=1e-6)
    months = xr.load_dataset(out / "composites" / "saliency_months.nc")
    assert months["class"].values.tolist()[0] == "January"
    # The resolved configuration makes the same again.
    assert climxai("composite", out / "config.yaml").code == 0


def test_what_is_known_of_samples(explained: Path) -> None:
    with xr.open_dataset(shards(explained)[0]) as shard:
        assert ((shard["confidence"] >= 0.5) & (shard["confidence"] <= 1)).all()
        assert np.isfinite(shard["index"]).all()
        # Of two classes cut at +-0.3: the label is told by the index.
        np.testing.assert_array_equal(shard["label"], (shard["index"] > 0).astype(int))
        assert shard["index"].attrs["units"]


def test_an_empty_selection(climxai: Command, explained: Path) -> None:
    done = climxai("composite", explained, "--set", "composite.1.where=index > 100")
    assert done.code == 5
    assert "composite winter: no map is left, the condition `where index > 100`" in done.err
    assert "seasons DJF: " in done.err
    done = climxai("composite", explained, "--set", "composite.1.where=nino3 > 1")
    assert done.code == 2
    assert "there is no variable 'nino3' on sample" in done.err


def test_missing_and_damaged_shards_can_be_left_out(climxai: Command, explained: Path) -> None:
    gone, damaged, *others = shards(explained)
    gone.unlink()
    damaged.write_bytes(damaged.read_bytes()[:3000])
    kept = {path: path.read_bytes() for path in others}
    done = climxai("composite", explained)
    assert done.code == 5
    assert str(gone) in done.err
    assert "--allow-missing" in done.err
    done = climxai("composite", explained, "--allow-missing")
    assert done.code == 0, done.err
    for bad in (gone, damaged):
        assert f"left out: {bad}" in done.err
    made = xr.load_dataset(explained.parent / "out" / "composites" / "saliency.nc")
    total = sum(xr.open_dataset(path).sizes["sample"] for path in others)
    assert int(made["count"].sum()) == total
    assert made.attrs["shards_left_out"] == 2
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_clusters_must_be_there(climxai: Command, explained: Path) -> None:
    done = climxai("composite", explained, "--set", "composite.1.by=cluster")
    assert done.code == 5
    assert "run `climxai strategies` first" in done.err
    out = explained.parent / "out"
    with xr.open_dataset(shards(explained)[0]) as shard:
        rows = shard["row"].values
    (out / "relevance" / "clusters").mkdir()
    xr.Dataset(
        {"row": ("sample", rows), "cluster": ("sample", 1 + np.arange(len(rows)) % 2)}
    ).to_netcdf(out / "relevance" / "clusters" / "saliency_warm.nc")
    done = climxai(
        "composite", explained, "--set", "composite={id: c, by: cluster, seeds: before}"
    )  # fmt: skip
    assert done.code == 0, done.err
    made = xr.load_dataset(out / "composites" / "saliency_c.nc")
    assert made["class"].values.tolist() == ["cluster_1", "cluster_2"]
    assert int(made["count"].sum()) == len(rows)
    assert (out / "maps" / "saliency_c_cluster_1.png").exists()
