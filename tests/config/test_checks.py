"""What sections must agree on; lines and columns were counted in `conftest.VALID`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from climxai.config.experiment import Experiment

Load = Callable[..., Experiment]
Refused = Callable[..., str]

OBJECTIVE = "objective: predicted_class"
FIRST = "{name: lrp, rule: alpha1beta0}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            OBJECTIVE,
            "objective: {name: class, class_name: el_nin}",
            "25:40: explain.objective.class_name: there is no class 'el_nin' in `label`. Did you "
            "mean 'el_nino'?",
        ),
        (
            OBJECTIVE,
            "objective: {name: logit_difference, positive: el_nino, negative: neutral}",
            "25:68: explain.objective.negative: there is no class 'neutral' in `label`.",
        ),
        (
            FIRST,
            "{name: lrp, id: a/b, rule: zero}",
            "22:21: explain.methods.0.id: found 'a/b', expected",
        ),
        (
            FIRST,
            "{name: lrp, id: .hidden, rule: zero}",
            "22:21: explain.methods.0.id: found '.hidden'",
        ),
        (
            FIRST,
            "{name: lrp, id: '', rule: zero}",
            "22:21: explain.methods.0.id: found '', expected letters",
        ),
        (
            "  - saliency",
            "  - {name: saliency, id: x}\n  - {name: saliency, id: X}",
            "25:26: explain.methods.3.id: 'X' is already taken as 'x'",
        ),
        ("el_nino: {above", "el/nino: {above", "11:5: label.classes.el/nino: found 'el/nino' as"),
        (
            "la_nina: {below",
            "EL_nino: {below",
            "11:5: label.classes.el_nino: 'el_nino' and 'EL_nino' differ in case only",
        ),
        (
            "[25, 1e-2]",
            "[25, 1, 1, 1]",
            "19:3: train.l2: found 4 numbers, expected at most 3, one per layer with weights",
        ),
        (
            "seeds: [0, 1]",
            "class_weights: [1, 2, 3]",
            "18:3: train.class_weights: found 3 weights, expected 2: la_nina, el_nino",
        ),
        (
            "seeds: [0, 1]",
            "early_stopping: {patience: 3}",
            "18:3: train.early_stopping: there are no validation samples to watch",
        ),
        (
            OBJECTIVE,
            "samples: validation",
            "25:12: explain.samples: `split` has no validation part",
        ),
        (
            OBJECTIVE,
            "only_correct: true\ncomposite: {only: incorrect}",
            "26:19: composite.only: found incorrect, but `explain.only_correct` leaves only",
        ),
        (
            "  files: sst.nc",
            "  files: sst.nc\n  period: 1990-2016",
            "16:3: split.test: 2017 to … lies outside `data.period` (1990 to 2016)",
        ),
        (
            "fit: all",
            "fit: 1850-1900}\n- {name: anomaly, fit: all",
            None,
        ),
        (
            "  files: sst.nc",
            "  files: sst.nc\n  region: north_atlantic",
            "9:11: label.region: 5°S-5°N, 170°W-120°W lies outside `data.region`",
        ),
        (
            "  files: sst.nc",
            "  files: sst.nc\n  region: [10, 60, 120, 290]",
            "9:11: label.region: 5°S-5°N, 170°W-120°W lies outside `data.region`",
        ),
        ("  files: sst.nc", "  files: sst.nc\n  region: pacific", None),
        ("  files: sst.nc", "  files: sst.nc\n  region: [-10, 10, -180, -120]", None),
        (
            "  files: sst.nc",
            "  files: sst.nc\n  variables: [sst, slp]",
            "7:1: label.channel: missing: `data.variables` names 2 (sst, slp), say which one",
        ),
        (
            "  region: nino34",
            "  region: nino34\n  channel: sst",
            None,
        ),
    ],
)
def test_sections_that_disagree(
    refused: Refused, load: Load, old: str, new: str, expected: str | None
) -> None:
    if expected is None:
        load((old, new))
    else:
        message = refused((old, new))
        assert message.startswith(f"e.yaml:{expected}")
        assert "\n" not in message


def test_a_fit_outside_what_is_read(refused: Refused) -> None:
    message = refused(
        ("fit: all", "fit: 1850-1900"), ("  files: sst.nc", "  files: sst.nc\n  period: 1990-2020")
    )
    assert message.startswith(
        "e.yaml:5:24: preprocess.0.fit: 1850 to 1900 lies outside `data.period` (1990 to 2020)"
    )


def test_a_channel_that_is_not_read(refused: Refused) -> None:
    message = refused(
        ("  files: sst.nc", "  files: sst.nc\n  variables: sst"),
        ("  region: nino34", "  region: nino34\n  channel: sts"),
    )
    assert message.startswith(
        "e.yaml:10:12: label.channel: 'sts' is not among `data.variables`. Did you mean 'sst'?"
    )


def test_sections_that_are_right_are_compared_though_another_is_wrong(refused: Refused) -> None:
    message = refused(("[25, 1e-2]", "[25, 1, 1, 1]"), ("region: nino34", "region: nino35"))
    assert "label.region: there is no region" in message
    assert "train.l2: found 4 numbers, expected at most 3" in message
