"""All tests of a composite: p-values per cell, and what they say about each map."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.discoveries import threshold
from climxai.composites.significance.gather import Cells, spread
from climxai.composites.significance.method import Memory, SignificanceTest
from climxai.composites.significance.serial import Series
from climxai.composites.significance.settings import Significance
from climxai.core.progress import Tick

LOG = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]
FEWEST: int = 5
"""Samples of a class below which nothing is tested: their autocorrelation cannot be told."""


@dataclass(frozen=True)
class Outcome:
    """What one test found of every class, or of every difference of two of them."""

    test: SignificanceTest
    p: Array
    """[class or difference, channel, lat, lon]; NaN where nothing is tested"""
    threshold: Array
    """[class or difference, channel]: the largest significant p-value, NaN where there is none"""
    block: npt.NDArray[np.int32] | None
    """[class or difference]: samples kept together, 0 without a test; None without blocks"""
    samples: npt.NDArray[np.int32]
    """[class or difference]: samples compared, those of several networks counted once"""
    differences: bool = False
    """whether differences were tested"""

    @property
    def significant(self) -> npt.NDArray[np.bool_]:
        """[class or difference, channel, lat, lon]: p-value at most the threshold."""
        return np.asarray(self.p <= self.threshold[:, :, None, None])


@dataclass
class _Question:
    """One map of p-values that one test fills, cell by cell."""

    test: SignificanceTest
    group: int
    chosen: npt.NDArray[np.bool_] | None
    """which samples take part; None for all"""
    p: Array
    """[cell]"""
    samples: int
    memory: Memory | None = None
    """None where there is nothing to test"""

    def prepare(self, probe: npt.NDArray[np.float32], series: Series) -> None:
        """Find out how much samples repeat each other."""
        self.memory = self.test.prepare(*self._part(probe, series))

    def answer(
        self, values: npt.NDArray[np.float32], series: Series, where: npt.NDArray[np.int64]
    ) -> None:
        """Fill in the p-values of some cells."""
        if self.memory is not None:
            held, group, own = self._part(values, series)
            self.p[where] = self.test.p_values(held, group, own, self.memory)

    def _part(
        self, values: npt.NDArray[np.float32], series: Series
    ) -> tuple[npt.NDArray[np.float32], int, Series]:
        if self.chosen is None:
            return values, self.group, series
        return values[self.chosen], self.group, series.take(self.chosen)


def suits(test: SignificanceTest, signed: bool) -> bool:
    """Return whether a test can say anything about relevance that has two signs, or has not."""
    return signed or test.against != "zero"


def run_tests(
    cells: Cells,
    classes: Sequence[str],
    settings: Significance,
    *,
    signed: bool,
    method: str,
    tick: Tick,
    differences: Sequence[tuple[str, str]] = (),
) -> dict[str, Outcome]:
    """Make all tests of a composite in one go through its relevance.

    Parameters
    ----------
    cells
        Relevance of all samples, read cell by cell.
    classes
        Names of the classes.
    settings
        Which tests, and what counts as significant.
    signed
        Whether relevance has two signs: a test against zero of what is never negative is left out,
        with a warning.
    method
        Identifier of the method, for warnings.
    tick
        Called after each part of the cells, ``len(cells.slices())`` times.
    differences
        Pairs of classes whose difference is tested, too, by the tests that compare classes.

    Returns
    -------
    outcomes
        By the name of the test, for differences with ``_difference`` behind it.
    """
    asked = [test for test in settings.tests if suits(test, signed)]
    for test in settings.tests:
        if test not in asked:
            LOG.warning("%s", trivial(method, _name(test)))
    if not asked:
        return {}
    series = cells.samples.series
    questions = {
        _name(test): [_of_class(test, k, classes, cells, method) for k in range(len(classes))]
        for test in asked
    }
    for test in asked:
        if test.against == "others" and differences:
            questions[f"{_name(test)}_difference"] = [
                _of_pair(test, [classes.index(name) for name in pair], classes, cells, method)
                for pair in differences
            ]
    together = [each for held in questions.values() for each in held]
    parts = cells.slices()
    # One reading serves everything where all cells fit into the memory.
    whole = cells.read(cells.tested) if len(parts) == 1 else None
    probe = cells.probe() if whole is None else whole[:, spread(whole.shape[1])]
    probe = probe[:, np.isfinite(probe).all(axis=0)]
    for each in together:
        if each.samples:
            each.prepare(probe, series)
    for part in parts:
        values = whole if whole is not None else cells.read(cells.tested[part])
        fine = np.isfinite(values).all(axis=0)
        held = values if fine.all() else values[:, fine]
        for each in together:
            each.answer(held, series, cells.tested[part][fine])
        tick(1)
    return {name: _outcome(held, cells, settings) for name, held in questions.items()}


def _of_class(
    test: SignificanceTest, group: int, classes: Sequence[str], cells: Cells, method: str
) -> _Question:
    """Return the question about one class; it is empty where there are too few samples."""
    series, words = cells.samples.series, f"class {classes[group]}"
    samples = int(np.count_nonzero(series.group == group))
    lacking = _lacking(samples)
    if test.against == "others" and not (series.against(group) & (series.group != group)).any():
        lacking = "no sample is of another class, there is nothing to compare with"
    if lacking and samples:
        LOG.warning("%s, %s: no %s: %s", method, words, _name(test), lacking)
    p = np.full(cells.domain.size, np.nan)
    return _Question(test, group, None, p, 0 if lacking else samples)


def _of_pair(
    test: SignificanceTest, pair: Sequence[int], classes: Sequence[str], cells: Cells, method: str
) -> _Question:
    """Return the question about the difference of two classes."""
    series = cells.samples.series
    first, second = pair
    words = f"{classes[first]} less {classes[second]}"
    counts = [int(np.count_nonzero(series.group == group)) for group in pair]
    lacking = _lacking(min(counts))
    chosen = np.isin(series.group, pair)
    others = series.take(chosen)
    if not lacking and not (others.against(first) & (others.group != first)).any():
        lacking = "both classes hold the same samples"
    if lacking:
        LOG.warning("%s, %s: no %s: %s", method, words, _name(test), lacking)
    p = np.full(cells.domain.size, np.nan)
    return _Question(test, first, chosen, p, 0 if lacking else sum(counts))


def _lacking(samples: int) -> str:
    """Return what is wrong with so few samples, nothing with enough."""
    if samples >= FEWEST:
        return ""
    return f"{samples} samples are too few, at least {FEWEST} are needed"


def _outcome(held: Sequence[_Question], cells: Cells, settings: Significance) -> Outcome:
    p = np.stack([each.p for each in held]).reshape(len(held), *cells.domain.shape)
    blocks = [0 if each.memory is None else each.memory.block for each in held]
    return Outcome(
        held[0].test,
        p,
        thresholds(p, settings),
        None if all(not each for each in blocks) else np.array(blocks, dtype=np.int32),
        np.array([each.samples for each in held], dtype=np.int32),
        held[0].chosen is not None,
    )


def thresholds(p: Array, settings: Significance) -> Array:
    """Return the largest significant p-value [class, channel] of p-values (…, lat, lon)."""
    if settings.correction == "none":
        tested = np.isfinite(p).any(axis=(-2, -1))
        return np.where(tested, settings.alpha, np.nan)
    flat = p.reshape(-1, *p.shape[-2:])
    found = [threshold(each, settings.alpha) for each in flat]
    return np.array(found).reshape(p.shape[:-2])


def trivial(method: str, test: str) -> str:
    """Return what to say about a test against zero of relevance that is never negative."""
    return (
        f"{method}: no {test}, since its relevance is never negative and so differs from zero "
        "wherever there is any; compare its classes with each other by `permutation`, or with "
        "networks trained on shuffled labels by `train.null_networks`"
    )


def _name(test: SignificanceTest) -> str:
    return str(test.model_dump()["name"])
