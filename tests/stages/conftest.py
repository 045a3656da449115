"""The command line in process, and a small experiment on the tiny world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from climxai.cli.main import main

CONFIG = """\
data:
  files: {file}
  variables: sst
preprocess:
  - {{name: anomaly, by: month}}
label:
  name: box_index
  region: [-20, 20, 130, 270]
  classes:
    cold: {{below: -0.3}}
    warm: {{above: 0.3}}
split: {{name: fraction, train: 0.6, validation: 0.2, test: 0.2, gap: 2}}
network: {{name: mlp, hidden: [4, 4]}}
train:
  seeds: [0, 1]
  epochs: 12
  batch_size: 16
  optimizer: {{name: adam, learning_rate: 0.02}}
explain:
  methods:
    - {{name: lrp, rule: alpha1beta0}}
    - {{id: eps, name: lrp, rule: epsilon}}
    - saliency
    - input_x_gradient
composite: {{normalise: max}}
maps: {{formats: [png], dpi: 50}}
compute: {{rows_per_shard: 30}}
output: out
"""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def climxai(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run ``climxai`` with arguments in this process."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr("sys.argv", ["climxai", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def experiment(tmp_path: Path, tiny_file: Path) -> Path:
    """A configuration on the tiny world; its results go to ``tmp_path / "out"``."""
    path = tmp_path / "tiny.yaml"
    path.write_text(CONFIG.format(file=tiny_file), encoding="utf-8")
    return path
