"""Whole configurations: what is read, where paths lead, what comes back, what is refused.

Lines and columns were counted in `conftest.VALID`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from climxai.config.experiment import Experiment, load_experiment, resolved_yaml
from climxai.core.errors import ConfigError

Write = Callable[..., Path]
Load = Callable[..., Experiment]
Refused = Callable[..., str]

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
EXAMPLES = sorted(CONFIGS.glob("*.yaml"))


def test_sections_become_records(load: Load) -> None:
    experiment = load()
    assert experiment.data.name == "netcdf"
    assert [step.name for step in experiment.preprocess] == ["anomaly", "detrend"]
    assert list(experiment.label.classes) == ["la_nina", "el_nino"]
    assert experiment.train.l2 == (25, 0.01)
    assert [method.id for method in experiment.explain.methods] == ["lrp", "lrp_2", "saliency"]
    assert experiment.compute.memory == 256_000_000


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(
        "data: {files: sst.nc}\nlabel: calendar\nsplit: fraction\nnetwork: linear\n", "utf-8"
    )
    experiment = load_experiment(path)
    assert experiment.preprocess == ()
    assert [method.id for method in experiment.explain.methods] == ["lrp"]
    assert experiment.explain.objective.name == "predicted_class"
    assert experiment.output.directory == str(tmp_path / "runs" / "small")


def test_paths_are_relative_to_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(("sst.nc", "[sst.nc, ../b/*.nc, /c/d.nc]"))
    monkeypatch.chdir(path.parent.parent)
    experiment = load_experiment(Path(path.parent.name) / path.name)
    here = path.parent
    assert experiment.data.files == (f"{here}/sst.nc", f"{here.parent}/b/*.nc", "/c/d.nc")
    assert experiment.output.directory == f"{here}/runs/e"


def test_paths_of_the_command_line_are_relative_to_the_shell(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = tmp_path / "shell"
    shell.mkdir()
    path = write()
    monkeypatch.chdir(shell)
    assert load_experiment(path, ["data.files=x.nc"]).data.files == f"{shell}/x.nc"
    assert load_experiment(path, ["data.files=*.nc"]).data.files == f"{shell}/*.nc"
    listed = load_experiment(path, ["data.files=[x.nc, y.nc]"])
    assert listed.data.files == (f"{shell}/x.nc", f"{shell}/y.nc")
    assert load_experiment(path, ["output=there"]).output.directory == f"{shell}/there"
    assert load_experiment(path, ["output.directory=there"]).output.directory == f"{shell}/there"


def test_a_bare_path_is_an_output_directory(load: Load, tmp_path: Path) -> None:
    experiment = load(("data:\n", "output: here\ndata:\n"))
    assert experiment.output.directory == str(tmp_path / "here")


@pytest.mark.parametrize(
    ("text", "size"),
    [("1GB", 10**9), ("512 MiB", 2**29), ("1.5g", 1_500_000_000), ("2000000", 2_000_000)],
)
def test_memory_has_units(load: Load, text: str, size: int) -> None:
    assert load(overrides=(f"compute.memory={text}",)).compute.memory == size


def test_one_entry_is_short_for_a_list(load: Load) -> None:
    experiment = load(overrides=("explain.methods=saliency", "preprocess={name: detrend}"))
    assert [method.id for method in experiment.explain.methods] == ["saliency"]
    assert [step.name for step in experiment.preprocess] == ["detrend"]


def test_generated_ids_avoid_given_ones(load: Load) -> None:
    experiment = load(("{name: lrp, rule: alpha1beta0}", "{name: lrp, id: LRP, rule: flat}"))
    assert [method.id for method in experiment.explain.methods] == ["LRP", "lrp_2", "saliency"]


def test_the_resolved_configuration_loads_back(load: Load, tmp_path: Path) -> None:
    experiment = load(
        (
            "explain:\n",
            "  optimizer: {name: sgd, learning_rate: 1e-5, momentum: 0.123456789012345678}\n"
            "compute: {memory: 1GiB, threads: 2}\nexplain:\n",
        )
    )
    elsewhere = tmp_path / "else" / "where.yaml"
    elsewhere.parent.mkdir()
    text = resolved_yaml(experiment)
    elsewhere.write_text(text, encoding="utf-8")
    again = load_experiment(elsewhere)
    assert again == experiment
    assert resolved_yaml(again) == text
    assert again.train.optimizer.learning_rate == 1e-5
    # Class numbers follow the order of the classes, which equality of mappings does not see.
    assert list(again.label.classes) == list(experiment.label.classes)
    # Other YAML readers must see the same numbers.
    assert yaml.safe_load(text)["train"]["optimizer"]["learning_rate"] == 1e-5


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_right_and_load_back(path: Path, tmp_path: Path) -> None:
    experiment = load_experiment(path)
    copy = tmp_path / "copy.yaml"
    copy.write_text(resolved_yaml(experiment), encoding="utf-8")
    assert load_experiment(copy) == experiment


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("data:\n", "daat:\n", "1:1: daat: unknown key. Did you mean 'data'?"),
        ("network: {name: mlp, hidden: [8, 8]}\n", "", "1:1: network: missing, expected a network"),
        ("  files: sst.nc", "  file: sst.nc", "2:3: data.file: unknown key. Did you mean 'files'?"),
        ("  files: sst.nc", "  variables: sst", "1:1: data.files: missing, expected a path or a"),
        ("- detrend\n", "- detrand\n", "5:3: preprocess.1: there is no preprocessing step named"),
        ("fit: all", "fit: every", "4:24: preprocess.0.fit: `fit` is"),
        ("box_index", "box_indx", "7:9: label.name: there is no label named 'box_indx'. Did you"),
        ("region: nino34", "region: nino35", "8:11: label.region: there is no region named"),
        ("region: nino34", "regoin: nino34", "8:3: label.regoin: unknown key. Did you mean 'reg"),
        ("below: -0.5", "blow: -0.5", "10:15: label.classes.la_nina.blow: unknown key. Did you"),
        ("below: -0.5", "below: low", "10:22: label.classes.la_nina.below: found 'low', expected"),
        ("hidden: [8, 8]", "hidden: [8, 0]", "16:34: network.hidden.1: found 0, expected a whole"),
        ("hidden: [8, 8]", "hidden: 8", "16:30: network.hidden: found 8, expected a list of"),
        ("seeds: [0, 1]", "seeds: [0, 0]", "18:3: train.seeds: the seed 0 is listed twice"),
        ("seeds: [0, 1]", "sedes: [0, 1]", "18:3: train.sedes: unknown key. Did you mean 'seeds'?"),
        ("[25, 1e-2]", "[25, -1]", "19:12: train.l2.1: found -1, expected a number at least 0"),
        (
            "  - saliency",
            "  - salience",
            "24:5: explain.methods.2: there is no method named 'sal",
        ),
        ("rule: alpha1beta0", "rule: alpha1beta", "22:23: explain.methods.0.rule: there is no LRP"),
        ("predicted_class", "predicted", "25:14: explain.objective: there is no objective named"),
        (
            "explain:\n",
            "explain:\n  samples: tset\n",
            "21:12: explain.samples: found 'tset', exp",
        ),
        ("explain:\n", "explain:\n  only_correct: 5\n", "21:17: explain.only_correct: found 5, e"),
        ("data:\n", "compute: {memory: lots}\ndata:\n", "1:19: compute.memory: found 'lots', ex"),
        ("data:\n", "compute: {memory: 5}\ndata:\n", "1:19: compute.memory: found 5, expected an"),
        ("data:\n", "compute: {threads: 0}\ndata:\n", "1:20: compute.threads: found 0, expected"),
        ("data:\n", "output: 3\ndata:\n", "1:9: output: found 3, expected a directory, as a path"),
        ("data:\n", "output: {path: x}\ndata:\n", "1:10: output.path: unknown key. Known: direc"),
        ("data:\n", "composite: {normalise: mx}\ndata:\n", "1:24: composite.normalise: found 'mx'"),
    ],
)
def test_one_wrong_value_is_one_line(refused: Refused, old: str, new: str, expected: str) -> None:
    message = refused((old, new))
    assert message.startswith(f"e.yaml:{expected}")
    assert "\n" not in message


def test_all_mistakes_at_once_those_of_the_command_line_last(refused: Refused) -> None:
    message = refused(
        ("  files: sst.nc", "  files: sst.nc\n  perod: 1990-2020"),
        ("seeds: [0, 1]", "seeds: [0, 1]\n  epochs: none"),
        ("objective: predicted_class", "objective: {name: class, class_name: el_nina}"),
        overrides=("train.batch_size=0", "network.hiden=[3]", "nonsense"),
    )
    lines = message.splitlines()
    assert lines[0] == "6 mistakes in e.yaml:"
    assert [line.split(": ")[:2] for line in lines[1:4]] == [
        ["  e.yaml:3:3", "data.perod"],
        ["  e.yaml:20:11", "train.epochs"],
        ["  e.yaml:27:40", "explain.objective.class_name"],
    ]
    assert lines[4].startswith("  --set: found 'nonsense', expected KEY=VALUE")
    assert lines[5] == "  --set network.hiden: unknown key. Did you mean 'hidden'?"
    assert lines[6] == "  --set train.batch_size: found 0, expected a whole number greater than 0"


def test_numbers_that_are_not_finite_are_refused(refused: Refused) -> None:
    assert not math.isfinite(float("inf"))
    assert refused(("[25, 1e-2]", ".inf")).startswith(
        "e.yaml:19:7: train.l2: found .inf, expected a finite number"
    )


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such configuration file"):
        load_experiment(tmp_path / "absent.yaml")


def test_equal_keys_hide_no_other_mistake(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "data: {files: a.nc}\n"
        "label: {name: calendar, classes: {a: [1], b: [7]}}\n"
        "split: {name: by_date, train: 1990, test: 1991}\n"
        "network: linear\n"
        "train:\n"
        "  epochs: 5\n"
        "  epochs: 6\n"
        "  seed: 1\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    assert f"{path}:7:3" in str(caught.value)
    assert f"{path}:8:3" in str(caught.value)
