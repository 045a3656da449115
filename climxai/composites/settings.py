"""What a composite is made of: the `composite` section of a configuration."""

from __future__ import annotations

from typing import Literal

from climxai.core.record import Record

Normalisation = Literal["none", "max", "sum"]
By = Literal["label", "prediction"]
Only = Literal["all", "correct", "incorrect"]


class Composite(Record):
    """Which maps are averaged, by which class, and what each map is divided by beforehand.

    The defaults are the published choice for ENSO: every map divided by its own maximum, averaged
    per class (Toms, Barnes & Ebert-Uphoff 2020).
    """

    normalise: Normalisation = "max"
    """what each map is divided by before averaging: its largest absolute relevance (max), the sum
    of its absolute relevance (sum), or nothing (none: maps of confident samples weigh more)"""
    by: By = "label"
    """which class a map goes to: the true one (label) or the one the network gave (prediction)"""
    only: Only = "all"
    """which maps count: all, those of correctly classified samples, or those of the others"""
