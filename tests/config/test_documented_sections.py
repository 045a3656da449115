"""Sections that `docs/configuration.md` shows as one block load, and every section is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from climxai.config.experiment import Experiment, load_experiment

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "configs" / "enso_demo.yaml"


def blocks() -> list[str]:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def test_every_section_is_shown() -> None:
    shown = {key for block in blocks() for key in re.findall(r"^(\w+):", block, re.MULTILINE)}
    assert shown == set(Experiment.model_fields)


@pytest.mark.parametrize("section", ["strategies", "optimal_input", "novelty"])
def test_sections_of_single_commands_load_as_shown(tmp_path: Path, section: str) -> None:
    (block,) = [block for block in blocks() if f"\n{section}:" in f"\n{block}"]
    shown = yaml.safe_load(block)[section]
    file = tmp_path / "shown.yaml"
    demo = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**demo, section: shown}), encoding="utf-8")
    loaded = getattr(load_experiment(file), section)
    assert loaded.model_fields_set == set(shown)
