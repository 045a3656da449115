"""`climxai pictures`, `map` and `animate` on the tiny world, against the shards read plainly."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from climxai.cli.pictures import command as pictures_command
from climxai.config.experiment import load_experiment
from climxai.core.region import Region
from climxai.stages.explained import Explained, open_run
from climxai.stages.layout import Layout
from climxai.stages.pictures import KINDS
from climxai.stages.sections import sections_of
from tests.stages.conftest import CONFIG, Done

SETTINGS = """\
maps: {formats: [png], dpi: 50, regions: [tropical_pacific, {west: [-90, 90, 0, 180]}]}
train:
  seeds: [0, 1]
  epochs: 12
  batch_size: 16
  optimizer: {name: adam, learning_rate: 0.02}
explain: {methods: [{name: lrp, rule: alpha1beta0}, input_x_gradient]}
composite:
  - {normalise: max}
  - {id: season, normalise: max, by: [label, season]}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    """A configuration on the tiny world whose run is finished."""
    path = tmp_path_factory.mktemp("pictures") / "tiny.yaml"
    kept = CONFIG.format(file=tiny_file).split("\ntrain:")[0] + "\n"
    path.write_text(kept + SETTINGS + "compute: {rows_per_shard: 17}\noutput: out\n", "utf-8")
    code = "import sys; from climxai.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", code, "run", str(path), "-q"], check=True)
    return path


def explained_of(path: Path, method: str) -> Explained:
    experiment = load_experiment(path)
    run = open_run(experiment, Layout(Path(experiment.output.directory)))
    return run.open(run.method(method))


def plainly(path: Path, method: str) -> dict[int, list[xr.Dataset]]:
    """Return row -> its samples of all seeds, each map divided by its maximum, read by xarray."""
    found: dict[int, list[xr.Dataset]] = {}
    folder = path.parent / "out" / "relevance" / method
    for file in sorted(folder.glob("seed-*/shard-*.nc")):
        shard = xr.load_dataset(file)
        for k in range(shard.sizes["sample"]):
            one = shard.isel(sample=k)
            largest = float(abs(one["relevance"]).max())
            one["relevance"] = one["relevance"] / (largest or 1.0)
            found.setdefault(int(one["row"]), []).append(one)
    return found


def test_all_kinds_are_drawn(climxai: Callable[..., Done], made: Path) -> None:
    done = climxai("pictures", made)
    assert done.code == 0, done.err
    names = {path.name for path in (made.parent / "out" / "pictures").iterdir()}
    assert {
        "panels.png", "panels_season_lrp.png", "panels_season_input_x_gradient.png",
        "seeds_lrp.png", "seeds_input_x_gradient.png", "means_lrp_cold.png", "means_lrp_warm.png",
        "sections_lrp_longitude.png", "sections_lrp_latitude.png", "confusion.png",
        "reliability.png", "shares.png", "shares.csv",
    } <= names  # fmt: skip
    assert "clusters: left out, there are no clusters" in done.err
    provenance = json.loads((made.parent / "out" / "provenance.json").read_text())
    assert "pictures/confusion.png" in provenance["pictures"]["outputs"]
    for name in names:
        if name.endswith(".png"):
            with Image.open(made.parent / "out" / "pictures" / name) as picture:
                assert picture.size[0] == 360, name  # 7.2 inches at 50 dots


def test_a_named_kind_must_succeed(climxai: Callable[..., Done], made: Path) -> None:
    done = climxai("pictures", made, "clusters")
    assert done.code == 5
    assert "climxai strategies" in done.err
    unknown = climxai("pictures", made, "panel")
    assert unknown.code == 2
    assert "Did you mean 'panels'" in unknown.err


def test_help_names_every_kind() -> None:
    text = pictures_command.help or ""
    for name, (_, words) in KINDS.items():
        assert name in text, words


def test_shares_equal_those_of_the_composite(climxai: Callable[..., Done], made: Path) -> None:
    assert climxai("pictures", made, "shares").code == 0
    out = made.parent / "out"
    rows = list(csv.DictReader((out / "pictures" / "shares.csv").read_text().splitlines()))
    composite = xr.load_dataset(out / "composites" / "lrp.nc")
    assert len(rows) == 2 * 2 * 2 * 3  # methods, classes, regions, all and two seeds
    (row,) = [
        r
        for r in rows
        if (r["method"], r["group"], r["region"], r["seed"]) == ("lrp", "warm", "west", "1")
    ]
    one = composite["relevance_by_seed"].sel({"class": "warm", "seed": 1}).isel(channel=0)
    positive = one.where(one > 0, 0)
    west = positive.where(positive["lon"] <= 180, 0)
    assert float(row["share"]) == pytest.approx(float(west.sum() / positive.sum()), rel=1e-5)
    valid = np.isfinite(one)
    cells = valid.where(valid["lon"] <= 180, False).sum() / valid.sum()
    assert float(row["share_of_cells"]) == pytest.approx(float(cells), rel=1e-5)


def test_mean_maps_equal_those_read_plainly(made: Path) -> None:
    explained = explained_of(made, "input_x_gradient")
    kept = explained.chosen(None)
    order = explained.in_time(kept)
    rows = [int(explained.samples.row[at]) for at in order]
    expected = plainly(made, "input_x_gradient")
    assert sorted(rows) == sorted(expected)
    for row, found in explained.mean_maps(rows, 0, kept):
        held = [one["relevance"].isel(channel=0).values for one in expected[row]]
        assert len(held) == 2
        np.testing.assert_allclose(found, np.mean(held, axis=0), rtol=1e-5, atol=1e-7)
    one_seed = explained.chosen(None, 1)
    row, found = next(explained.mean_maps(rows[:1], 0, one_seed))
    (of_seed,) = [one for one in expected[row] if found is not None][1:]
    np.testing.assert_allclose(
        found, of_seed["relevance"].isel(channel=0).values, rtol=1e-5, atol=1e-7
    )


def test_samples_stand_in_the_order_of_time(made: Path) -> None:
    explained = explained_of(made, "lrp")
    order = explained.in_time(explained.chosen(None))
    dates = [explained.dates[int(at)] for at in order]
    assert dates == sorted(dates)
    times = {int(one[0]["row"]): one[0]["time"].values for one in plainly(made, "lrp").values()}
    for at in order:
        expected = str(np.datetime_as_string(times[int(explained.samples.row[at])], "M"))
        assert explained.dates[int(at)] == expected


def test_sections_equal_plain_means(made: Path) -> None:
    explained = explained_of(made, "input_x_gradient")
    band = Region(south=-40, north=40, west=90, east=300)
    ticks: list[int] = []
    found = sections_of(explained, 0, band, lambda done=1, note="": ticks.append(done))
    order = explained.in_time(explained.chosen(None))
    samples = plainly(made, "input_x_gradient")
    fields = explained.run.fields
    assert found.lon.min() >= 90
    assert found.lon.max() <= 300
    assert (np.diff(found.lon) > 0).all()
    for k, at in enumerate(order):
        row = int(explained.samples.row[at])
        one = xr.concat([s["relevance"].isel(channel=0) for s in samples[row]], "seed").mean("seed")
        weight = np.cos(np.deg2rad(one["lat"]))
        in_lat = one.sel(lat=slice(-40, 40)).weighted(weight.sel(lat=slice(-40, 40))).mean("lat")
        np.testing.assert_allclose(
            found.by_lon[0][k], in_lat.sel(lon=slice(90, 300)).values, rtol=1e-5, atol=1e-7
        )
        np.testing.assert_allclose(
            found.by_lat[0][k], one.sel(lon=slice(90, 300)).mean("lon").values, rtol=1e-5, atol=1e-7
        )
        field = fields.isel(sample=int(np.flatnonzero(fields["row"].values == row)[0]), channel=0)
        np.testing.assert_allclose(
            found.by_lat[1][k],
            field.sel(lon=slice(90, 300)).mean("lon").values,
            rtol=1e-5,
            atol=1e-6,
        )


def test_a_single_map_by_date(climxai: Callable[..., Done], made: Path) -> None:
    explained = explained_of(made, "lrp")
    date = explained.dates[int(explained.in_time(explained.chosen(None))[3])]
    done = climxai("map", made, "--date", date)
    assert done.code == 0, done.err
    maps = made.parent / "out" / "maps"
    assert (maps / f"lrp_{date}.png").stat().st_size > 1000
    assert (maps / f"input_x_gradient_{date}.png").stat().st_size > 1000
    row = next(
        row
        for row, held in plainly(made, "lrp").items()
        if str(held[0]["time"].values).startswith(date)
    )
    true = int(plainly(made, "lrp")[row][0]["label"])
    assert f"lrp, {date}: true {('cold', 'warm')[true]}, predicted " in done.out
    one = climxai("map", made, "--date", date, "--method", "lrp", "--seed", "1")
    assert one.code == 0, one.err
    assert (maps / f"lrp_{date}_seed-1.png").exists()


def test_an_absent_date_is_answered_with_the_nearest(
    climxai: Callable[..., Done], made: Path
) -> None:
    explained = explained_of(made, "lrp")
    all_dates = {str(t)[:7] for t in explained.run.fields["time"].values}
    missing = sorted(all_dates - set(explained.dates))[3]
    done = climxai("map", made, "--date", missing)
    assert done.code == 3
    assert f"{missing} is in the data, but was not explained" in done.err
    near = done.err.split("Nearest: ")[1].strip().split(", ")

    def months(text: str) -> int:
        return int(text[:4]) * 12 + int(text[5:7])

    away = sorted(abs(months(d) - months(missing)) for d in set(explained.dates))
    assert sorted(abs(months(d) - months(missing)) for d in near) == away[: len(near)]
    outside = climxai("map", made, "--date", "2525-01")
    assert outside.code == 3
    assert "the data hold no sample of 2525-01. Nearest: " in outside.err
    assert climxai("map", made, "--date", "May 1998").code == 2
    year = explained.dates[0][:4]
    several = climxai("map", made, "--date", year)
    assert several.code == 3
    assert f"explained samples lie in {year}: " in several.err
    nobody = climxai("map", made, "--date", explained.dates[0], "--seed", "9")
    assert nobody.code == 2
    assert "only of 0, 1" in nobody.err


def test_a_film_has_a_frame_per_sample(climxai: Callable[..., Done], made: Path) -> None:
    explained = explained_of(made, "lrp")
    order = explained.in_time(explained.chosen(None))
    done = climxai("animate", made, "--every", "5", "--fps", "4")
    assert done.code == 0, done.err
    with Image.open(made.parent / "out" / "animations" / "lrp.gif") as film:
        assert film.n_frames == len(order[::5])
        assert film.info["duration"] == 250
    first = explained.dates[int(order[0])]
    assert f"{len(order[::5])} frames, {first} to " in done.out
    year = first[:4]
    held = [at for at in order if explained.dates[int(at)].startswith(year)]
    done = climxai("animate", made, "--method", "input_x_gradient", "--period", year)
    assert done.code == 0, done.err
    assert f"{len(held)} frames" in done.out
    none = climxai("animate", made, "--period", "1700")
    assert none.code == 3
    assert "no explained sample lies in 1700" in none.err
    assert climxai("animate", made, "--method", "lrb").code == 2
    assert climxai("animate", made, "--period", "sometime").code == 2


def test_confusion_is_that_of_the_scores_and_of_the_shards(made: Path) -> None:
    scores = json.loads((made.parent / "out" / "scores.json").read_text())
    samples = explained_of(made, "lrp").samples
    for seed in (0, 1):
        held = (samples.seed == seed) & (samples.column("split") == "test")
        counted = np.zeros((2, 2), dtype=int)
        np.add.at(counted, (samples.label[held], samples.prediction[held]), 1)
        np.testing.assert_array_equal(counted, scores["seeds"][seed]["test"]["confusion"])


def test_without_relevance_it_says_what_to_do(
    climxai: Callable[..., Done], experiment: Path
) -> None:
    for words in (("pictures",), ("map", "--date", "2000-01"), ("animate",)):
        done = climxai(words[0], experiment, *words[1:])
        assert done.code == 5
        assert "climxai explain" in done.err


@pytest.mark.parametrize("stage", ["pictures", "single_map", "animate"])
def test_no_torch_is_loaded(made: Path, stage: str) -> None:
    verb = {
        "pictures": "pictures(e, ['panels', 'sections', 'reliability', 'shares'])",
        "single_map": "map_of(e, explained_date)",
        "animate": "animate(e, every=30)",
    }[stage]
    explained = explained_of(made, "lrp")
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from climxai.config.experiment import load_experiment\n"
        f"from climxai.stages.{stage} import *\n"
        f"e = load_experiment(Path({str(made)!r}))\n"
        f"explained_date = {explained.dates[0]!r}\n{verb}\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
