"""Modified back-propagation from the command line: what is written, and what is refused first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.stages.conftest import Command

METHODS = """\
    - deconvolution
    - guided_backprop
    - {name: deeplift, variant: reveal_cancel, baseline: climatology}
    - grad_cam
    - grad_cam_plus_plus
    - guided_grad_cam
    - pattern_net
    - pattern_attribution
"""
NAMES = [
    line.split("name: ")[-1].split(",")[0].strip(" -{}") for line in METHODS.strip().splitlines()
]


def with_methods(experiment: Path, methods: str, network: str = "") -> Path:
    text = experiment.read_text(encoding="utf-8")
    start, end = text.index("    - {name: lrp"), text.index("composite:")
    text = text[:start] + methods + text[end:]
    if network:
        text = text.replace("{name: mlp, hidden: [4, 4]}", network)
    experiment.write_text(text.replace("seeds: [0, 1]", "seeds: [0]"), encoding="utf-8")
    return experiment


@pytest.fixture
def explained(climxai: Command, experiment: Path) -> Path:
    network = "{name: cnn, channels: [3, 4], pooling: max, batch_norm: true}"
    done = climxai("train", with_methods(experiment, METHODS, network))
    assert done.code == 0, done.err
    done = climxai("explain", experiment)
    assert done.code == 0, done.err
    return experiment.parent / "out" / "relevance"


def test_every_method_explains_a_convolutional_network(explained: Path) -> None:
    for name in NAMES:
        shards = sorted((explained / name / "seed-0").glob("*.nc"))
        held = xr.concat([xr.load_dataset(path) for path in shards], "sample")
        values = held["relevance"].values
        seen = np.isfinite(values)
        assert 0 < np.abs(values[seen]).max() < np.inf, name
        assert held.sizes["sample"] > 30
        assert not seen.all(), "the tiny world has land"
        if name == "deeplift":
            np.testing.assert_allclose(held["conservation"].values, 1, atol=1e-3)
            assert np.abs(held["mask_leak"].values).max() == 0
        if "cam" in name and name != "guided_grad_cam":
            assert values[seen].min() >= 0
            assert np.abs(held["mask_leak"].values).max() == 0


@pytest.mark.parametrize(
    ("methods", "network", "words"),
    [
        ("    - grad_cam\n", "", "(grad_cam): Grad-CAM explains by the feature maps"),
        (
            "    - {name: grad_cam, layer: convolution}\n",
            "{name: cnn, channels: [3]}",
            "no layer named 'convolution'",
        ),
        ("    - guided_backprop\n", "{name: mlp, activation: tanh}", "aten.tanh.default"),
        ("    - pattern_net\n", "{name: mlp, activation: elu}", "aten.elu.default"),
    ],
)
def test_what_does_not_suit_is_refused_before_training(
    climxai: Command, experiment: Path, methods: str, network: str, words: str
) -> None:
    done = climxai("train", with_methods(experiment, methods, network))
    assert done.code == 4
    assert words in done.err
    assert not (experiment.parent / "out" / "networks").exists()
