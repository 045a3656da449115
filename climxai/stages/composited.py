"""Composite files of a run, opened for pictures, and how pages call what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from climxai.core.errors import DataError, OutputError
from climxai.stages.composite import file_name
from climxai.stages.explained import Run
from climxai.stages.wording import field_name

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.attribution.methods import Method
    from climxai.composites.settings import Composite


def open_composite(run: Run, method: Method, settings: Composite) -> xr.Dataset:
    """Read a composite file.

    Raises
    ------
    OutputError
        When it is missing, damaged, or its method or settings have changed since.
    """
    import xarray as xr

    path = run.layout.composite(file_name(method, settings))
    if not path.exists():
        raise OutputError(f"{path} is missing: run `climxai composite` first")
    try:
        dataset = xr.load_dataset(path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{path} cannot be read ({error}): run `climxai composite` again"
        ) from error
    if dataset.attrs.get("method_settings") != method.canonical():
        raise OutputError(
            f"{path} was made with other settings of the method: run `climxai composite` again"
        )
    return dataset


def filled(dataset: xr.Dataset) -> list[str]:
    """Return the groups that have maps.

    Raises
    ------
    DataError
        When none has.
    """
    counts = zip(dataset["class"].values, dataset["count"].values, strict=True)
    found = [str(name) for name, count in counts if count > 0]
    if not found:
        raise DataError("the composite has no map in any group")
    return found


def field_of(run: Run, chosen: xr.Dataset) -> xr.DataArray:
    """Return the field of one group and channel, named as captions need it."""
    return chosen["field"].assign_attrs(
        long_name=f"mean {field_name(chosen, run.experiment)}", units=str(chosen["units"].item())
    )


def count_of(chosen: xr.Dataset) -> str:
    """Return the number of samples where all networks have as many, else that of maps."""
    counts = set(chosen["count_by_seed"].values.tolist())
    return f"n = {counts.pop()}" if len(counts) == 1 else f"n = {int(chosen['count'])} maps"


def networks(dataset: xr.Dataset) -> str:
    """Return the number of networks in words."""
    count = dataset.sizes["seed"]
    return f"{count} network{'s' if count > 1 else ''}"


def of_channel(run: Run, channel: str) -> str:
    """Return what a title adds where there are several channels."""
    return f", {channel}" if len(run.channels) > 1 else ""


def stem_of(*parts: str | None) -> str:
    """Return the parts of a file name that are there, joined."""
    return "_".join(part for part in parts if part)


def save(run: Run, figure: Figure, stem: str) -> Iterator[Path]:
    """Save a page in the formats of `maps.formats`; yield each file."""
    from climxai.plots.style import save_figure

    yield from save_figure(
        figure, [run.layout.picture(stem, suffix) for suffix in run.experiment.maps.formats]
    )
