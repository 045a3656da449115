"""All tests of a composite: p-values per cell, and what they say about each map."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.discoveries import threshold
from climxai.composites.significance.gather import Cells, spread
from climxai.composites.significance.method import Memory, SignificanceTest, TooFewError
from climxai.composites.significance.settings import Significance
from climxai.core.progress import Tick

LOG = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]
FEWEST: int = 5
"""Samples of a class below which nothing is tested: their autocorrelation cannot be told."""


@dataclass(frozen=True)
class Outcome:
    """What one test found."""

    test: SignificanceTest
    p: Array
    """[class, channel, lat, lon]; NaN where nothing is tested"""
    threshold: Array
    """[class, channel]: the largest significant p-value, NaN where there is none"""
    block: npt.NDArray[np.int32] | None
    """[class]: samples kept together, 0 for a class without a test; None without blocks"""
    samples: npt.NDArray[np.int32]
    """[class]: samples compared, those of several networks counted once"""

    @property
    def significant(self) -> npt.NDArray[np.bool_]:
        """[class, channel, lat, lon]: where the p-value is at most the threshold."""
        return np.asarray(self.p <= self.threshold[:, :, None, None])


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

    Returns
    -------
    tested
        By the name of the test.
    """
    asked = [test for test in settings.tests if suits(test, signed)]
    for test in settings.tests:
        if test not in asked:
            LOG.warning("%s", trivial(method, _name(test)))
    if not asked:
        return {}
    parts = cells.slices()
    # One reading serves everything where all cells fit into the memory.
    whole = cells.read(cells.tested) if len(parts) == 1 else None
    probe = cells.probe() if whole is None else whole[:, spread(whole.shape[1])]
    probe = probe[:, np.isfinite(probe).all(axis=0)]
    series = cells.samples.series
    counts = np.bincount(series.group, minlength=len(classes)).astype(np.int32)
    enough = [k for k in range(len(classes)) if counts[k] >= FEWEST]
    for k, name in enumerate(classes):
        if 0 < counts[k] < FEWEST:
            LOG.warning(
                "%s, class %s: %d samples are too few for a test of their mean, at least %d are "
                "needed",
                method,
                name,
                counts[k],
                FEWEST,
            )
    memory = {
        (t, k): test.prepare(probe, k, series) for t, test in enumerate(asked) for k in enough
    }
    p = np.full((len(asked), len(classes), cells.domain.size), np.nan)
    for part in parts:
        values = whole if whole is not None else cells.read(cells.tested[part])
        fine = np.isfinite(values).all(axis=0)
        where = cells.tested[part][fine]
        held = values if fine.all() else values[:, fine]
        for t, test in enumerate(asked):
            for k in enough:
                try:
                    p[t, k, where] = test.p_values(held, k, series, memory[t, k])
                except TooFewError as error:
                    LOG.warning("%s, class %s: no %s: %s", method, classes[k], _name(test), error)
        tick(1)
    p = p.reshape(len(asked), len(classes), *cells.domain.shape)
    return {
        _name(test): Outcome(
            test,
            p[t],
            thresholds(p[t], settings),
            _lengths([memory.get((t, k)) for k in range(len(classes))]),
            counts,
        )
        for t, test in enumerate(asked)
    }


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


def _lengths(found: list[Memory | None]) -> npt.NDArray[np.int32] | None:
    if all(each is None or each.block is None for each in found):
        return None
    return np.array([each.block or 0 if each else 0 for each in found], dtype=np.int32)


def _name(test: SignificanceTest) -> str:
    return str(test.model_dump()["name"])
