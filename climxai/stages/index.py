"""The plan of shards, what is already done of it, and the index that lists them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.bridge.bundle import load_bundle
from climxai.core.errors import OutputError
from climxai.core.files import TEMPORARY, read_json
from climxai.stages.keys import shard_key
from climxai.stages.layout import Layout

if TYPE_CHECKING:
    from climxai.attribution.methods import Method
    from climxai.bridge.bundle import Bundle
    from climxai.config.experiment import Experiment
    from climxai.stages.preparation import Prepared

LOG = logging.getLogger(__name__)

INDEX_FORMAT: Final = 2
ARRAYS_PER_SAMPLE: Final = 8
"""Float32 maps held at once per sample: read, preprocessed in float64, input, relevance, …"""


@dataclass(frozen=True)
class Shard:
    """One line of the index; ``file`` is relative to the output directory."""

    method: str
    seed: int
    number: int
    file: str
    key: str
    samples: int


@dataclass(frozen=True)
class ShardTask:
    """One file to be made: ``positions`` are positions in the labelled samples."""

    method: Method
    seed: int
    number: int
    path: Path
    key: str
    network: str
    """digest of the bundle, or of all bundles where the method averages over seeds"""
    seeds_averaged: str
    """the seeds one explanation takes together"""
    positions: npt.NDArray[np.int64]
    null: bool = False
    """whether the network was trained on shuffled labels; ``seed`` is then its number"""

    def as_shard(self, layout: Layout) -> Shard:
        """Return the line of the index."""
        return Shard(
            method=str(self.method.id),
            seed=self.seed,
            number=self.number,
            file=str(self.path.relative_to(layout.root)),
            key=self.key,
            samples=len(self.positions),
        )


def settings_of(experiment: Experiment) -> dict[str, Any]:
    """Return what `climxai composite` compares: how each method explained what."""
    explain = experiment.explain
    return {
        "methods": {
            str(method.id): method.model_dump(mode="json", exclude={"id"})
            for method in explain.methods
        },
        "objective": explain.objective.model_dump(mode="json"),
        "samples": explain.samples,
        "only_correct": explain.only_correct,
    }


def check_index(experiment: Experiment, layout: Layout, index: dict[str, Any]) -> None:
    """Refuse relevance that other networks or other settings made.

    Raises
    ------
    OutputError
        Naming what has changed since `climxai explain`.
    """
    networks = {
        str(seed): load_bundle(layout.network(seed)).digest for seed in experiment.train.seeds
    }
    if index["networks"] != networks:
        raise OutputError(
            f"the relevance in {layout.root} was made from other networks than those trained last: "
            "run `climxai explain` again"
        )
    nulls = null_digests(experiment, layout)
    if any(index.get("null_networks", {}).get(number) != nulls[number] for number in nulls):
        raise OutputError(
            f"the relevance in {layout.root} lacks that of some of the {len(nulls)} networks "
            "trained on shuffled labels (`train.null_networks`), or has that of others: run "
            "`climxai explain` again"
        )
    made, asked = index["explain"], settings_of(experiment)
    for key in ("objective", "samples", "only_correct"):
        if made[key] != asked[key]:
            raise OutputError(
                f"the relevance in {layout.root} was made with another `explain.{key}`: found "
                f"{made[key]}, the configuration says {asked[key]}; run `climxai explain` again"
            )
    for name, settings in asked["methods"].items():
        if name in made["methods"] and made["methods"][name] != settings:
            raise OutputError(
                f"the relevance of {name} in {layout.root} was made with other settings of that "
                "method: run `climxai explain` again"
            )


def null_digests(experiment: Experiment, layout: Layout) -> dict[str, str]:
    """Return the digests of the networks trained on shuffled labels by their numbers."""
    numbers = range(experiment.train.null_networks)
    return {str(number): load_bundle(layout.null_network(number)).digest for number in numbers}


def rows_per_shard(experiment: Experiment, shape: tuple[int, int, int]) -> int:
    """Return how many samples one shard holds: as given, or what the memory allows."""
    if experiment.compute.rows_per_shard is not None:
        return experiment.compute.rows_per_shard
    per_row = int(np.prod(shape)) * 4 * ARRAYS_PER_SAMPLE
    return max(1, experiment.compute.memory // per_row)


def plan_shards(
    experiment: Experiment,
    layout: Layout,
    bundles: Sequence[Bundle],
    samples: str,
    chosen: npt.NDArray[np.int64],
    prepared: Prepared,
    *,
    null: bool = False,
) -> list[ShardTask]:
    """Cut the chosen samples into shards, the same rows for every seed and method.

    ``null``: the bundles were trained on shuffled labels. Each of them is a world of its own, also
    for methods that average over seeds.
    """
    path = layout.null_shard if null else layout.shard
    size = rows_per_shard(experiment, bundles[0].signature.shape)
    rows = prepared.samples.inputs["row"].values.astype(np.int64)
    tasks = []
    for number, begin in enumerate(range(0, len(chosen), size)):
        positions = chosen[begin : begin + size]
        for method in experiment.explain.methods:
            # What averages over seeds is made once, and stands with the first of them.
            groups = (
                [bundles] if method.over_seeds and not null else [[bundle] for bundle in bundles]
            )
            for group in groups:
                networks = ",".join(bundle.digest for bundle in group)
                tasks.append(
                    ShardTask(
                        method=method,
                        seed=group[0].seed,
                        number=number,
                        path=path(str(method.id), group[0].seed, number),
                        key=shard_key(
                            networks, samples, method, experiment.explain, rows[positions]
                        ),
                        network=networks,
                        seeds_averaged=",".join(str(bundle.seed) for bundle in group),
                        positions=positions,
                        null=null,
                    )
                )
    return tasks


def done_with_key(path: Path, key: str) -> bool:
    """Return whether ``path`` is a whole shard carrying ``key``; a damaged one is not."""
    import netCDF4

    if not path.exists():
        return False
    try:
        with netCDF4.Dataset(path) as file:
            return str(getattr(file, "key", "")) == key
    except (OSError, RuntimeError) as error:
        LOG.warning("%s cannot be read (%s); it is made again", path, error)
        return False


def _readable(path: Path) -> bool:
    import netCDF4

    try:
        with netCDF4.Dataset(path):
            return True
    except (OSError, RuntimeError):
        return False


def sweep(layout: Layout, wanted: set[Path]) -> None:
    """Remove leftovers of killed runs, and shards that would stand among ours without being ours.

    Folders of methods and seeds that are not in the plan are left alone.
    """
    for leftover in layout.index.parent.rglob(f".*{TEMPORARY}*"):
        leftover.unlink()
    for folder in {path.parent for path in wanted}:
        for path in sorted(folder.glob("shard-*.nc")):
            if path not in wanted:
                LOG.info("removed %s, which belongs to an earlier plan", path)
                path.unlink()


def read_index(layout: Layout) -> tuple[list[Shard], dict[str, Any]]:
    """Return the shards of the last `climxai explain`, and the index as it is.

    Raises
    ------
    OutputError
        When there is none, or it is of another format.
    """
    if not layout.index.exists():
        raise OutputError(
            f"there is no relevance in {layout.root} yet ({layout.index} is missing): run "
            "`climxai explain` first"
        )
    found = read_json(layout.index, "the index of the relevance")
    if not isinstance(found, dict) or found.get("format") != INDEX_FORMAT:
        raise OutputError(
            f"{layout.index} is not an index of format {INDEX_FORMAT}: run `climxai explain` again"
        )
    return [Shard(**line) for line in found["shards"]], found


def shards_of(
    layout: Layout, shards: Sequence[Shard], method: str, *, allow_missing: bool = False
) -> dict[int, list[Path]]:
    """Return seed -> shard files of one method, after checking that each is there with its key.

    With ``allow_missing`` those that are not there, or cannot be read, are left out.

    Raises
    ------
    OutputError
        Naming the first file that is missing, damaged or of another run.
    """
    held: dict[int, list[Path]] = {}
    for shard in shards:
        if shard.method != method:
            continue
        path = layout.root / shard.file
        if not path.exists():
            if allow_missing:
                LOG.warning("left out: %s is missing (%d samples)", path, shard.samples)
                continue
            raise OutputError(
                f"{path} is missing: run `climxai explain` again to make it, or leave it out with "
                "--allow-missing"
            )
        if allow_missing and not _readable(path):
            LOG.warning("left out: %s cannot be read (%d samples)", path, shard.samples)
            continue
        if not done_with_key(path, shard.key):
            raise OutputError(
                f"{path} is damaged or belongs to another run: delete it and run "
                "`climxai explain` again"
            )
        held.setdefault(shard.seed, []).append(path)
    if not held:
        raise OutputError(
            f"there is no relevance by the method {method!r} in {layout.root}: run "
            "`climxai explain` with this configuration"
        )
    return held
