"""The claims of docs/methods.md about a cause and what goes along with it, on a network by hand.

The true answer is known by construction: the network's weights are zero outside box A.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from climxai.attribution.context import Context
from climxai.attribution.methods import METHODS
from climxai.attribution.network import trace
from climxai.attribution.objectives.objective import Grid

_PATH = Path(__file__).parents[2] / "benchmarks" / "planted_regions.py"


@pytest.fixture(scope="module")
def planted():
    spec = importlib.util.spec_from_file_location("planted_regions", _PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted_regions"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["planted_regions"]


@pytest.fixture(scope="module")
def shares(planted):
    training, test = planted.make_world(800, 0), planted.make_world(40, 1)
    x = torch.from_numpy(test.inputs)
    context = Context(
        torch.from_numpy(test.valid),
        training=planted.rows(training),
        grid=Grid(planted.LAT, planted.LON),
    )
    network = trace(planted.by_hand(), test.inputs.shape[1:])
    assert (network(x).argmax(1).numpy() == test.labels).all()
    found = {}
    for label, settings in planted.ASKED.items():
        name = str(settings.get("name", label))
        method = METHODS[name].model_validate({"name": name, **settings})
        found[label] = planted.shares(planted.relevance(method, network, x, context))
    return found


def test_what_follows_the_network_finds_the_cause_alone(shares):
    for label in (
        "saliency",
        "smoothgrad",
        "input_x_gradient",
        "integrated_gradients",
        "LRP-0",
        "LRP α1β0",
        "deeplift",
        "gradient_shap",
        "pattern_attribution",
    ):
        assert shares[label]["A"] == pytest.approx(1, abs=1e-6), label


def test_patches_and_boxes_blur_but_do_not_reach_the_follower(shares):
    for label in ("occlusion", "permutation_importance"):
        assert shares[label]["A"] > 0.5
        assert shares[label]["B"] == pytest.approx(0, abs=1e-6), label


def test_patterns_show_what_goes_along_with_the_output(shares):
    # The pattern of an output is its covariance with the cells: B's is 0.8 of A's.
    assert shares["pattern_net"]["B"] > 0.25
    assert shares["pattern_net"]["A"] > shares["pattern_net"]["B"]


def test_the_control_has_no_favourite(shares, planted):
    cells = planted.LAT.size * planted.LON.size - 18
    assert shares["random"]["A"] == pytest.approx(24 / cells, abs=0.02)
    assert shares["random"]["B"] == pytest.approx(24 / cells, abs=0.02)
