"""The fitted preprocessing: one file, applied to any record on its grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import TypeAdapter, ValidationError

from climxai.core.dims import FIELD_DIMS
from climxai.core.errors import ConfigError, OutputError
from climxai.core.netcdf import write_netcdf
from climxai.core.record import OneOf
from climxai.data.preprocess import STEPS
from climxai.data.preprocess.step import Rows, Step

if TYPE_CHECKING:
    import xarray as xr

_STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(
    tuple[Annotated[Step, OneOf(STEPS, "preprocessing step")], ...]
)


def check_order(steps: tuple[Step, ...]) -> None:
    """Check that steps which keep the field's units come before those that do not.

    Labels and composites are made from the field in its units, after the steps that keep them.

    Raises
    ------
    ConfigError
        Naming the two steps that must change places.
    """
    before: Step | None = None
    for step in steps:
        if not step.physical:
            before = step
        elif before is not None:
            late, early = step.name, before.name
            raise ConfigError(
                f"preprocess: {late} stands after {early}, which leaves the units of the field: "
                f"put {late} before {early}: labels and composites need the field in its units"
            )


def units_left(units: Iterable[str], remaining: tuple[str, ...]) -> list[str]:
    """Return the units [channel] of maps whose scaling is undone but for the steps ``remaining``.

    Parameters
    ----------
    units
        Units of the field per channel.
    remaining
        Names of steps that could not be undone, from `Preprocessing.undo_scaling`.
    """
    known = [str(each) for each in units]
    if not remaining:
        return known
    return [f"1 ({each or '1'} after {' and '.join(remaining)})" for each in known]


@dataclass(frozen=True)
class Preprocessing:
    """Steps and, for each, what was fitted.

    Parameters
    ----------
    steps
        In the order in which they are applied.
    fitted
        One dataset per step, on the grid (channel, lat, lon) of the record fitted to.
    """

    steps: tuple[Step, ...]
    fitted: tuple[xr.Dataset, ...]

    @classmethod
    def fit(cls, steps: tuple[Step, ...], fields: xr.DataArray, training: Rows) -> Preprocessing:
        """Fit each step to the fields that the steps before it leave.

        Parameters
        ----------
        steps
            In the order in which they are applied.
        fields
            The record (sample, channel, lat, lon), all rows. Read once per step, chunk by chunk.
        training
            Positions of the training rows along ``sample``.

        Raises
        ------
        ConfigError
            When a step that needs the field's units follows one that leaves them.
        DataError
            When a step has no row to fit to, or its fit does not cover a row of the record.
        """
        check_order(steps)
        fitted = []
        for step in steps:
            known = step.fit_to(fields, training)
            fields = step.apply(fields, known)
            fitted.append(known)
        return cls(tuple(steps), tuple(fitted))

    def apply(self, fields: xr.DataArray, physical_only: bool = False) -> xr.DataArray:
        """Return the fields (sample, channel, lat, lon) after the steps: lazy, float32.

        Parameters
        ----------
        fields
            A record on the grid of the fit.
        physical_only
            Leave out the steps that change the units of the field.

        Raises
        ------
        DataError
            When the grid differs from that of the fit, or a row is not covered by it.
        """
        fields = fields.astype("float32", copy=False)
        for step, known in zip(self.steps, self.fitted, strict=True):
            if step.physical or not physical_only:
                fields = step.apply(fields, known)
        return fields

    def undo_scaling(self, maps: xr.DataArray) -> tuple[xr.DataArray, tuple[str, ...]]:
        """Return maps in the units of the field again: what `apply` with ``physical_only`` gives.

        Anomalies stay anomalies: the steps that keep the field's units are not undone.

        Parameters
        ----------
        maps
            Maps (..., channel, lat, lon) on the grid of the fit, preprocessed by all steps.

        Returns
        -------
        maps, remaining
            The maps, and the names of the steps that could not be undone; none, as a rule.
        """
        scaling = [
            (step, known)
            for step, known in zip(self.steps, self.fitted, strict=True)
            if not step.physical
        ]
        while scaling:
            step, known = scaling[-1]
            undone = step.undo(maps, known)
            if undone is None:
                break
            maps = undone
            scaling.pop()
        return maps, tuple(step.name for step, _ in scaling)

    def warnings(self, fields: xr.DataArray) -> tuple[str, ...]:
        """Return where applying the fits to these rows is doubtful: beyond a trend's span, …."""
        said: list[str] = []
        for step, known in zip(self.steps, self.fitted, strict=True):
            said += step.warnings(fields, known)
        return tuple(said)

    def save(self, path: Path) -> None:
        """Write everything to one netCDF file, whole or not at all.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        import xarray as xr

        parts = []
        for number, known in enumerate(self.fitted):
            own = [name for name in (*known.variables, *known.dims) if name not in FIELD_DIMS]
            part = known.rename({name: f"step{number}_{name}" for name in dict.fromkeys(own)})
            for variable in part.data_vars.values():
                if variable.ndim > 1:
                    variable.encoding = {"zlib": True, "complevel": 1}
            parts.append(part)
        dataset = xr.merge(parts, join="exact", combine_attrs="override", compat="identical")
        dataset.attrs = {
            "title": "fitted preprocessing",
            "steps": _STEPS.dump_json(self.steps, serialize_as_any=True).decode(),
        }
        write_netcdf(dataset, path)

    @classmethod
    def load(cls, path: Path) -> Preprocessing:
        """Read what `save` wrote; applying it gives the same bits.

        Raises
        ------
        OutputError
            When the file is missing, damaged or not a preprocessing.
        """
        import xarray as xr

        try:
            with xr.open_dataset(path, engine="netcdf4", decode_times=False) as opened:
                dataset = opened.load()
        except FileNotFoundError:
            raise OutputError(f"the preprocessing is missing: {path} does not exist") from None
        except (OSError, ValueError, RuntimeError) as error:
            raise OutputError(f"the preprocessing cannot be read: {path}: {error}") from error
        try:
            steps = _STEPS.validate_json(str(dataset.attrs.get("steps")))
        except ValidationError as error:
            raise OutputError(
                f"{path} holds no preprocessing that this version knows: its attribute `steps` "
                f"is wrong ({error.errors()[0]['msg']}): train again"
            ) from error
        fitted = []
        for number, step in enumerate(steps):
            prefix = f"step{number}_"
            names = [str(name) for name in dataset.variables if str(name).startswith(prefix)]
            part = dataset[names]
            own = [str(name) for name in (*part.variables, *part.dims)]
            lacking = [name for name in step.keeps if prefix + name not in part]
            if lacking:
                raise OutputError(
                    f"{path} lacks what was fitted for step {number + 1}, {step.name} "
                    f"({', '.join(lacking)}): train again"
                )
            fitted.append(
                part.rename(
                    {n: n.removeprefix(prefix) for n in dict.fromkeys(own) if n.startswith(prefix)}
                ).drop_attrs(deep=False)
            )
        return cls(steps, tuple(fitted))
