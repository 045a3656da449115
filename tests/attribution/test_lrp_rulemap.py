"""Which layer gets which rule, in the presets and in maps of one's own."""

from __future__ import annotations

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.layer import Layer
from climxai.attribution.lrp.plan import plan_for
from climxai.attribution.lrp.rulemap import RULE_CHOICES, AnyRuleChoice, rule_for
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.rows import MemoryRows

choose = TypeAdapter(AnyRuleChoice).validate_python


@pytest.fixture(scope="module")
def network():
    module = nn.Sequential()
    module.add_module("first", nn.Conv2d(1, 2, 3, padding=1))
    module.add_module("relu1", nn.ReLU())
    module.add_module("pool", nn.AvgPool2d(2))
    module.add_module("second", nn.Conv2d(2, 2, 3, padding=1))
    module.add_module("relu2", nn.ReLU())
    module.add_module("flat", nn.Flatten())
    for i in range(3):
        module.add_module(f"dense{i}", nn.Linear(8, 8))
        module.add_module(f"act{i}", nn.ReLU())
    module.add_module("last", nn.Linear(8, 2))
    return trace(module, (1, 4, 4))


def assigned(network, choice):
    steps = plan_for(network, choose(choice), Settled()).steps
    return {step.layer.name: step.rule.name for step in steps if step.layer is not None}


def test_one_rule_means_the_weighted_layers(network):
    found = assigned(network, "alpha2beta1")
    assert found.pop("pool") == "zero"
    assert set(found.values()) == {"alpha2beta1"}


PRESETS = {
    "composite": "w_square zero gamma epsilon epsilon zero zero",
    "epsilon_plus": "alpha1beta0 zero alpha1beta0 epsilon epsilon epsilon epsilon",
    "epsilon_plus_flat": "flat zero alpha1beta0 epsilon epsilon epsilon epsilon",
    "epsilon_gamma_box": "z_box zero gamma epsilon epsilon epsilon epsilon",
    "deep_taylor": "alpha1beta0 zero" + 5 * " alpha1beta0",
}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(network, preset):
    found = assigned(network, preset)
    names = ["first", "pool", "second", "dense0", "dense1", "dense2", "last"]
    assert [found[name] for name in names] == PRESETS[preset].split()


def test_the_most_specific_entry_wins(network):
    found = assigned(
        network,
        {
            "name": "map",
            "default": "epsilon",
            "first": "flat",
            "last": "zero",
            "lower": "gamma",
            "kinds": {"convolution": "alpha2beta1", "pooling": "alpha1beta0"},
            "layers": {"dense1": {"name": "alpha_beta", "alpha": 3, "beta": 2}},
        },
    )
    assert found == {
        "first": "flat",
        "pool": "alpha1beta0",
        "second": "alpha2beta1",
        "dense0": "epsilon",
        "dense1": "alpha_beta",
        "dense2": "epsilon",
        "last": "zero",
    }


def test_a_pattern_that_matches_nothing_is_refused(network):
    with pytest.raises(ModelError, match=r"dense9.*'dense0'"):
        plan_for(
            network,
            choose({"name": "map", "default": "zero", "layers": {"dense9": "zero"}}),
            Settled(),
        )


@pytest.mark.parametrize(
    "value",
    [
        {"name": "alpha_beta", "alpha": 2, "beta": 0.5},
        {"name": "epsilon", "epsilon": -1},
        {"name": "z_box", "low": 1, "high": 0},
        {"name": "epsilom"},
        {"name": "map", "default": "zero", "kinds": {"dence": "zero"}},
    ],
)
def test_settings_that_make_no_sense(value):
    with pytest.raises(ValidationError):
        choose(value)


PATTERNS = {"*": "epsilon", "d*": "gamma", "dense?": "alpha2beta1", "dense1": "flat"}


@pytest.mark.parametrize("reverse", [False, True])
def test_of_several_patterns_the_most_specific_wins_whatever_the_order(network, reverse):
    ordered = dict(reversed(PATTERNS.items())) if reverse else PATTERNS
    found = assigned(network, {"name": "map", "default": "zero", "layers": ordered})
    assert found["dense1"] == "flat"
    assert found["dense0"] == found["dense2"] == "alpha2beta1"
    assert found["first"] == found["pool"] == "epsilon"


def test_patterns_as_specific_as_each_other_are_refused(network):
    with pytest.raises(ModelError, match=r"'\*0', 'd\*' all match layer 'dense0'"):
        assigned(
            network,
            {"name": "map", "default": "zero", "layers": {"d*": "epsilon", "*0": "gamma"}},
        )
    same = {"d*": "epsilon", "*0": "epsilon"}
    found = assigned(network, {"name": "map", "default": "zero", "layers": same})
    assert found["dense0"] == "epsilon"
    undecided = LayerwiseRelevance(
        rule={"name": "map", "default": "zero", "layers": {"?*": "gamma", "*?": "alpha1beta0"}}
    )
    assert undecided.signed  # asked before any network is there


def test_the_last_of_two_layers_is_upper():
    """Montavon et al. (2019): LRP-0 near the output, whatever the depth."""
    dense = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    assert assigned(trace(dense, (4,)), "composite") == {"0": "w_square", "2": "zero"}


@pytest.mark.parametrize(
    ("module", "rule", "message"),
    [
        (nn.Linear(6, 3), "pass", "shaped like its input"),
        (
            nn.Sequential(nn.Unflatten(1, (1, 2, 3)), nn.Upsample(scale_factor=2)),
            {"name": "map", "default": "zero", "kinds": {"interpolation": "flat"}},
            "interpolation",
        ),
        (
            nn.Sequential(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 2)),
            {"name": "map", "default": "zero", "last": "z_box"},
            "z_box needs bounds",
        ),
        (
            nn.Sequential(nn.GELU(), nn.Linear(6, 2)),
            {"name": "map", "default": "zero", "first": "z_box"},
            "z_box needs bounds",
        ),
    ],
)
def test_rules_that_do_not_suit_are_refused_before_anything_runs(module, rule, message):
    traced = trace(module, (6,))
    rows = MemoryRows(torch.randn(5, 6))
    with pytest.raises(ModelError, match=message):
        LayerwiseRelevance(rule=rule).check(traced, Context(torch.ones(6).bool(), training=rows))


def test_z_box_passes_the_check_where_bounds_can_be_followed():
    module = nn.Sequential(nn.ReLU(), nn.Unflatten(1, (2, 3)), nn.Flatten(), nn.Linear(6, 2))
    context = Context(torch.ones(6).bool(), training=MemoryRows(torch.randn(5, 6)))
    first = LayerwiseRelevance(rule={"name": "map", "default": "zero", "first": "z_box"})
    first.check(trace(module, (6,)), context)
    given = {"name": "z_box", "low": 0, "high": 9}
    last = LayerwiseRelevance(rule={"name": "map", "default": "zero", "last": given})
    last.check(trace(module, (6,)), context)


@pytest.mark.parametrize("name", RULE_CHOICES)
def test_choices_survive_json(name):
    extra = {"alpha_beta": {"alpha": 2, "beta": 1}, "map": {"default": "zero"}}.get(name, {})
    method = LayerwiseRelevance(rule={"name": name, **extra})
    again = LayerwiseRelevance.model_validate_json(method.model_dump_json())
    assert again == method
    assert again.rule.canonical() == method.rule.canonical()


def test_signs_of_the_maps():
    assert not LayerwiseRelevance(rule="alpha1beta0").signed
    assert not LayerwiseRelevance(rule="deep_taylor").signed
    # Samples beyond the training data's bounds contribute negatively.
    assert LayerwiseRelevance(rule={"name": "deep_taylor", "first": "z_box"}).signed
    assert LayerwiseRelevance(rule="alpha1beta0").colour == "sequential"
    assert LayerwiseRelevance(rule="alpha2beta1").signed
    assert LayerwiseRelevance(rule="epsilon_plus").signed


def test_exports_once_and_splits_weights_once(network):
    first = plan_for(network, choose("gamma"), Settled())
    assert plan_for(network, choose("gamma"), Settled()) is first
    other = plan_for(network, choose("alpha2beta1"), Settled())
    maps = [s.crossing.linear for s in first.steps if s.layer is not None]
    others = [s.crossing.linear for s in other.steps if s.layer is not None]
    assert all(a is b for a, b in zip(maps, others, strict=True))
    assert rule_for(choose("gamma"), Layer("a", "dense", 0, 1, True)).name == "gamma"
    assert torch.is_tensor(maps[0].weight)
