"""Small shards of relevance on disk, and the field they explain."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

CLASSES = ("la_nina", "el_nino")


@dataclass
class Explained:
    """Everything explained, whole in memory: what numpy's oracle works on."""

    folder: Path
    classes: tuple[str, ...]
    fields: xr.DataArray
    relevance: dict[int, np.ndarray]  # seed -> [sample, channel, lat, lon]
    label: np.ndarray
    prediction: dict[int, np.ndarray]
    conservation: dict[int, np.ndarray]
    written: dict[int, list[Path]] = field(default_factory=dict)
    confidence: dict[int, np.ndarray] = field(default_factory=dict)
    index: np.ndarray = field(default_factory=lambda: np.zeros(0))
    part: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def row(self) -> np.ndarray:
        return self.fields["row"].values

    def write(self, lengths: Sequence[int] | None = None, **changes: object) -> dict:
        """Write the shards of every seed, of the given lengths along sample."""
        total = len(self.label)
        lengths = lengths or (total - total // 2, total // 2)
        self.written = {}
        for seed in self.relevance:
            begin = 0
            self.written[seed] = []
            for number, length in enumerate(lengths):
                if length == 0:
                    continue
                path = self.folder / f"seed-{seed}" / f"shard-{number:05d}.nc"
                write_shard(path, self, seed, slice(begin, begin + length), **changes)
                self.written[seed].append(path)
                begin += length
            assert begin == total
        return self.written


def write_shard(
    path: Path,
    explained: Explained,
    seed: int,
    which: slice,
    *,
    compress: bool = True,
    **attributes: object,
) -> Path:
    """Write one shard as the explaining stage does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    maps = explained.relevance[seed][which].astype(np.float32)
    fields = explained.fields.isel(sample=which)
    one = {
        "output": np.ones(len(maps)),
        "label": explained.label[which].astype(np.int32),
        "prediction": explained.prediction[seed][which].astype(np.int32),
        "conservation": explained.conservation[seed][which].astype(np.float32),
        "zero_map": (np.nan_to_num(maps) == 0).all(axis=(1, 2, 3)).astype(np.int8),
        "mask_leak": np.zeros(len(maps), dtype=np.float32),
        "confidence": explained.confidence[seed][which],
        "index": explained.index[which],
        "split": explained.part[which].astype(np.int8),
    }
    shard = xr.Dataset(
        {"relevance": (("sample", "channel", "lat", "lon"), maps)}
        | {name: ("sample", values) for name, values in one.items()},
        {name: fields.coords[name] for name in fields.coords},
        {
            "key": "0" * 64,
            "method": "lrp",
            "seed": seed,
            "class_names": json.dumps(explained.classes),
            "signed": 1,
        }
        | attributes,
    )
    shard["index"].attrs["short_name"] = "nino34"
    shard["split"].attrs = {
        "flag_values": np.arange(4, dtype=np.int8),
        "flag_meanings": "train validation test none",
    }
    shard.to_netcdf(
        path, encoding={"relevance": {"zlib": compress, "_FillValue": np.float32("nan")}}
    )
    return path


def make_explained(
    folder: Path,
    *,
    samples: int = 24,
    seeds: Sequence[int] = (0, 1),
    channels: int = 1,
    classes: tuple[str, ...] = CLASSES,
    random: int = 0,
) -> Explained:
    """Make relevance on a 6 x 8 grid with a block of land, and fields with gaps in the rows."""
    rng = np.random.default_rng(random)
    shape = (samples, channels, 6, 8)
    land = np.zeros(shape[1:], dtype=bool)
    land[:, 1:3, 2:5] = True
    values = rng.normal(size=shape).astype(np.float32) + 2
    values[:, land] = np.nan
    time = np.datetime64("2001-01-01", "ns") + 30 * np.timedelta64(1, "D") * np.arange(samples)
    fields = xr.DataArray(
        values,
        dims=("sample", "channel", "lat", "lon"),
        coords={
            "time": ("sample", time),
            "row": ("sample", 3 + 2 * np.arange(samples)),
            "lat": np.linspace(-50, 50, 6),
            "lon": np.linspace(0, 315, 8),
            "channel": [f"sst{i}" for i in range(channels)],
            "member": ("sample", [f"r{1 + i % 3}" for i in range(samples)]),
            "units": ("channel", ["K"] * channels),
            "long_name": ("channel", ["sea surface temperature"] * channels),
        },
    )
    explained = Explained(
        folder=folder,
        classes=classes,
        fields=fields.chunk(sample=5),
        relevance={},
        label=rng.integers(0, len(classes), samples),
        prediction={},
        conservation={},
    )
    explained.index = rng.normal(size=samples)
    explained.part = rng.integers(0, 3, samples)
    for seed in seeds:
        explained.confidence[seed] = rng.uniform(0.5, 1, samples)
        maps = (rng.normal(size=shape) * rng.lognormal(size=(samples, 1, 1, 1))).astype(np.float32)
        maps[:, land] = np.nan
        explained.relevance[seed] = maps
        explained.prediction[seed] = rng.integers(0, len(classes), samples)
        explained.conservation[seed] = rng.normal(1, 0.1, samples).astype(np.float32)
    return explained


@pytest.fixture
def explained(tmp_path: Path) -> Explained:
    """24 samples of two classes explained with the networks of seeds 0 and 1."""
    return make_explained(tmp_path)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Explained]:
    """Make other explained samples: ``make(samples=3, seeds=(0,), channels=2)``."""
    return lambda **settings: make_explained(tmp_path, **settings)


@pytest.fixture(scope="session")
def make_in() -> Callable[..., Explained]:
    """Like `make`, in a folder of one's own (for hypothesis, which draws many per test)."""
    return make_explained
