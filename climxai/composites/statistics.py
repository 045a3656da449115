"""Statistics beyond mean and standard deviation: a record for each, and their table."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from climxai.core.record import Record

Share = Annotated[float, Field(gt=0, lt=1)]


class Statistic(Record):
    """A further statistic of the maps of a group, cell by cell."""

    name: str


class Mean(Statistic):
    """The mean over maps; written as ``relevance`` whether it is named or not."""

    name: Literal["mean"] = "mean"


class StandardDeviation(Statistic):
    """Their standard deviation; written as ``relevance_std`` whether it is named or not."""

    name: Literal["std"] = "std"


class Median(Statistic):
    """The median over maps, exact; written as ``relevance_median``.

    Maps are read once more for every part of the grid that the memory holds all maps of.
    """

    name: Literal["median"] = "median"


class Quantiles(Statistic):
    """Quantiles over maps, exact, linear between neighbours; written as ``relevance_quantile``.

    Maps are read once more for every part of the grid that the memory holds all maps of.
    """

    name: Literal["quantiles"] = "quantiles"
    at: tuple[Share, ...] = Field(default=(0.1, 0.9), min_length=1)
    """the quantiles, each between 0 and 1"""

    @field_validator("at", mode="after")
    @classmethod
    def _ascending(cls, at: tuple[float, ...]) -> tuple[float, ...]:
        if any(one >= other for one, other in pairwise(at)):
            raise PydanticCustomError("order", "quantiles stand in ascending order, each once")
        return at


class SignAgreement(Statistic):
    """The fraction of maps whose sign is that of their mean; ``relevance_sign_agreement``.

    Zero agrees with neither sign. Missing where the mean is zero, to rounding.
    """

    name: Literal["sign_agreement"] = "sign_agreement"


class Frequency(Statistic):
    """How often relevance exceeds its own map's quantile; written as ``relevance_frequency``.

    The fraction of maps in which a cell is above the quantile of all valid cells of that map, over
    all channels (Barnes et al. 2020 use the 90th percentile). It does not depend on how maps are
    divided beforehand.
    """

    name: Literal["frequency"] = "frequency"
    above: Share = 0.9
    """the quantile of each map's own cells"""


class Count(Statistic):
    """The number of maps that are valid in a cell; written as ``relevance_count``."""

    name: Literal["count"] = "count"


STATISTICS: Final[dict[str, type[Statistic]]] = {
    "mean": Mean,
    "std": StandardDeviation,
    "median": Median,
    "quantiles": Quantiles,
    "sign_agreement": SignAgreement,
    "frequency": Frequency,
    "count": Count,
}
"""Name -> record of a statistic."""
