"""Keys: what determines a result, as a digest; equal keys mean the work is already done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.digest import digest_of, file_digest
from climxai.core.errors import DataError
from climxai.core.record import Record
from climxai.version import __version__

if TYPE_CHECKING:
    from climxai.attribution.methods import Method
    from climxai.config.experiment import Experiment
    from climxai.config.sections import Explain


def data_key(experiment: Experiment, files: tuple[Path, ...]) -> str:
    """Return the digest of the input files' bytes and of how they are read.

    The paths do not count: the same data moved elsewhere is the same data.
    """
    reading = experiment.data.model_dump(mode="json", exclude={"files"})
    return digest_of([file_digest(path) for path in files], reading)


def samples_key(experiment: Experiment, files: tuple[Path, ...]) -> str:
    """Return the digest of everything that makes the labelled samples.

    Raises
    ------
    DataError
        When a file of labels is missing.
    """
    parts: dict[str, Any] = experiment.model_dump(
        mode="json", include={"preprocess", "label", "split"}
    )
    # A file of labels counts by its bytes, as the data do.
    if "file" in parts["label"]:
        path = Path(parts["label"]["file"])
        if not path.is_file():
            raise DataError(f"label.file: {path} does not exist: give the path of the labels")
        parts["label"]["file"] = file_digest(path)
    return digest_of(data_key(experiment, files), parts)


def training_key(experiment: Experiment, samples: str, seed: int) -> str:
    """Return the digest of everything that determines one trained network."""
    network = experiment.network.model_dump(mode="json")
    return digest_of(samples, network, _training(experiment), seed, __version__)


def null_key(experiment: Experiment, samples: str, number: int) -> str:
    """Return the digest of everything that determines one network trained on shuffled labels."""
    network = experiment.network.model_dump(mode="json")
    block = experiment.train.null_block_length
    return digest_of(
        samples, network, _training(experiment), "shuffled", block, number, __version__
    )


def _training(experiment: Experiment) -> dict[str, Any]:
    """Return the settings of training that every network shares."""
    others = {"seeds", "null_networks", "null_block_length"}
    return experiment.train.model_dump(mode="json", exclude=others)


def files_read(method: Method) -> list[str]:
    """Return the files whose content a method's maps depend on: baselines, at any depth."""
    from climxai.attribution.baselines.maps import MapFile

    found: list[str] = []
    waiting: list[Any] = [method]
    while waiting:
        record = waiting.pop()
        if isinstance(record, MapFile):
            found.append(str(record.path))
        for name in type(record).model_fields:
            value = getattr(record, name)
            parts = value if isinstance(value, tuple) else (value,)
            waiting += [part for part in parts if isinstance(part, Record)]
    return sorted(found)


def shard_key(
    networks: str, samples: str, method: Method, explain: Explain, rows: npt.NDArray[np.int64]
) -> str:
    """Return the digest of everything that determines one file of relevance.

    ``networks`` are the digests of the bundles it comes from.
    """
    return digest_of(
        networks,
        samples,
        method.model_dump(mode="json", exclude={"id", "objective"}),
        [file_digest(Path(path)) for path in files_read(method)],
        explain.objective_of(method).model_dump(mode="json"),
        explain.only_correct,
        rows.tolist(),
        __version__,
    )
