"""Lines that are printed: numbers that round to zero, and one or several patterns."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from climxai.cli.show import table
from climxai.stages.novelty import _summary


def test_what_rounds_to_zero_has_no_sign():
    text = table(["group", "fall"], [["a", -0.0], ["b", -0.0004], ["c", -0.0006]])
    assert [line.split()[1] for line in text.splitlines()[2:]] == ["0.000", "0.000", "-0.001"]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([1], "1 pattern holds 97.5 % of its variance"),
        ([3], "3 patterns hold 97.5 %"),
        ([1, 2], "1 or 2 patterns hold 97.5 %"),
    ],
)
def test_one_pattern_holds_and_several_hold(counts, words):
    baseline = SimpleNamespace(describe=lambda: "training samples")
    settings = SimpleNamespace(space="inputs", baseline=baseline, variance=0.975)
    patterns = {
        seed: SimpleNamespace(whole=SimpleNamespace(patterns=[None] * count))
        for seed, count in enumerate(counts)
    }
    found = _summary(SimpleNamespace(novelty=settings), SimpleNamespace(size=60), patterns)
    assert words in found
