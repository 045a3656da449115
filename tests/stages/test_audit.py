"""`climxai audit`: its books balance, and agree with the shards of relevance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climxai.config.experiment import load_experiment
from climxai.plots.audit import relevance_left
from tests.stages.conftest import Command

LRP = (
    "explain.methods=[{id: a1b0, name: lrp, rule: alpha1beta0},"
    "{id: eps, name: lrp, rule: {name: epsilon, epsilon: 0.5}},"
    "{id: box, name: lrp, rule: epsilon_gamma_box}, saliency]"
)


@pytest.fixture
def trained(climxai: Command, experiment: Path) -> Path:
    done = climxai("train", experiment)
    assert done.code == 0, done.err
    return experiment.parent / "out"


def shards(out: Path, method: str, seed: int) -> xr.Dataset:
    files = sorted((out / "relevance" / method / f"seed-{seed}").glob("*.nc"))
    return xr.concat([xr.load_dataset(path) for path in files], "sample")


def test_the_books_agree_with_the_shards(climxai: Command, experiment: Path, trained: Path) -> None:
    # The oracle is the relevance in the files of `climxai explain`, summed here.
    assert climxai("explain", experiment, "--set", LRP).code == 0
    done = climxai("audit", experiment, "--set", LRP)
    assert done.code == 0, done.err
    assert "saliency" in done.err
    for method in ("a1b0", "eps", "box"):
        audit = xr.load_dataset(trained / "audit" / f"{method}.nc")
        assert audit["passed"].dims == ("seed", "layer", "sample")
        for seed in (0, 1):
            books, held = audit.sel(seed=seed), shards(trained, method, seed)
            assert books["row"].values.tolist() == held["row"].values.tolist()
            on_map = held["relevance"].astype(np.float64).sum(("channel", "lat", "lon"))
            np.testing.assert_allclose(books["total"] - books["land"], on_map, atol=1e-5)
            np.testing.assert_allclose(books["output"], held["output"], rtol=1e-5)
            np.testing.assert_allclose(
                books["conservation"], held["conservation"], rtol=1e-4, atol=1e-5
            )
            assert books["zero_map"].values.tolist() == held["zero_map"].values.tolist()
    assert not (trained / "audit" / "saliency.nc").exists()


def test_what_was_taken_and_what_is_left_add_up(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    # Nothing vanishes: output = relevance of the input + bias + stabiliser + the rest, and what a
    # layer of a chain passes on is what reaches the next.
    assert climxai("audit", experiment, "--set", LRP).code == 0
    for method in ("a1b0", "eps", "box"):
        audit = xr.load_dataset(trained / "audit" / f"{method}.nc")
        taken = (audit["bias"] + audit["stabiliser"] + audit["other"]).sum("layer")
        np.testing.assert_allclose(audit["total"] + taken, audit["output"], atol=1e-5)
        np.testing.assert_allclose(
            audit["positive"] + audit["negative"], audit["passed"], atol=1e-5
        )
        np.testing.assert_allclose(audit["passed"][:, :-1], audit["arrived"][:, 1:], atol=1e-5)
        np.testing.assert_allclose(audit["passed"][:, -1], audit["total"], atol=1e-5)
        assert audit["kind"].values.tolist() == ["dense"] * 3
    stabilised = xr.load_dataset(trained / "audit" / "eps.nc")["stabiliser"]
    assert float(abs(stabilised).max()) > 0.01


def test_the_file_says_where_it_comes_from(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    assert climxai("audit", experiment).code == 0
    attributes = xr.load_dataset(trained / "audit" / "lrp.nc").attrs
    assert attributes["Conventions"].startswith("CF-")
    assert "climxai audit" in attributes["history"]
    assert set(json.loads(attributes["network_digests_sha256"])) == {"0", "1"}
    assert json.loads(attributes["method_settings"])["rule"]["name"] == "alpha1beta0"
    assert "audit" in json.loads((trained / "provenance.json").read_text())
    for name in ("lrp", "eps", "conservation"):
        assert (trained / "audit" / f"{name}.png").stat().st_size > 1000


def test_only_correct_samples_and_a_part_of_the_split(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    chosen = ("--set", "explain.samples=test", "--set", "explain.only_correct=true")
    # One epoch with a tiny step: the networks are wrong here and there.
    weak = (*chosen, "--set", "train.epochs=1", "--set", "train.optimizer.learning_rate=0.0001")
    assert climxai("train", experiment, *weak).code == 0
    assert climxai("explain", experiment, *weak).code == 0
    assert climxai("audit", experiment, *weak).code == 0
    audit = xr.load_dataset(trained / "audit" / "lrp.nc")
    scores = json.loads((trained / "scores.json").read_text())["seeds"]
    some_are_wrong = False
    for row in scores:
        there = audit["output"].sel(seed=row["seed"]).notnull()
        assert there.size == row["test"]["n"]
        assert int(there.sum()) == np.trace(row["test"]["confusion"])
        assert audit["row"].values[there.values].tolist() == (
            shards(trained, "lrp", row["seed"])["row"].values.tolist()
        )
        some_are_wrong |= int(there.sum()) < there.size
    assert some_are_wrong
    assert np.isnan(audit["passed"].where(audit["output"].isnull())).all()


def test_explain_audits_when_asked(climxai: Command, experiment: Path, trained: Path) -> None:
    done = climxai("explain", experiment, "--set", "explain.audit=true")
    assert done.code == 0, done.err
    assert "to stabiliser" in done.out
    asked = {path.name: path for path in (trained / "audit").iterdir()}
    assert set(asked) == {"lrp.nc", "lrp.png", "eps.nc", "eps.png", "conservation.png"}
    first = xr.load_dataset(asked["eps.nc"])
    assert climxai("audit", experiment).code == 0
    xr.testing.assert_equal(first, xr.load_dataset(asked["eps.nc"]))


def test_advice_names_what_hurts(climxai: Command, experiment: Path, trained: Path) -> None:
    del trained
    assert "without L2 or L1 penalty" in " ".join(climxai("audit", experiment).out.split())
    calm = climxai("audit", experiment, "--set", "train.l2=[1, 0]")
    assert "without L2 or L1 penalty" not in " ".join(calm.out.split())


def test_memory_changes_no_number(climxai: Command, experiment: Path, trained: Path) -> None:
    assert climxai("audit", experiment).code == 0
    whole = xr.load_dataset(trained / "audit" / "eps.nc")
    assert climxai("audit", experiment, "--set", "compute.rows_per_shard=7").code == 0
    # What is left over is rounding.
    again = xr.load_dataset(trained / "audit" / "eps.nc")
    xr.testing.assert_allclose(whole, again, rtol=1e-4, atol=1e-6)


def test_nothing_to_audit_is_said(climxai: Command, experiment: Path, trained: Path) -> None:
    del trained
    done = climxai("audit", experiment, "--set", "explain.methods=[saliency]")
    assert done.code == 2
    assert "saliency" in done.err
    assert "lrp" in done.err
    done = climxai(
        "check", experiment, "--set", "explain.methods=[saliency]", "--set", "explain.audit=true"
    )
    assert done.code == 2
    assert "audit" in done.err


def test_without_networks_it_says_what_to_do(climxai: Command, experiment: Path) -> None:
    done = climxai("audit", experiment)
    assert done.code == 4
    assert "climxai train" in done.err
    assert load_experiment(experiment).explain.audit is False


def test_conservation_is_of_the_difference_from_a_reference(
    climxai: Command, experiment: Path
) -> None:
    # Closed form: in a linear network the products of weight and input add up to the output less
    # the output at zero input, whatever the bias.
    settings = (
        "--set", "network=linear", "--set", "train.epochs=3",
        "--set", "explain.objective={name: regression, output: 1, minus: zero_input}",
        "--set", "explain.methods=[input_x_gradient, {name: lrp, rule: epsilon}]",
    )  # fmt: skip
    assert climxai("train", experiment, *settings).code == 0
    assert climxai("explain", experiment, *settings).code == 0
    assert climxai("audit", experiment, *settings).code == 0
    out = experiment.parent / "out"
    held = shards(out, "input_x_gradient", 0)
    clear = abs(held["output"]) > 0.01
    assert int(clear.sum()) > 10
    np.testing.assert_allclose(held["conservation"].where(clear, drop=True), 1, rtol=1e-3)
    books = xr.load_dataset(out / "audit" / "lrp.nc").sel(seed=0)
    np.testing.assert_allclose(books["output"], held["output"], atol=1e-5)


def test_maps_beyond_the_bounds_of_z_box_are_told(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    # Training maps lie within their own smallest and largest values; others need not.
    for part in ("train", "test"):
        done = climxai("audit", experiment, "--set", LRP, "--set", f"explain.samples={part}")
        assert done.code == 0, done.err
        outside = xr.load_dataset(trained / "audit" / "box.nc")["outside"].max("layer")
        told = " ".join(done.out.split())
        if part == "train":
            assert not outside.any()
            assert "rule z_box" not in told
        else:
            beyond = int((outside > 0).sum())
            assert beyond > 0
            assert f"Method box: in {beyond} of {outside.size} maps" in told


def test_check_says_which_layer_gets_which_rule(climxai: Command, experiment: Path) -> None:
    # By the kinds and places of an mlp with two hidden layers: composite's thirds are one each.
    methods = (
        "explain.methods=[{id: comp, name: lrp, rule: composite}, {id: a, name: lrp},"
        "{id: b, name: lrp, rule: alpha1beta0}, {id: eps, name: lrp, rule: {name: map, default: "
        "{name: epsilon, epsilon: 0.5}, layers: {'*': zero, '1': flat}}}, saliency]"
    )
    done = climxai("check", experiment, "--set", methods)
    assert done.code == 0, done.err
    tables = done.out.split("layers of ")[1:]
    assert [text.split("kind")[0].strip() for text in tables] == ["comp", "a, b", "eps"]
    rows = [[line.split() for line in text.splitlines()[2:5]] for text in tables]
    names = [row[0] for row in rows[0]]
    assert [row[1] for row in rows[0]] == ["dense"] * 3
    assert [" ".join(row[2:]) for row in rows[0]] == [
        "w_square", "epsilon (epsilon 0.25, relative True)", "zero",
    ]  # fmt: skip
    assert [row[2] for row in rows[1]] == ["alpha1beta0"] * 3
    # The names are those of the audit, and what a map's patterns match.
    assert climxai("train", experiment, "--set", "train.epochs=1").code == 0
    assert climxai("audit", experiment, "--set", "train.epochs=1").code == 0
    audit = xr.load_dataset(experiment.parent / "out" / "audit" / "lrp.nc")
    assert audit["layer"].values.tolist() == names[::-1]
    assert [row[2] for row in rows[2]] == ["flat" if row[0] == "1" else "zero" for row in rows[2]]
    assert "1" in names


def test_a_start_that_would_double_a_difference_is_refused_before_training(
    climxai: Command, experiment: Path
) -> None:
    settings = (
        "--set", "explain.methods=[{id: a, name: lrp, convention: {start: log_odds}}]",
        "--set", "explain.objective={name: logit_difference, positive: warm, negative: cold}",
    )  # fmt: skip
    done = climxai("check", experiment, *settings)
    assert done.code == 4
    assert "explain.methods.0 (a)" in done.err
    assert "start: score" in done.err


@pytest.mark.parametrize("start", ["one", "log_odds", "score"])
def test_one_denominator_everywhere(climxai: Command, experiment: Path, start: str) -> None:
    # Shards, netCDF, table and picture measure by what was handed out: the relevance in the files
    # over one, or over the score of the class less the softmax-weighted others, summed here.
    wanted = "predicted_class"
    if start == "one":
        wanted = "{name: logit_difference, positive: warm, negative: cold}"
    settings = (
        "--set", f"explain.methods=[{{id: eps, name: lrp, rule: {{name: epsilon, epsilon: 0.1}}, "
        f"convention: {{name: zennit, start: {start}}}}}]",
        "--set", f"explain.objective={wanted}", "--set", "train.epochs=3",
    )  # fmt: skip
    assert climxai("train", experiment, *settings).code == 0
    done = climxai("explain", experiment, *settings, "--set", "explain.audit=true")
    assert done.code == 0, done.err
    out = experiment.parent / "out"
    books = xr.load_dataset(out / "audit" / "eps.nc")
    held = shards(out, "eps", 0)
    on_map = held["relevance"].astype(np.float64).sum(("channel", "lat", "lon"))
    handed = {"one": np.ones(len(on_map)), "score": held["output"].values}.get(
        start, books["start"].sel(seed=0).values
    )
    np.testing.assert_allclose(held["conservation"], on_map / handed, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(held["completeness_gap"], handed - on_map, rtol=1e-4, atol=1e-5)
    first = books.sel(seed=0)
    np.testing.assert_allclose(first["start"], handed, rtol=1e-5)
    np.testing.assert_allclose(first["conservation"], held["conservation"], rtol=1e-4, atol=1e-5)
    left = relevance_left(books).sel(seed=0).transpose("step", "sample").values
    np.testing.assert_allclose(left[0], 1)
    np.testing.assert_allclose(left[-1], first["total"] / handed, rtol=1e-4, atol=1e-5)
    printed = float(done.out.split("zero maps\n")[1].splitlines()[1].split()[2])
    assert printed == pytest.approx(float(first["conservation"].median()), abs=6e-4)


def test_the_books_of_a_residual_network_add_up(climxai: Command, experiment: Path) -> None:
    # Relevance splits where a block's input goes past it, so layers form no chain: what every
    # layer took still adds up to what the input lacks, and the map is the shards'.
    network = (
        "network={name: cnn, channels: [3, 4], kernel: 3, batch_norm: true, residual: true,"
        " convolutions: 2, pooling: average, hidden: [4]}"
    )
    methods = (
        "explain.methods=[{id: eps, name: lrp, rule: {name: epsilon, epsilon: 0.1}},"
        "{id: comp, name: lrp, rule: composite}, {id: a1b0, name: lrp}]"
    )
    settings = ("--set", network, "--set", methods, "--set", "train.epochs=2")
    done = climxai("train", experiment, *settings)
    assert done.code == 0, done.err
    done = climxai("explain", experiment, *settings, "--set", "explain.audit=true")
    assert done.code == 0, done.err
    out = experiment.parent / "out"
    for method in ("eps", "comp", "a1b0"):
        audit = xr.load_dataset(out / "audit" / f"{method}.nc")
        assert {"convolution", "dense"} <= set(audit["kind"].values.tolist())
        taken = (audit["bias"] + audit["stabiliser"] + audit["other"]).sum("layer")
        np.testing.assert_allclose(audit["total"] + taken, audit["output"], atol=1e-4)
        held = shards(out, method, 0)
        on_map = held["relevance"].astype(np.float64).sum(("channel", "lat", "lon"))
        books = audit.sel(seed=0)
        np.testing.assert_allclose(books["total"] - books["land"], on_map, atol=1e-5)
        assert (out / "audit" / f"{method}.png").stat().st_size > 10_000
