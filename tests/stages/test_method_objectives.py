"""A method may explain a scalar of its own, beside others on the same samples."""

from __future__ import annotations

import numpy as np
import xarray as xr

METHODS = (
    "explain.methods=["
    "{id: cold, name: lrp, rule: zero, objective: {name: class, class_name: cold}},"
    "{id: warm, name: lrp, rule: zero, objective: {name: class, class_name: warm}},"
    "{id: both, name: lrp, rule: zero,"
    " objective: {name: logit_difference, positive: warm, negative: cold}},"
    "{id: section, name: lrp, rule: zero}]"
)


def test_each_method_explains_its_own_scalar(climxai, experiment, tmp_path):
    section = "explain.objective={name: class, class_name: cold}"
    done = climxai(
        "run", experiment, "--set", METHODS, "--set", section, "--set", "train.seeds=[0]"
    )
    assert done.code == 0, done.err
    found = {
        name: xr.load_dataset(tmp_path / f"out/relevance/{name}/seed-0/shard-00000.nc")
        for name in ("cold", "warm", "both", "section")
    }
    # Scores and LRP-0 are linear in the objective's weights: the difference is the difference.
    for name in ("output", "relevance"):
        difference = found["warm"][name].values - found["cold"][name].values
        np.testing.assert_allclose(found["both"][name].values, difference, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found["section"][name].values, found["cold"][name].values)
    assert '"warm"' in found["warm"].attrs["objective_settings"]
    # The same scalar, asked for in two places, is the same work.
    assert found["section"].attrs["key"] == found["cold"].attrs["key"]


def test_a_class_that_is_not_there_is_found_with_its_method(climxai, experiment):
    asked = "explain.methods=[lrp, {name: saliency, objective: {name: class, class_name: hot}}]"
    done = climxai("check", experiment, "--set", asked)
    assert done.code == 2
    assert "explain.methods.1.objective.class_name" in done.err
    assert "there is no class 'hot'" in done.err


def test_a_method_inside_another_has_no_objective(climxai, experiment):
    asked = (
        "explain.methods=[{name: seed_average,"
        " method: {name: saliency, objective: predicted_class}}]"
    )
    done = climxai("check", experiment, "--set", asked)
    assert done.code == 2
    assert "give it to the outer one" in done.err
