"""What `climxai strategies` clusters, how, and what it holds suspect: the `strategies` section."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from climxai.composites.clusters import CLUSTERERS, Clusterer
from climxai.composites.clusters.coarsen import Degrees
from climxai.core.record import OneOf, Record
from climxai.core.region import AnyRegion

Scale = Literal["none", "max", "sum", "l2"]


class IndexRange(Record):
    """The open range of the label's index in which a sample is clustered."""

    above: float | None = None
    """the index lies above this; units of the index"""
    below: float | None = None
    """the index lies below this; units of the index"""

    @model_validator(mode="after")
    def _holds_something(self) -> IndexRange:
        if self.above is None and self.below is None:
            raise PydanticCustomError("index", "a range needs `above`, `below` or both")
        if self.above is not None and self.below is not None and self.above >= self.below:
            raise PydanticCustomError(
                "index",
                "no value lies above {above} and below {below}",
                {"above": self.above, "below": self.below},
            )
        return self


class Suspect(Record):
    """Where there should be no relevance, and what else makes a cluster suspect (Clever Hans)."""

    land: bool = False
    """whether relevance on land is suspect: cells whose centre is on land"""
    outside: AnyRegion | None = None
    """relevance outside this region is suspect: a name or [south, north, west, east]"""
    border: NonNegativeInt = 0
    """relevance on so many cells along the edge of the grid is suspect; a grid that goes around the
    globe has a northern and a southern edge only"""
    share: float = Field(0.5, gt=0, lt=1)
    """share of a cluster's relevance in suspect places, or in one constant place, that is told; a
    smaller one is told where it is twice that of the other clusters, and more by 0.1"""
    still: float = Field(0.1, gt=0, lt=1)
    """share of a cluster's relevance on cells whose field is the same in all its samples, but not
    in others, that is told: marks, watermarks, fillings"""
    small: float = Field(0.05, ge=0, lt=1)
    """clusters of less than this share of the samples, or of one or two samples, are told"""
    alike: float = Field(0.9, gt=0, le=1)
    """mean cosine between a cluster's maps of relevance from which they count as one map"""
    follows: float = Field(0.2, ge=0, le=1)
    """such maps are told where the field of a cell accounts for less than this part of the
    variation of its relevance"""


class Suggest(Record):
    """How the number of clusters is suggested, and how stability is measured."""

    most: int = Field(8, ge=2)
    """the largest number of clusters that is tried"""
    resamples: PositiveInt = 20
    """how often a part of the samples is drawn and clustered anew"""
    fraction: float = Field(0.8, gt=0, lt=1)
    """the part of the samples that is drawn, without replacement"""


class Strategies(Record):
    """Which samples are clustered, by what, and how: the strategies of the networks (SpRAy).

    Order of work: maps averaged over seeds, coarsened, divided, weighted, reduced, clustered.

    Source: Lapuschkin et al. (2019), Nature Communications 10, 1096.
    """

    methods: tuple[str, ...] | None = Field(None, min_length=1)
    """ids of the methods whose relevance is clustered, each by itself; null: all"""
    within: str = "each"
    """`each` class by itself, `all` classes together, or the name of one class"""
    by: Literal["label", "prediction"] = "label"
    """the class a sample belongs to: the true one, or the one most of the networks gave"""
    index: IndexRange | None = None
    """only samples whose label index lies in this range; null: all"""
    seed: Literal["mean"] | NonNegativeInt = "mean"
    """`mean` of the maps over the networks of all seeds, or one seed's maps"""
    features: Literal["relevance", "fields", "both"] = "relevance"
    """what is compared; of `both` each half counts alike"""
    normalise: Scale = "max"
    """what each map of relevance is divided by: its largest absolute value (max), sum of absolute
    values (sum), root of squares (l2), or nothing (none)"""
    normalise_fields: Scale = "none"
    """what each map of the field is divided by, likewise"""
    coarsen: PositiveInt | Degrees | None = None
    """blocks that are averaged first: cells per side, or {degrees: 10}; null: none"""
    weights: Literal["area", "none"] = "area"
    """whether a cell counts by its area in distances, or as any other"""
    pca: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)] | None = None
    """principal components that are kept: a number, or a share of the variance; null: no PCA"""
    metric: Literal["euclidean", "cosine"] = "euclidean"
    """how maps are compared; cosine: as Euclidean, of maps of length one"""
    algorithm: Annotated[Clusterer, OneOf(CLUSTERERS, "clustering algorithm", "spectral")] = Field(
        default="spectral", validate_default=True
    )
    """how samples are parted into clusters"""
    suggest: Suggest = Suggest()
    """how the number of clusters is suggested, and its stability measured"""
    vary: tuple[PositiveInt, ...] = (3, 5, 7)
    """numbers of neighbours for which the table of stability clusters again"""
    random: NonNegativeInt = 0
    """seed of k-means, resampling and t-SNE: the same gives the same bits"""
    perplexity: float = Field(30.0, gt=0)
    """neighbours that t-SNE keeps near; lowered where there are few samples"""
    nearest: PositiveInt = 3
    """samples nearest to each cluster's centre that are listed"""
    suspect: Suspect = Suspect()
    """what is told as suspect: a Clever Hans check"""
