"""Which map goes to which class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from climxai.composites.settings import Composite

NOT_COUNTED = -1
"""The class number of a map that goes to no class."""


def assign(
    label: npt.NDArray[np.integer], prediction: npt.NDArray[np.integer], settings: Composite
) -> npt.NDArray[np.int64]:
    """Return the class number of each map, `NOT_COUNTED` where it counts for none.

    Parameters
    ----------
    label
        True class numbers [sample]; negative where a sample has none. Such a sample is neither
        correct nor incorrect.
    prediction
        Class numbers the network gave [sample].
    settings
        ``by`` and ``only`` are read.
    """
    numbers = np.asarray(label if settings.by == "label" else prediction).astype(np.int64)
    counted = numbers >= 0
    if settings.only == "correct":
        counted &= (label >= 0) & (label == prediction)
    elif settings.only == "incorrect":
        counted &= (label >= 0) & (label != prediction)
    numbers[~counted] = NOT_COUNTED
    return numbers


def describe(settings: Composite) -> str:
    """Return which maps are in a composite, in words, for attributes and titles."""
    which = {
        "all": "all explained samples",
        "correct": "correctly classified samples",
        "incorrect": "wrongly classified samples",
    }[settings.only]
    classes = {"label": "true class", "prediction": "class the network gave"}[settings.by]
    return f"{which}, by the {classes}"
