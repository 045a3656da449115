"""Splits: which rows train, which watch the training, which test."""

from __future__ import annotations

from climxai.data.split.by_date import ByDate
from climxai.data.split.fractions import Fraction, Random
from climxai.data.split.kfold import KFold
from climxai.data.split.member import ByMember
from climxai.data.split.rule import Split, SplitRule
from climxai.data.split.years import Years

SPLITS: dict[str, type[SplitRule]] = {
    "by_date": ByDate,
    "fraction": Fraction,
    "years": Years,
    "member": ByMember,
    "kfold": KFold,
    "random": Random,
}

__all__ = [
    "SPLITS",
    "ByDate",
    "ByMember",
    "Fraction",
    "KFold",
    "Random",
    "Split",
    "SplitRule",
    "Years",
]
