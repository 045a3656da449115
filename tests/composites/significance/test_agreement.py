"""Agreement of signs, by hand."""

from __future__ import annotations

import numpy as np

from climxai.composites.significance.agreement import sign_agreement


def test_shares_by_hand() -> None:
    maps = np.array(
        [[1.0, -1.0, 0.0, np.nan, np.nan], [2.0, 3.0, 1.0, 1.0, np.nan], [1.0, -2.0, 0.0, 2.0, 1.0]]
    )
    reference = np.array([1.0, -0.1, 0.3, 1.0, np.nan])
    found = sign_agreement(maps, reference)
    assert found[:4].tolist() == [1, 2 / 3, 1 / 3, 1]
    assert np.isnan(found[4])
