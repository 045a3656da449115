"""From a configuration to labelled samples: what train, explain, composite and check begin with."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.core.region import NAMED_REGIONS

if TYPE_CHECKING:
    import xarray as xr

    from climxai.config.experiment import Experiment
    from climxai.data.labels import Label, Labelling
    from climxai.data.preprocess.chain import Preprocessing
    from climxai.data.sampleset import SampleSet
    from climxai.data.split import Split

LOG = logging.getLogger(__name__)

PARTS: Final = ("train", "validation", "test", "none")
"""Parts of the split in the order of their numbers; ``none`` are samples in a gap."""


@dataclass(frozen=True)
class Prepared:
    """The data of an experiment, read lazily and labelled."""

    files: tuple[Path, ...]
    fields: xr.DataArray
    """as read, all rows"""
    physical: xr.DataArray
    """preprocessed but still in the units of the field, all rows"""
    valid: xr.DataArray
    split: Split
    preprocessing: Preprocessing
    labelling: Labelling
    samples: SampleSet
    """labelled rows only, preprocessed"""
    parts: npt.NDArray[np.int8]
    """per sample: position in `PARTS`"""
    warnings: tuple[str, ...]

    def members(self, part: str) -> npt.NDArray[np.int64]:
        """Return the positions in `samples` that belong to a part of the split, or ``all``."""
        if part == "all":
            return np.arange(len(self.samples), dtype=np.int64)
        return np.flatnonzero(self.parts == PARTS.index(part)).astype(np.int64)

    def index_of(self, positions: npt.NDArray[np.int64]) -> xr.DataArray | None:
        """Return the series behind the labels at positions in `samples`, None without a series."""
        if self.labelling.index is None:
            return None
        labelled = np.flatnonzero(self.labelling.numbers >= 0)
        return self.labelling.index.isel(sample=labelled[positions])

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of samples per part and class."""
        labels = self.samples.labels.values
        return {
            part: {
                name: int((labels[self.members(part)] == number).sum())
                for number, name in enumerate(self.samples.classes)
            }
            for part in PARTS
        }


def prepare(
    experiment: Experiment,
    *,
    preprocessing: Preprocessing | None = None,
    valid: xr.DataArray | None = None,
) -> Prepared:
    """Open, split, preprocess and label the data of ``experiment``.

    Parameters
    ----------
    experiment
        The validated configuration.
    preprocessing
        Fitted before, with a network; None fits it here on the training rows.
    valid
        Known valid cells; None finds them by reading the record once.

    Raises
    ------
    DataError
        When the data do not suit the experiment.
    """
    from climxai.data.preprocess.chain import Preprocessing
    from climxai.data.sampleset import SampleSet
    from climxai.data.validity import valid_cells

    files = experiment.data.paths()
    fields = experiment.data.open()
    if valid is None:
        valid = valid_cells(fields, experiment.data.invalid)
    split = experiment.split.split(fields)
    if preprocessing is None:
        preprocessing = Preprocessing.fit(experiment.preprocess, fields, split.train)
    physical = preprocessing.apply(fields, physical_only=True)
    labelling = _with_short_name(experiment.label.label(physical), experiment.label)
    kept = np.flatnonzero(labelling.numbers >= 0)
    if kept.size == 0:
        raise DataError(
            "no sample falls into any class of `label`: check its thresholds and classes against "
            "the units of the data"
        )
    part_of_row = np.full(fields.sizes["sample"], PARTS.index("none"), dtype=np.int8)
    for part in ("train", "validation", "test"):
        part_of_row[getattr(split, part)] = PARTS.index(part)
    samples = SampleSet(
        inputs=preprocessing.apply(fields).isel(sample=kept),
        labels=_label_array(labelling.numbers[kept], fields.isel(sample=kept)),
        valid=valid,
        classes=labelling.classes,
    )
    prepared = Prepared(
        files=files,
        fields=fields,
        physical=physical,
        valid=valid,
        split=split,
        preprocessing=preprocessing,
        labelling=labelling,
        samples=samples,
        parts=part_of_row[kept],
        warnings=(
            *split.warnings,
            *preprocessing.warnings(fields),
            *labelling.warnings,
        ),
    )
    missing = tuple(_missing_classes(prepared))
    return Prepared(**{**prepared.__dict__, "warnings": prepared.warnings + missing})


def _with_short_name(labelling: Labelling, label: Label) -> Labelling:
    """Return the labelling with its index called as people call it: nino34, say."""
    region = getattr(label, "region", None)
    names = [name for name, box in NAMED_REGIONS.items() if box == region]
    name = names[0] if names else getattr(label, "variable", None)
    if labelling.index is None or name is None:
        return labelling
    return replace(labelling, index=labelling.index.assign_attrs(short_name=str(name)))


def _label_array(numbers: npt.NDArray[np.int64], like: xr.DataArray) -> xr.DataArray:
    import xarray as xr

    return xr.DataArray(numbers, dims="sample", coords={"time": like["time"], "row": like["row"]})


def _missing_classes(prepared: Prepared) -> list[str]:
    """Say which classes each part of the split lacks."""
    found = []
    for part in ("train", "validation", "test"):
        counts = prepared.counts()[part]
        absent = [name for name, count in counts.items() if count == 0]
        if len(absent) == len(counts):
            if getattr(prepared.split, part).size:
                found.append(f"the {part} part of the split has no labelled sample")
        elif absent:
            found.append(
                f"the {part} part of the split has no sample of class {', '.join(absent)}: scores "
                "there say nothing about it"
            )
    return found


def require_trainable(prepared: Prepared) -> None:
    """Refuse to train where a class has no training sample.

    Raises
    ------
    DataError
        Naming the class and what each part holds.
    """
    counts = prepared.counts()
    absent = [name for name, count in counts["train"].items() if count == 0]
    if absent:
        held = "; ".join(
            f"{part}: " + ", ".join(f"{name} {count}" for name, count in counts[part].items())
            for part in ("train", "validation", "test")
        )
        raise DataError(
            f"the training part of the split has no sample of class {', '.join(absent)} ({held}): "
            "move the split, relax the thresholds of `label`, or check `preprocess`"
        )
