"""Training settings: penalties per layer, what is refused, round trip."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from climxai.core.errors import ConfigError
from climxai.models.training import OPTIMIZERS, SCHEDULES, Training
from climxai.models.training.optimizers import Optimizer
from climxai.models.training.schedules import Schedule


def test_a_number_is_for_every_layer_and_a_list_is_padded() -> None:
    settings = Training(l2=(25.0, 0.01), l1=0.5)
    assert settings.penalties(3) == ((0.5, 25.0), (0.5, 0.01), (0.5, 0.0))


@pytest.mark.parametrize("key", ["l1", "l2"])
def test_a_list_longer_than_the_network_is_an_error(key: str) -> None:
    settings = Training.model_validate({key: [1, 2, 3]})
    with pytest.raises(ConfigError, match=rf"train\.{key}: 3 numbers .* 2 weighted"):
        settings.check(2, 2, validation=True)


def test_class_weights_need_one_per_class() -> None:
    with pytest.raises(ConfigError, match=r"2 weight.* for 3 classes"):
        Training(class_weights=(1.0, 2.0)).check(1, 3, validation=True)


def test_early_stopping_needs_validation_samples() -> None:
    settings = Training.model_validate({"early_stopping": {"monitor": "validation_accuracy"}})
    settings.check(1, 2, validation=True)
    with pytest.raises(ConfigError, match="watches the validation_accuracy"):
        settings.check(1, 2, validation=False)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"seeds": []}, "at least 1"),
        ({"seeds": [1, 2, 1]}, "seed 1 is listed twice"),
        ({"seeds": [-1]}, "greater than or equal to 0"),
        ({"epochs": 0}, "greater than 0"),
        ({"l2": -1}, "greater than or equal to 0"),
        ({"l2": float("nan")}, "finite"),
        ({"class_weights": [1, 0]}, "greater than 0"),
        ({"optimizer": {"name": "sgd", "nesterov": True}}, "needs a momentum"),
        ({"optimizer": "sdg"}, "Did you mean 'sgd'"),
        ({"optimizer": {"name": "adam", "momentum": 0.9}}, "momentum"),
        ({"schedule": {"name": "step", "by": 1.5}}, "less than 1"),
        ({"learning_rate": 0.1}, "Extra inputs"),
    ],
    ids=str,
)
def test_impossible_settings_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Training.model_validate(fields)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_round_trip(optimizer: str, schedule: str) -> None:
    settings = Training.model_validate(
        {
            "optimizer": optimizer,
            "schedule": {"name": schedule},
            "seeds": [3, 1],
            "l2": [25, 0.01],
            "early_stopping": {"patience": 4},
            "class_weights": "balanced",
        }
    )
    assert Training.model_validate_json(settings.model_dump_json()) == settings
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301
    assert settings.optimizer == OPTIMIZERS[optimizer]()
    assert settings.schedule == SCHEDULES[schedule]()


def test_every_field_is_documented() -> None:
    for record in (Training, *OPTIMIZERS.values(), *SCHEDULES.values()):
        for name, field in record.model_fields.items():
            assert name == "name" or field.description, f"{record.__name__}.{name}"


def test_bare_kinds_do_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Schedule().factor(0, 1, ())
    with pytest.raises(NotImplementedError):
        Optimizer().build(None)  # type: ignore[arg-type]
