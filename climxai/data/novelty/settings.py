"""The section `novelty`: compared with what, where, and how closely."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from climxai.core.record import OneOf, Record
from climxai.core.text import AnyText
from climxai.data.novelty import BASELINES, Baseline


class Novelty(Record):
    """Which samples are unlike a baseline: what its leading patterns cannot reconstruct of them.

    Source: Wagstaff and Lee (2018), arXiv:1806.08340; McGovern et al. (2019), BAMS 100(11).
    """

    baseline: Annotated[Baseline, OneOf(BASELINES, "baseline")] = Field(
        default="training", validate_default=True
    )
    """the samples that count as known: the training samples, a class, rows of no class, a period"""
    space: AnyText = "inputs"
    """where samples are compared: `inputs`, or the name of a network's layer"""
    variance: float = Field(0.975, gt=0, le=1)
    """share of the baseline's variance that its patterns must hold"""
    folds: int = Field(10, ge=1)
    """blocks the baseline is cut into: its own samples are compared with patterns of the other
    blocks, as they would look too familiar beside their own; 1 compares them with themselves; a
    block has two rows at least"""
    samples: Literal["record", "labelled", "train", "validation", "test"] = "record"
    """which rows are ranked: all of the record, those with a class, or those of a part of the
    split that have one"""
    most_novel: int = Field(4, ge=0)
    """how many of the most novel samples are mapped"""
    error_maps: Literal["most_novel", "all"] = "most_novel"
    """whose reconstruction errors are written as maps"""
