"""Labels without any part in the data, all the way: little is significant, and less than it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.stages.conftest import Command

SECTIONS = """\
label: {name: series, file: labels.csv, classes: {cold: {below: 0}, warm: {above: 0}}}
split: {name: fraction, train: 0.6, test: 0.4}
network: {name: mlp, hidden: [4]}
train:
  seeds: [SEED]
  null_networks: 9
  null_block_length: 12
  epochs: 25
  batch_size: 16
  optimizer: {name: adam, learning_rate: 0.02}
explain:
  methods: [input_x_gradient]
  objective: {name: logit_difference, positive: warm, negative: cold}
composite:
  - significance: {null_quantile: 0.8}
    draw: false
  - id: unseen
    select: {parts: [test]}
    significance: {tests: [t_test, {name: permutation, permutations: 199}], null_quantile: 0.8}
    draw: false
output: out
"""


@pytest.fixture
def shares(climxai: Command, experiment: Path, tiny_file: Path):
    """Run with labels of a CSV file; return the share of cells that each test calls significant."""

    def run(values: np.ndarray, seed: int) -> dict[str, float]:
        with xr.open_dataset(tiny_file) as held:
            dates = held["time"].dt.strftime("%Y-%m-%d").values
        rows = "\n".join(f"{date},{value}" for date, value in zip(dates, values, strict=True))
        (experiment.parent / "labels.csv").write_text(f"date,index\n{rows}\n", encoding="utf-8")
        head = experiment.read_text(encoding="utf-8")
        # The means of the whole record: those of a few years are not zero in the others.
        head = head[: head.index("label:")].replace("by: month", "by: month, fit: all")
        path = experiment.with_name("noise.yaml")
        path.write_text(head + SECTIONS.replace("SEED", str(seed)), encoding="utf-8")
        done = climxai("run", path)
        assert done.code == 0, done.err
        found = {}
        for name in ("input_x_gradient", "input_x_gradient_unseen"):
            with xr.open_dataset(experiment.parent / "out" / "composites" / f"{name}.nc") as held:
                for test in ("null_networks", "t_test", "permutation"):
                    if f"cells_{test}" in held:
                        cells = held[f"cells_significant_{test}"] / held[f"cells_{test}"]
                        found[f"{test}{name.removeprefix('input_x_gradient')}"] = float(
                            cells.mean()
                        )
        return found

    return run


def red(random: int) -> np.ndarray:
    """An index that remembers, like the one of the tiny world but without any part in it."""
    rng = np.random.default_rng([random, 7])
    index = np.zeros(96)
    for month in range(1, 96):
        index[month] = 0.85 * index[month - 1] + rng.normal(0, 0.6)
    return index


def test_noise_is_significant_no_more_often_than_said(shares) -> None:
    found = [shares(red(random), 10 + random) for random in range(2)]
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    assert found[0] != found[1]  # a file of labels with other values is not the same file
    # Over eight such sets of labels: 0.21, 0.20, 0.02 and 0.00; one set spreads by 0.03.
    assert mean["null_networks"] < 0.27
    assert mean["null_networks_unseen"] < 0.3
    assert mean["t_test_unseen"] <= 0.1
    assert mean["permutation_unseen"] <= 0.1
