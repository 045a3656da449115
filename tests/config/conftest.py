"""A configuration that is right, to be spoilt in one place at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from climxai.config.experiment import Experiment, load_experiment
from climxai.core.errors import ConfigError

VALID = """\
data:
  files: sst.nc
preprocess:
- {name: anomaly, fit: all}
- detrend
label:
  name: box_index
  region: nino34
  classes:
    la_nina: {below: -0.5}
    el_nino: {above: 0.5}
split:
  name: by_date
  train: {end: 2016}
  test: {start: 2017}
network: {name: mlp, hidden: [8, 8]}
train:
  seeds: [0, 1]
  l2: [25, 1e-2]
explain:
  methods:
  - {name: lrp, rule: alpha1beta0}
  - {name: lrp, rule: zero}
  - saliency
  objective: predicted_class
"""

Write = Callable[..., Path]
Load = Callable[..., Experiment]
Refused = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the configuration with (old, new) texts replaced; return its path."""

    def do(*changes: tuple[str, str]) -> Path:
        text = VALID
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} must occur once"
            text = text.replace(old, new)
        path = tmp_path / "e.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return do


@pytest.fixture
def load(write: Write) -> Load:
    """Load the configuration with (old, new) texts replaced."""

    def do(*changes: tuple[str, str], overrides: tuple[str, ...] = ()) -> Experiment:
        return load_experiment(write(*changes), overrides)

    return do


@pytest.fixture
def refused(load: Load, tmp_path: Path) -> Refused:
    """The message with which a changed configuration is refused, its directory left out."""

    def do(*changes: tuple[str, str], overrides: tuple[str, ...] = ()) -> str:
        with pytest.raises(ConfigError) as caught:
            load(*changes, overrides=overrides)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return do
