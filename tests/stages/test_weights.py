"""`climxai weights`: the numbers of the networks' own files, on the grid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file

from tests.stages.conftest import Command

NETWORKS = {
    "mlp": ("{name: mlp, hidden: [4, 4]}", "1.weight", 4, 1),
    "maxout": ("{name: mlp, hidden: [3], activation: {name: maxout, pieces: 2}}", "1.weight", 6, 2),
    "linear": ("linear", "1.weight", 2, 1),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_dense_weights_are_those_of_the_file(climxai: Command, experiment: Path, kind: str) -> None:
    network, name, units, pieces = NETWORKS[kind]
    settings = ("--set", f"network={network}", "--set", "train.epochs=2")
    assert climxai("train", experiment, *settings).code == 0
    done = climxai("weights", experiment, *settings)
    assert done.code == 0, done.err
    out = experiment.parent / "out"
    made = xr.load_dataset(out / "weights" / "weights.nc")
    assert made["weight"].dims == ("seed", "unit", "channel", "lat", "lon")
    assert made["weight"].shape == (2, units, 1, 6, 8)
    for seed in (0, 1):
        # The oracle is the safetensors file, its columns laid out as latitude by longitude.
        stored = load_file(out / "networks" / f"seed-{seed}" / "weights.safetensors")[name]
        expected = stored.reshape(units, 1, 6, 8).copy()
        expected[:, :, :2, :2] = np.nan  # the land of the tiny world
        np.testing.assert_array_equal(made["weight"].sel(seed=seed), expected)
        assert (out / "weights" / f"seed-{seed}.png").stat().st_size > 1000
    assert made["unit"].values.tolist() == [number // pieces for number in range(units)]
    assert ("piece" in made.coords) == (pieces > 1)
    assert made["lat"].attrs["units"] == "degrees_north"
    assert set(json.loads(made.attrs["network_digests_sha256"])) == {"0", "1"}
    assert str(out / "weights" / "seed-1.png") in done.out


def test_windows_of_a_convolution(climxai: Command, experiment: Path) -> None:
    settings = ("--set", "network={name: cnn, channels: [3], kernel: 3}", "--set", "train.epochs=2")
    assert climxai("train", experiment, *settings).code == 0
    assert climxai("weights", experiment, *settings).code == 0
    out = experiment.parent / "out"
    made = xr.load_dataset(out / "weights" / "weights.nc")
    assert made["weight"].dims == ("seed", "unit", "channel", "row", "column")
    stored = load_file(out / "networks" / "seed-1" / "weights.safetensors")
    np.testing.assert_array_equal(
        made["weight"].sel(seed=1), stored[f"{made.attrs['layer']}.weight"]
    )
    assert made["row"].values.tolist() == [-1, 0, 1]
    assert (out / "weights" / "seed-0.png").stat().st_size > 1000


def test_without_networks_it_says_what_to_do(climxai: Command, experiment: Path) -> None:
    done = climxai("weights", experiment)
    assert done.code == 4
    assert "climxai train" in done.err
