"""Every way of writing a block loads, comes back from the resolved file, and suits the schema."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from climxai.config.experiment import Experiment, load_experiment, resolved_yaml
from climxai.config.listing import tables
from climxai.config.reading import read_file
from climxai.config.schema import json_schema

BASE = {"data": "{files: a.nc}", "label": "calendar", "split": "fraction", "network": "linear"}
WAYS = [
    ("data", "{files: [a.nc, 'b/**/*.nc'], variables: [x, y], months: [12, 1], chunk: 5}"),
    ("data", "{name: netcdf, files: a.nc, region: [-10, 10, 350, 20], period: [1990, 1999-06]}"),
    ("data", "{files: a.nc, region: {south: 0}, period: {end: 1990-01-05}, coordinates: {lat: y}}"),
    ("preprocess", "detrend"),
    ("preprocess", "[]"),
    ("preprocess", "[{name: anomaly, fit: 1991}, {name: standardise, fit: [1990, 1999]}]"),
    (
        "preprocess",
        "[{name: anomaly, fit: {start: 1991}}, {name: detrend, fit: all}, latitude_weight]",
    ),
    ("label", "{name: calendar, classes: {a: DJF, b: [JJA, SON]}}"),
    ("label", "{name: calendar, per: month, classes: {a: 1, b: [2, 3]}}"),
    ("label", "{name: series, file: x.csv, classes: {a: {equals: 1}, b: {equals: [2, x]}}}"),
    ("label", "{name: box_index, region: nino3, classes: {no: {below: -1e-4}, yes: {}}}"),
    ("label", "{name: box_index, region: nino3, classes: {1: {below: 0}, 1998-05: {above: 0}}}"),
    ("split", "{name: years, test: 1961-1990}"),
    ("split", "{name: years, test: [1961, 1963], validation: {every: 5}}"),
    ("split", "{name: years, test: 1961}"),
    ("split", "{name: member, test: r1, validation: [r2, r3]}"),
    ("split", "{name: kfold, fold: 1, validation: true}"),
    ("split", "{name: by_date, train: 1990/2000, test: [2001, 2003]}"),
    ("split", "{name: random, train: 0.5, test: 0.5, seed: 3}"),
    ("network", "{name: mlp, activation: tanh}"),
    ("network", "{name: mlp, hidden: [3], activation: {name: elu}, dropout: 1e-1}"),
    ("train", "{optimizer: adamw, schedule: {name: step}, l1: 1e-5, seeds: [3, 1]}"),
    ("train", "{optimizer: {name: sgd}, l2: [25], class_weights: balanced}"),
    ("explain", "{methods: saliency, objective: true_class, samples: test}"),
    ("explain", "{methods: {name: lrp, rule: {name: map, default: zero, kinds: {pooling: flat}}}}"),
    ("explain", "{methods: [{name: lrp, rule: epsilon, convention: zennit}, saliency]}"),
    ("explain", "{methods: [{name: lrp, rule: zero, convention: {name: captum, bias: ignored}}]}"),
    ("composite", "{normalise: none, by: prediction, only: correct}"),
    ("composite", "[{normalise: rank, by: [label, season]}, {id: x, where: 'month in [1, 2]'}]"),
    ("composite", "{by: {name: window, half_width: 3}, statistics: [mean, median, frequency]}"),
    ("composite", "{by: {name: outcome, of: DJF}, differences: [true_positive, false_positive]}"),
    ("composite", "{by: {name: periods, periods: {a: 1961-1990, b: 1991/2020-05}}, seeds: before}"),
    ("composite", "{select: {months: 1, confidence: [0.5, 1], parts: test, labels: DJF}}"),
    ("maps", "{region: nino3, projection: equal_earth, formats: [svg], coastlines: x.shp}"),
    ("maps", "{regions: [nino34, {here: [0, 10, 20, 30]}], section: nino3}"),
    ("maps", "{regions: {a: nino3, b: [0, 10, 20, 30]}, section: [0, 10, 20, 30]}"),
    ("maps", "{regions: Niño3.4}"),
    ("optimal_input", "{targets: [class, {name: unit, layer: 1, unit: 3, place: [0, 2]}]}"),
    (
        "optimal_input",
        "{targets: {name: class, aim: logit}, start: noise, regularisers: smoothness}",
    ),
    (
        "optimal_input",
        "{start: {name: sample, date: 1998-05}, regularisers: [{name: l2, weight: 2}]}",
    ),
    ("optimal_input", "{start: {name: sample, date: 1998}, bounds: training, gradient: plain}"),
    ("novelty", "{baseline: no_class, space: 2, error_maps: all}"),
    ("novelty", "{baseline: {name: period, period: 1961-1990}, samples: test, variance: 1}"),
    ("strategies", "{methods: [lrp], within: all, seed: 0, coarsen: 3, pca: 0.9}"),
    ("strategies", "{coarsen: {degrees: 10}, pca: 4, algorithm: {clusters: 2, neighbours: 3}}"),
    ("strategies", "{algorithm: hdbscan, index: {above: 0.5}, suspect: {outside: nino34}}"),
    ("compute", "{memory: 5000000, threads: 1, rows_per_shard: 7}"),
    ("output", "here"),
    ("output", "{directory: here}"),
]


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize(("section", "way"), WAYS, ids=lambda text: text[:40])
def test_a_way_of_writing(
    tmp_path: Path, schema: jsonschema.Draft202012Validator, section: str, way: str
) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("".join(f"{k}: {v}\n" for k, v in {**BASE, section: way}.items()), "utf-8")
    experiment = load_experiment(path)
    resolved = tmp_path / "elsewhere" / "config.yaml"
    resolved.parent.mkdir()
    resolved.write_text(resolved_yaml(experiment), encoding="utf-8")
    assert load_experiment(resolved) == experiment
    for file in (path, resolved):
        schema.validate(read_file(file).value)


def test_what_is_written_counts() -> None:
    """Every section but those of `BASE` is reached by some way of writing it."""
    assert {section for section, _ in WAYS} == set(Experiment.model_fields)


@pytest.mark.parametrize("key", ["label", "split", "network", "explain.objective"])
def test_every_entry_of_a_table_is_offered_by_the_schema(key: str) -> None:
    text = str(json_schema())
    for name in tables()[key]:
        assert f"'{name}'" in text
