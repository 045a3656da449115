"""`climxai strategies` end to end: a planted artefact, what is written, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.stages.conftest import Command

SAMPLES = 240
PATCH = (slice(8, 10), slice(0, 2))
"""Two by two cells at the northern edge, beside Greenwich."""

CONFIG = """\
data: {{files: {file}, variables: t}}
label:
  name: box_index
  region: [-20, 20, 130, 230]
  classes:
    cold: {{below: -0.2}}
    warm: {{above: 0.2}}
split: {{name: fraction, train: 0.7, test: 0.3}}
network: {{name: mlp, hidden: [8]}}
train: {{seeds: [0, 1, 2], epochs: 60, l2: [0.02], optimizer: {{name: adam, learning_rate: 0.01}}}}
explain:
  methods: [{{name: lrp, rule: alpha1beta0}}, {{id: eps, name: lrp, rule: epsilon}}]
strategies:
  methods: [lrp]
  within: warm
  suggest: {{most: 4, resamples: 4}}
  suspect: {{border: 2, outside: [-40, 40, 100, 260]}}
maps: {{formats: [png], dpi: 50}}
compute: {{rows_per_shard: 90}}
output: out
"""


def planted(path: Path) -> np.ndarray:
    """Write maps whose centre is warm or cold; half of the warm ones carry a mark in a corner.

    Returns
    -------
    marked
        bool [time]
    """
    rng = np.random.default_rng(3)
    lat, lon = np.arange(-72.0, 73, 16), np.arange(0.0, 360, 24)
    sign = np.where(rng.random(SAMPLES) < 0.5, -1.0, 1.0)
    centre = np.exp(-((lat[:, None] / 25) ** 2) - (((lon[None, :] - 180) / 40) ** 2))
    size = rng.uniform(0.6, 1.4, SAMPLES)
    maps = (sign * size)[:, None, None] * centre + rng.normal(0, 0.4, (SAMPLES, 10, 15))
    marked = (sign > 0) & (rng.random(SAMPLES) < 0.5)
    maps[(marked, *PATCH)] = 3.0
    maps[:, 4, 3] = np.nan  # an island
    xr.Dataset(
        {"t": (("time", "lat", "lon"), maps.astype(np.float32), {"units": "degC"})},
        {
            "time": xr.date_range("1990-01-16", periods=SAMPLES, freq="MS"),
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
    ).to_netcdf(path)
    return marked


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A trained and explained experiment on planted maps, and which samples are marked."""
    from climxai.config.experiment import load_experiment
    from climxai.stages.explain import explain
    from climxai.stages.train import train

    folder = tmp_path_factory.mktemp("planted")
    marked = planted(folder / "t.nc")
    path = folder / "planted.yaml"
    path.write_text(CONFIG.format(file=folder / "t.nc"), encoding="utf-8")
    experiment = load_experiment(path)
    train(experiment)
    explain(experiment)
    return path, marked


def purity(cluster: xr.Dataset, marked: np.ndarray) -> dict[int, float]:
    """Return cluster -> fraction of its samples that are marked."""
    numbers, of_sample = cluster["cluster"].values, marked[cluster["row"].values]
    return {int(k): float(of_sample[numbers == k].mean()) for k in np.unique(numbers) if k}


def test_a_planted_artefact_is_a_cluster_and_is_named(
    climxai: Command, world: tuple[Path, np.ndarray]
) -> None:
    path, marked = world
    done = climxai("strategies", path)
    assert done.code == 0, done.err
    out = path.parent / "out"
    found = purity(xr.load_dataset(out / "relevance" / "clusters" / "lrp_warm.nc"), marked)
    (pure,) = (number for number, share in found.items() if share >= 0.95)
    assert sum(share for number, share in found.items() if number != pure) < 0.05
    told = json.loads((out / "strategies" / "lrp_warm.json").read_text())
    kinds = {(each["cluster"], each["kind"]) for each in told["suspects"]}
    assert kinds >= {(pure, "place"), (pure, "still")}
    assert {cluster for cluster, _ in kinds} == {pure}
    lines = [line for line in done.out.splitlines() if line.startswith("suspect")]
    assert all(f"cluster {pure}:" in line for line in lines)
    assert "within 2 cells of the edge" in done.out
    # The mark lies on rows 8 and 9 and columns 0 and 1: 56N and 72N, 0E and 24E.
    assert "64°N 12°E" in done.out


def test_a_mark_is_found_though_no_place_is_named(
    climxai: Command, world: tuple[Path, np.ndarray]
) -> None:
    path, marked = world
    done = climxai(
        "strategies", path, "--set", "strategies.suspect={}", "--set", "strategies.within=all"
    )
    assert done.code == 0, done.err
    out = path.parent / "out"
    told = json.loads((out / "strategies" / "lrp.json").read_text())
    found = purity(xr.load_dataset(out / "relevance" / "clusters" / "lrp.nc"), marked)
    assert {each["cluster"] for each in told["suspects"]} == {
        number for number, share in found.items() if share > 0.9
    }


def test_what_is_written(climxai: Command, world: tuple[Path, np.ndarray]) -> None:
    path, _ = world
    out = path.parent / "out"
    assert climxai("strategies", path, "--set", "strategies.methods=[lrp, eps]").code == 0
    made = xr.load_dataset(out / "strategies" / "lrp_warm.nc")
    count = made.sizes["sample"]
    assert made["sample_cluster"].dims == ("sample",)
    assert made["pca"].shape == made["tsne"].shape == (count, 2)
    assert made["relevance"].dims == ("cluster", "channel", "lat", "lon")
    assert made["cluster"].values.tolist() == [1, 2]
    assert made["count"].values.sum() == count
    assert made["maps"].values.tolist() == (3 * made["count"].values).tolist()
    assert made["field"].attrs["units"] == "degC"
    assert "strategies" in made.attrs["configuration"]
    # The oracle: shards read whole, averaged by numpy over the samples of each cluster.
    shards = [
        xr.concat(
            [xr.load_dataset(p) for p in sorted((out / "relevance/lrp" / f"seed-{s}").glob("*"))],
            "sample",
        )
        for s in (0, 1, 2)
    ]
    with xr.open_dataset(path.parent / "t.nc") as file:
        field = file["t"].values
    for number in (1, 2):
        rows = made["row"].values[made["sample_cluster"].values == number]
        maps = np.concatenate(
            [one["relevance"].values[np.isin(one["row"].values, rows)] for one in shards]
        )
        maps = maps / np.nanmax(np.abs(maps), axis=(1, 2, 3), keepdims=True)
        np.testing.assert_allclose(
            made["relevance"].sel(cluster=number), maps.mean(axis=0), atol=1e-6
        )
        np.testing.assert_allclose(
            made["field"].sel(cluster=number)[0], field[rows].mean(axis=0), atol=1e-5
        )
    with (out / "strategies" / "lrp_warm.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    place = dict(zip(made["row"].values.tolist(), made["sample_cluster"].values, strict=True))
    assert all(int(row["cluster"]) == place[int(row["row"])] for row in rows)
    assert [row["nearest"] for row in rows].count("1") == 2
    date = str(made["time"].values[made["row"].values == int(rows[0]["row"])][0])[:7]
    assert rows[0]["date"] == date
    for name in ("number", "embedding", "cluster-1", "cluster-2"):
        assert (out / "strategies" / f"eps_warm_{name}.png").stat().st_size > 1000


def test_the_same_seed_gives_the_same_files(
    climxai: Command, world: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    path, _ = world
    folder = path.parent / "out"
    names = ("strategies/lrp_warm.nc", "strategies/lrp_warm.json", "strategies/lrp_warm.csv")
    first, again = (
        (climxai("strategies", path).code, *((folder / name).read_bytes() for name in names))
        for _ in range(2)
    )
    assert first[0] == 0
    assert first == again


def test_clusters_of_another_run_are_compared(
    climxai: Command, world: tuple[Path, np.ndarray]
) -> None:
    path, _ = world
    assert climxai("strategies", path).code == 0
    done = climxai("strategies", path, "--compare", path.parent / "out")
    told = json.loads((path.parent / "out" / "strategies" / "lrp_warm.json").read_text())
    (row,) = (each for each in told["stability"] if each["kind"] == "run")
    assert row["agreement"] == 1
    assert "adj. Rand" in done.out
    done = climxai("strategies", path, "--compare", path.parent / "nowhere")
    assert done.code == 5
    assert "run `climxai strategies`" in done.err


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        (["algorithm={clusters: 500}"], 3, "500 clusters of"),
        (["algorithm={neighbours: 500}"], 3, "500 nearest neighbours of each of"),
        (["algorithm={name: hdbscan, smallest: 400}"], 3, "there are only"),
        (["pca=99999"], 3, "principal components of"),
        (["methods=[saliency]"], 2, "there is no method 'saliency'"),
        (["within=hot"], 2, "there is no class 'hot'"),
        (["seed=8"], 2, "the seed 8 is not among"),
        (["index={above: 100}"], 3, "none of"),
        (["index={above: 1, below: 0}"], 2, "no value lies above 1"),
        (["algorithm=kmans"], 2, "Did you mean 'kmeans'?"),
        (["coarsen={degrees: 0}"], 2, "greater than 0"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_refused(
    climxai: Command, world: tuple[Path, np.ndarray], settings: list[str], code: int, said: str
) -> None:
    arguments = [part for each in settings for part in ("--set", f"strategies.{each}")]
    done = climxai("strategies", world[0], *arguments)
    assert done.code == code, done.err
    assert said in done.err
    assert "Traceback" not in done.err


def test_without_relevance_it_says_what_to_do(climxai: Command, experiment: Path) -> None:
    done = climxai("strategies", experiment)
    assert done.code == 5
    assert "climxai explain" in done.err


def test_shards_that_are_missing_or_damaged_are_named(
    climxai: Command, world: tuple[Path, np.ndarray]
) -> None:
    path, _ = world
    shard = path.parent / "out/relevance/lrp/seed-1/shard-00001.nc"
    whole = shard.read_bytes()
    try:
        shard.write_bytes(whole[:2000])
        done = climxai("strategies", path)
        assert done.code == 5
        assert str(shard) in done.err
        shard.unlink()
        done = climxai("strategies", path)
        assert done.code == 5
        assert f"{shard} is missing" in done.err
    finally:
        shard.write_bytes(whole)


@pytest.mark.parametrize(
    "settings",
    [
        "{algorithm: {name: gaussian_mixture}, pca: 5}",
        "{algorithm: agglomerative, coarsen: 2, metric: cosine}",
        "{algorithm: hdbscan, coarsen: {degrees: 40}, pca: 0.9}",
        "{features: both, algorithm: {name: kmeans, clusters: 3}, by: prediction, seed: 1}",
        "{features: fields, within: all, index: {above: 0.5}, normalise_fields: l2}",
        "{within: each, vary: [2]}",
    ],
)
def test_other_ways(climxai: Command, world: tuple[Path, np.ndarray], settings: str) -> None:
    quick = ("--set", "strategies.suggest={most: 3, resamples: 2}")
    done = climxai("strategies", world[0], "--set", f"strategies={settings}", *quick)
    assert done.code == 0, done.err
    assert "the clusters are" in done.out or "stability unknown" in done.out
