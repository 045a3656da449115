"""The data of an experiment as its trained networks see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from climxai.bridge.bundle import Bundle
from climxai.core.digest import file_digest
from climxai.core.errors import ModelError
from climxai.stages.keys import data_key, null_key, samples_key, training_key
from climxai.stages.preparation import Prepared, prepare

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment


def prepare_with(
    experiment: Experiment, bundles: Sequence[Bundle], nulls: Sequence[Bundle] = ()
) -> Prepared:
    """Prepare the data with the bundles' own preprocessing; check that they suit each other.

    ``nulls`` are networks trained on shuffled labels.

    Raises
    ------
    ClimxaiError
        When the networks differ in their data, or the data in grid, mask or classes from theirs.
    """
    import xarray as xr

    first, together = bundles[0], (*bundles, *nulls)
    preprocessings = {file_digest(bundle.path / "preprocessing.nc") for bundle in together}
    if len(preprocessings) > 1 or any(b.signature != first.signature for b in together):
        raise ModelError(
            f"the networks below {first.path.parent} were trained on different data or with "
            "different preprocessing: run `climxai train` again"
        )
    fields = experiment.data.open()
    first.signature.check_grid(fields, str(first.path))
    same_data = _trained_on(first) == data_key(experiment, experiment.data.paths())
    valid = None
    if same_data:
        # The mask was found by reading these very files: no need to read them all again.
        valid = xr.DataArray(
            first.signature.valid(),
            dims=("channel", "lat", "lon"),
            coords={name: fields[name] for name in ("channel", "lat", "lon")},
        )
    prepared = prepare(experiment, preprocessing=first.preprocessing, valid=valid)
    if not same_data:
        first.signature.check_mask(prepared.valid, str(first.path))
    samples = samples_key(experiment, prepared.files)
    keys = [training_key(experiment, samples, bundle.seed) for bundle in bundles]
    keys += [null_key(experiment, samples, bundle.seed) for bundle in nulls]
    for bundle, key in zip(together, keys, strict=True) if same_data else ():
        if bundle.key != key:
            raise ModelError(
                f"the network in {bundle.path} was trained with another `preprocess`, `label`, "
                "`split`, `network` or `train` section than the configuration's: run "
                "`climxai train` again, or give the settings it was trained with"
            )
    if prepared.samples.classes != first.classes:
        raise ModelError(
            f"the classes of `label` ({', '.join(prepared.samples.classes)}) are not those of the "
            f"network in {first.path} ({', '.join(first.classes)}): run `climxai train` again"
        )
    return prepared


def _trained_on(bundle: Bundle) -> str:
    from climxai.bridge.bundle import PROVENANCE
    from climxai.core.files import read_json

    found = read_json(bundle.path / PROVENANCE, f"the provenance of the network in {bundle.path}")
    return str(found.get("data", ""))
