"""Keys: what makes a result another one, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from climxai.config.experiment import load_experiment
from climxai.core.errors import DataError
from climxai.stages.keys import null_key, samples_key, training_key

LABEL = "label: {name: series, file: labels.csv, classes: {a: {below: 0}, b: {above: 0}}}\n"


@pytest.fixture
def labelled(experiment: Path) -> Path:
    """The tiny experiment with labels from a file that is not there yet."""
    text = experiment.read_text(encoding="utf-8")
    begin, end = text.index("label:"), text.index("split:")
    experiment.write_text(text[:begin] + LABEL + text[end:], encoding="utf-8")
    return experiment


def test_a_file_of_labels_counts_by_its_bytes(labelled: Path, tiny_file: Path) -> None:
    loaded, files = load_experiment(labelled), (tiny_file,)
    with pytest.raises(DataError, match=r"labels\.csv does not exist"):
        samples_key(loaded, files)
    labels = labelled.with_name("labels.csv")
    labels.write_text("date,index\n1990-01,1\n", encoding="utf-8")
    first = samples_key(loaded, files)
    labels.write_text("date,index\n1990-01,22\n", encoding="utf-8")
    assert samples_key(loaded, files) != first


def test_null_networks_do_not_change_the_others(experiment: Path) -> None:
    plain = load_experiment(experiment)
    more = load_experiment(experiment, ("train.null_networks=19", "train.null_block_length=5"))
    assert training_key(plain, "s", 0) == training_key(more, "s", 0)
    assert null_key(plain, "s", 0) != null_key(more, "s", 0)
    assert null_key(more, "s", 0) != null_key(more, "s", 1)
    assert null_key(more, "s", 0) != training_key(more, "s", 0)
