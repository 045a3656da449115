"""Maps to tensors: invalid cells become 0, which is the training mean once maps are anomalies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError

if TYPE_CHECKING:
    import torch
    import xarray as xr


def to_tensor(inputs: xr.DataArray, valid: npt.NDArray[np.bool_]) -> torch.Tensor:
    """Read ``inputs`` (sample, channel, lat, lon) as a float32 tensor, invalid cells being 0.

    Parameters
    ----------
    inputs
        Lazy maps; only these rows are read.
    valid
        Valid cells, bool [channel, lat, lon].

    Raises
    ------
    DataError
        When a valid cell is missing or infinite in one of the samples.
    """
    import torch

    # A copy of our own: the array may be a view into a cached file block.
    values = np.array(inputs.values, dtype=np.float32, order="C", copy=True)
    values[:, ~valid] = 0.0
    finite = np.isfinite(values)
    if not finite.all():
        sample, channel, row, column = (int(index) for index in np.argwhere(~finite)[0])
        raise DataError(
            f"sample {inputs['time'].values[sample]} has no value at "
            f"lat {float(inputs['lat'][row]):g}, lon {float(inputs['lon'][column]):g} of channel "
            f"{inputs['channel'].values[channel]}, where the network expects one: the data's gaps "
            "differ from those of the training data"
        )
    return torch.from_numpy(values)
