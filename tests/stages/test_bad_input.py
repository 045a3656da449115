"""What bad input gets: one line saying where, what, what was expected, what to do; an exit code."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.conftest import tiny_world
from tests.stages.conftest import Command

CONFIG, DATA, MODEL, OUTPUT = 2, 3, 4, 5


def no_time(folder: Path) -> list[str]:
    tiny_world().isel(time=0, drop=True).to_netcdf(folder / "bad.nc")
    return [f"data.files={folder / 'bad.nc'}"]


def all_nan(folder: Path) -> list[str]:
    world = tiny_world()
    world["sst"][:] = np.nan
    world.to_netcdf(folder / "bad.nc")
    return [f"data.files={folder / 'bad.nc'}"]


def truncated(folder: Path) -> list[str]:
    tiny_world().to_netcdf(folder / "whole.nc")
    (folder / "bad.nc").write_bytes((folder / "whole.nc").read_bytes()[:5000])
    return [f"data.files={folder / 'bad.nc'}"]


def overlapping(folder: Path) -> list[str]:
    world = tiny_world()
    world.isel(time=slice(0, 60)).to_netcdf(folder / "part1.nc")
    world.isel(time=slice(50, None)).to_netcdf(folder / "part2.nc")
    return [f"data.files={folder / 'part*.nc'}"]


def different_grids(folder: Path) -> list[str]:
    world = tiny_world()
    world.isel(time=slice(0, 50)).to_netcdf(folder / "part1.nc")
    world.isel(time=slice(50, None), lon=slice(0, 7)).to_netcdf(folder / "part2.nc")
    return [f"data.files={folder / 'part*.nc'}"]


def settings(*overrides: str) -> Callable[[Path], list[str]]:
    return lambda folder: list(overrides)


BAD = {
    "missing file": (settings("data.files=nowhere.nc"), DATA, "nowhere.nc"),
    "empty glob": (settings("data.files=nothing_*.nc"), DATA, "nothing_*.nc"),
    "truncated file": (truncated, DATA, "bad.nc"),
    "wrong variable": (settings("data.variables=sss"), DATA, "sst"),
    "no time axis": (no_time, DATA, "time"),
    "all missing": (all_nan, DATA, "bad.nc"),
    "region outside the grid": (
        settings("data.region=[60, 80, 0, 90]", "label.region=[62, 78, 0, 80]"),
        DATA,
        "region",
    ),
    "label's box outside the grid": (settings("label.region=[60, 80, 0, 90]"), DATA, "box"),
    "period outside the record": (settings("data.period=2050-2060"), DATA, "1990"),
    "a class without a sample": (settings("label.classes.warm.above=50"), DATA, "warm"),
    "no class has a sample": (
        settings("label.classes.warm.above=50", "label.classes.cold.below=-50"),
        DATA,
        "label",
    ),
    "overlapping files": (overlapping, DATA, "part1.nc"),
    "files on different grids": (different_grids, DATA, "part2.nc"),
    "the loss explodes": (
        settings("train.optimizer={name: sgd, learning_rate: 1e30}"),
        MODEL,
        "seed 0",
    ),
    "too many penalties": (settings("train.l2=[1, 2, 3, 4, 5]"), CONFIG, "l2"),
}


@pytest.mark.parametrize("name", BAD)
def test_training_on_bad_input(
    climxai: Command, experiment: Path, tmp_path: Path, name: str
) -> None:
    make, code, mentioned = BAD[name]
    overrides = [part for text in make(tmp_path) for part in ("--set", text)]
    done = climxai("train", experiment, *overrides)
    assert done.code == code, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert mentioned in done.err
    assert "Traceback" not in done.err
    assert not list((tmp_path / "out").rglob("*.safetensors"))
    assert not list((tmp_path / "out").rglob("*.part-*"))


def test_one_sample_per_class_still_trains(climxai: Command, tmp_path: Path) -> None:
    world = tiny_world().isel(time=slice(0, 24))
    world["sst"][:] = 0.0
    world["sst"][3] = 5.0
    world["sst"][4] = -5.0
    world.to_netcdf(tmp_path / "two.nc")
    (tmp_path / "two.yaml").write_text(
        "data: {files: two.nc}\n"
        "label:\n"
        "  {name: box_index, region: [-20, 20, 0, 360],\n"
        "   classes: {a: {below: -1}, b: {above: 1}}}\n"
        "split: {name: by_date, train: 1990, test: 1991}\n"
        "network: {name: mlp, hidden: [4]}\n"
        "train: {epochs: 2}\n"
        "maps: {formats: [png], dpi: 50}\n",
        encoding="utf-8",
    )
    done = climxai("run", tmp_path / "two.yaml")
    assert done.code == 0, done.err
    made = xr.load_dataset(tmp_path / "runs" / "two" / "composites" / "lrp.nc")
    assert made["count"].values.tolist() == [1, 1]


def test_explaining_before_training(climxai: Command, experiment: Path) -> None:
    done = climxai("explain", experiment)
    assert done.code == MODEL
    assert "run `climxai train` first" in done.err


def test_compositing_before_explaining(climxai: Command, experiment: Path) -> None:
    done = climxai("composite", experiment)
    assert done.code == OUTPUT
    assert "run `climxai explain` first" in done.err


@pytest.fixture
def trained(climxai: Command, experiment: Path) -> Path:
    assert climxai("train", experiment).code == 0
    return experiment


def test_data_on_another_grid_than_the_network(
    climxai: Command, trained: Path, tmp_path: Path
) -> None:
    world = tiny_world()
    world.assign_coords(lat=world["lat"] + 1.0).to_netcdf(tmp_path / "shifted.nc")
    done = climxai("explain", trained, "--set", f"data.files={tmp_path / 'shifted.nc'}")
    assert done.code == DATA
    assert "lat is 6 values from -49 to 51, expected 6 values from -50 to 50" in done.err


def test_data_with_another_mask_than_the_network(
    climxai: Command, trained: Path, tmp_path: Path
) -> None:
    world = tiny_world()
    world["sst"][:, 5, 7] = np.nan
    world.to_netcdf(tmp_path / "holes.nc")
    done = climxai("explain", trained, "--set", f"data.files={tmp_path / 'holes.nc'}")
    assert done.code == DATA
    assert "1 cells the network reads are missing here and 0 cells" in done.err


def test_a_damaged_network(climxai: Command, trained: Path) -> None:
    weights = trained.parent / "out" / "networks" / "seed-0" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:50])
    done = climxai("explain", trained)
    assert done.code == MODEL
    assert "run `climxai train` again" in done.err


def test_a_method_of_another_run(climxai: Command, trained: Path) -> None:
    assert climxai("explain", trained, "--set", "explain.methods=saliency").code == 0
    done = climxai("composite", trained)
    assert done.code == OUTPUT
    assert "no relevance by the method 'lrp'" in done.err


def test_the_output_is_a_file(climxai: Command, experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = climxai("train", experiment, "--set", f"output={tmp_path / 'taken' / 'x'}")
    assert done.code == OUTPUT
    assert "choose another `output`" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_output_may_not_be_written_to(
    climxai: Command, experiment: Path, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    done = climxai("train", experiment, "--set", f"output={tmp_path / 'closed'}")
    assert done.code == OUTPUT


def test_the_disk_fills_while_explaining(
    climxai: Command, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(xr.Dataset, "to_netcdf", full)
        done = climxai("explain", trained)
    assert done.code == OUTPUT
    assert "the disk is full" in done.err
    assert not list((trained.parent / "out").rglob("*.part-*"))


def test_a_typo_in_the_configuration_names_its_place(climxai: Command, experiment: Path) -> None:
    text = experiment.read_text().replace("epochs: 12", "epoch: 12")
    experiment.write_text(text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "epoch: 12" in row)
    done = climxai("train", experiment)
    assert done.code == CONFIG
    assert f"tiny.yaml:{line}:3" in done.err
    assert "epochs" in done.err
    assert not (experiment.parent / "out").exists()


def test_an_unknown_command(climxai: Command) -> None:
    done = climxai("trian")
    assert done.code == CONFIG
    assert "Did you mean 'train'?" in done.err


def test_check_refuses_what_train_would_refuse(climxai: Command, experiment: Path) -> None:
    done = climxai("check", experiment, "--set", "label.classes.warm.above=50")
    assert done.code == DATA
    assert "the training part of the split has no sample of class warm" in done.err
    assert "samples" in done.out  # the plan is shown all the same
    assert not (experiment.parent / "out").exists()
