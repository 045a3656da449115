"""The loop: optimum of scikit-learn, one step by hand, bits, early stopping, broken losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from climxai.core.errors import ConfigError, ModelError
from climxai.models.architectures import Linear, Mlp
from climxai.models.network import build_network, logits
from climxai.models.training import Training
from climxai.models.training.fit import Examples, fit
from climxai.models.training.history import EpochRow, History

SHAPE = (2, 3, 4)


def _settings(**fields: Any) -> Training:
    return Training.model_validate(fields)


def _train(
    examples: Examples, seed: int = 0, validation: Examples | None = None, **fields: Any
) -> tuple[nn.Module, History]:
    network = build_network(Mlp(hidden=(6,), dropout=0.2), SHAPE, 3, seed)
    history = fit(network, examples, validation, _settings(**{"epochs": 5, **fields}), seed)
    return network, history


def _bits(network: nn.Module) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in network.parameters())


@pytest.mark.parametrize(("classes", "weights"), [(2, None), (3, None), (3, "balanced")])
def test_linear_trained_to_convergence_is_logistic_regression(
    examples: Examples, classes: int, weights: str | None
) -> None:
    # scikit-learn minimises C·Σ loss + ½Σw². For three classes that is our mean loss + l2·Σw² with
    # l2 = 1/(2Cn); for two its one weight is the difference of our two, which are then ∓ half of
    # it, so l2 = 1/(Cn).
    x = examples.inputs.double()
    y = examples.targets.clamp(max=classes - 1)
    n, strength = len(y), 2.0
    model = LogisticRegression(C=strength, tol=1e-10, max_iter=10000, class_weight=weights)
    model.fit(x.flatten(1).numpy(), y.numpy())
    decision = model.decision_function(x.flatten(1).numpy())
    network = build_network(Linear(), SHAPE, classes, seed=0).double()
    settings = _settings(
        epochs=1500,
        batch_size=n,
        optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
        l2=1 / (strength * n) if classes == 2 else 1 / (2 * strength * n),
        class_weights=weights,
    )
    history = fit(network, Examples(x, y), None, settings, seed=0)
    found = logits(network, x)
    if classes == 2:
        found, expected = found[:, 1] - found[:, 0], decision
    else:
        found = found - found.mean(1, keepdims=True)
        expected = decision - decision.mean(1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert history.rows[-1].train_accuracy == pytest.approx(
        model.score(x.flatten(1).numpy(), y.numpy())
    )


def test_one_step_with_penalty_by_hand(examples: Examples) -> None:
    # w <- w - lr (d mean CE / dw + 2 l2 w); b <- b - lr d mean CE / db, in closed form.
    x, y = examples.inputs.double(), examples.targets
    network = build_network(Linear(), SHAPE, 3, seed=3).double()
    w = network.get_parameter("1.weight").detach().numpy().copy()
    z = x.flatten(1).numpy() @ w.T
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    error = (p - np.eye(3)[y.numpy()]) / len(y)
    settings = _settings(
        epochs=1, batch_size=40, l2=[25], optimizer={"name": "sgd", "learning_rate": 0.001}
    )
    history = fit(network, Examples(x, y), None, settings, seed=0)
    np.testing.assert_allclose(
        network.get_parameter("1.weight").detach().numpy(),
        w - 0.001 * (error.T @ x.flatten(1).numpy() + 50 * w),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        network.get_parameter("1.bias").detach().numpy(), -0.001 * error.sum(0), atol=1e-12
    )
    # The history's loss is the cross-entropy alone, before the step.
    assert history.rows[0].train_loss == pytest.approx(
        float(-np.log(p[np.arange(40), y.numpy()]).mean())
    )
    assert history.rows[0].train_accuracy == (z.argmax(1) == y.numpy()).mean()


def test_published_settings_do_not_blow_up() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(60, 1, 20, 30, generator=random)
    y = (x[:, 0, 8:12, 10:20].mean((1, 2)) > 0).long()
    network = build_network(Mlp(hidden=(8, 8)), (1, 20, 30), 2, seed=0)
    settings = _settings(
        batch_size=60,
        l2=[25, 0.01],
        optimizer={"name": "sgd", "learning_rate": 0.001, "momentum": 0.9, "nesterov": True},
    )
    history = fit(network, Examples(x, y), None, settings, seed=0)
    assert len(history) == 100
    assert history.rows[-1].train_loss < history.rows[0].train_loss
    # 100 steps that each shrink the weights by 5% leave what the data hold up.
    assert float(network.get_parameter("1.weight").detach().abs().max()) < 0.05


def test_same_seed_same_bits_whatever_else_happens(examples: Examples) -> None:
    torch.manual_seed(1)
    first, history = _train(examples, seed=3)
    torch.manual_seed(2)
    _train(examples, seed=9)

    network = build_network(Mlp(hidden=(6,), dropout=0.2), SHAPE, 3, 3)

    def noisy(row: EpochRow) -> None:
        torch.rand(row.epoch)  # a callback that draws from the global generator

    again = fit(network, examples, None, _settings(epochs=5, seeds=[9, 3]), 3, noisy)
    other, _ = _train(examples, seed=4)
    assert _bits(first) == _bits(network)
    assert history.rows == again.rows
    assert _bits(first) != _bits(other)


def test_the_seed_of_fit_orders_samples(examples: Examples) -> None:
    weights = []
    for seed in (0, 1):
        network = build_network(Linear(), SHAPE, 3, seed=0)
        fit(network, examples, None, _settings(epochs=1, batch_size=7), seed)
        weights.append(_bits(network))
    assert weights[0] != weights[1]


@pytest.mark.parametrize("failing", [False, True])
def test_global_state_is_put_back(examples: Examples, failing: bool) -> None:
    torch.manual_seed(11)
    numpy_state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    state = torch.get_rng_state()
    seen: list[bool] = []

    def look(row: EpochRow) -> None:
        seen.append(torch.are_deterministic_algorithms_enabled())
        if failing:
            raise KeyboardInterrupt

    for deterministic in (True, False):
        network = build_network(Mlp(dropout=0.5), SHAPE, 3, 0)
        settings = _settings(epochs=1, deterministic=deterministic)
        if failing:
            with pytest.raises(KeyboardInterrupt):
                fit(network, examples, None, settings, 0, look)
        else:
            fit(network, examples, None, settings, 0, look)
        assert not network.training
    assert seen == [True, False]
    assert torch.equal(torch.get_rng_state(), state)
    assert np.random.get_state()[1].tobytes() == numpy_state  # noqa: NPY002
    assert not torch.are_deterministic_algorithms_enabled()


CHANGES: list[dict[str, Any]] = [
    {"epochs": 4},
    {"batch_size": 16},
    {"optimizer": "sgd"},
    {"optimizer": "adamw"},
    {"optimizer": {"name": "adam", "learning_rate": 0.01}},
    {"optimizer": {"name": "adam", "beta1": 0.5}},
    {"optimizer": {"name": "adam", "beta2": 0.5}},
    {"schedule": "cosine"},
    {"schedule": {"name": "step", "every": 2}},
    {"schedule": "exponential"},
    {"l1": 0.1},
    {"l2": [0.1]},
    {"class_weights": "balanced"},
    {"class_weights": [1, 2, 3]},
]


@pytest.mark.parametrize("fields", CHANGES, ids=str)
def test_every_setting_changes_the_result(examples: Examples, fields: dict[str, Any]) -> None:
    plain, _ = _train(examples)
    varied, _ = _train(examples, **fields)
    assert _bits(plain) != _bits(varied)


class _Scripted(nn.Module):
    """In evaluation its first logit follows a script, one entry per epoch; the second is 0."""

    def __init__(self, right: list[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.right = right
        self.epoch = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        zeros = torch.zeros(len(x), 1)
        if self.training:
            self.epoch += 1
            with torch.no_grad():
                self.weight.fill_(float(self.epoch))
            return torch.cat([zeros, zeros + 0 * self.weight], 1)
        return torch.cat([zeros + self.right[max(self.epoch - 1, 0)], zeros], 1)


def _scripted(right: list[float], **stopping: Any) -> tuple[float, History]:
    """Fit one full batch per epoch; return the number of the epoch whose weight was kept."""
    network = _Scripted(right)
    part = Examples(torch.zeros(2, 1, 1, 1), torch.zeros(2, dtype=torch.int64))
    settings = _settings(epochs=len(right), early_stopping=stopping or None)
    history = fit(network, part, part, settings, 0)
    return float(network.weight.detach()), history


# The logit of the right class; the loss is log(1 + exp(-logit)): lowest in epoch 3.
SCRIPT = [0.0, 1.0, 2.0, 1.5, 2.0, 1.9, 5.0, 6.0]


def test_early_stopping_restores_the_best_epoch() -> None:
    kept, history = _scripted(SCRIPT, patience=3)
    # Epochs 4, 5 (equal, not better) and 6 bring no new best.
    assert [row.epoch for row in history] == [1, 2, 3, 4, 5, 6]
    assert history.best_epoch == 3
    assert history.stopped_early
    assert kept == 3.0
    assert history.column("validation_loss") == pytest.approx(
        [float(np.log1p(np.exp(-z))) for z in SCRIPT[:6]]
    )


def test_early_stopping_may_keep_the_last_epoch() -> None:
    kept, history = _scripted(SCRIPT, patience=3, restore_best=False)
    assert len(history) == 6
    assert history.best_epoch == 3
    assert kept == 6.0


def test_patience_outlasts_a_dip() -> None:
    _, history = _scripted(SCRIPT, patience=4)
    assert len(history) == 8
    assert history.best_epoch == 8
    assert not history.stopped_early


def test_accuracy_can_be_watched() -> None:
    # Right from epoch 2 on: accuracy 0, then 1; the loss is best in epoch 4.
    kept, history = _scripted([-1.0, 1.0, 2.0, 3.0], patience=2, monitor="validation_accuracy")
    assert history.column("validation_accuracy") == [0.0, 1.0, 1.0, 1.0]
    assert history.best_epoch == 2
    assert kept == 2.0


def test_without_early_stopping_the_last_epoch_stays() -> None:
    kept, history = _scripted(SCRIPT)
    assert history.best_epoch == len(SCRIPT)
    assert kept == len(SCRIPT)


def test_plateau_watches_the_validation_loss() -> None:
    # Lower in epoch 3, then twice not lower: epoch 6 is reduced. The training loss, always log 2,
    # would have reduced epoch 4.
    network = _Scripted([0.5, 0.4, 1.0, 0.9, 0.8, 0.7])
    part = Examples(torch.zeros(2, 1, 1, 1), torch.zeros(2, dtype=torch.int64))
    settings = _settings(
        epochs=6,
        optimizer={"name": "sgd", "learning_rate": 0.5},
        schedule={"name": "plateau", "by": 0.1, "patience": 1},
    )
    history = fit(network, part, part, settings, 0)
    assert history.column("learning_rate") == pytest.approx([0.5] * 5 + [0.05])
    assert history.column("train_loss") == pytest.approx([np.log(2)] * 6)


def test_history_as_csv(examples: Examples) -> None:
    _, history = _train(examples, epochs=2)
    lines = history.csv().splitlines()
    assert lines[0] == (
        "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate"
    )
    assert len(lines) == 3
    cells = lines[1].split(",")
    assert cells[3] == cells[4] == ""
    assert float(cells[1]) == history.rows[0].train_loss
    _, with_validation = _train(examples, epochs=1, validation=examples)
    assert with_validation.rows[0].validation_loss is not None


def test_broken_loss_names_seed_and_epoch(examples: Examples) -> None:
    settings = {
        "optimizer": {"name": "sgd", "learning_rate": 1.0},
        "l2": 1e6,
        "epochs": 50,
    }
    with pytest.raises(ModelError, match=r"seed 7, epoch \d+: .* smaller optimizer.learning_rate"):
        _train(examples, seed=7, **settings)


def test_nan_in_inputs_is_named(examples: Examples) -> None:
    broken = examples.inputs.clone()
    broken[3, 0, 0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"epoch 1: the training loss .* the inputs hold NaN"):
        _train(Examples(broken, examples.targets))
    with pytest.raises(ModelError, match=r"epoch 1: the validation loss .* the inputs hold NaN"):
        _train(examples, validation=Examples(broken, examples.targets))


def test_weights_broken_by_the_last_step_are_found(examples: Examples) -> None:
    with pytest.raises(ModelError, match=r"the weights .* is not a finite number"):
        _train(
            examples,
            epochs=1,
            batch_size=40,
            l2=1e30,
            optimizer={"name": "sgd", "learning_rate": 1e20},
        )


def test_examples_must_fit(examples: Examples) -> None:
    x, y = examples.inputs, examples.targets
    with pytest.raises(ModelError, match="no training sample"):
        _train(Examples(x[:0], y[:0]))
    with pytest.raises(ModelError, match="40 training inputs, but 39 targets"):
        _train(Examples(x, y[1:]))
    with pytest.raises(ModelError, match="int32, expected class numbers"):
        _train(Examples(x, y.int()))
    with pytest.raises(ModelError, match="class numbers 0 to 5, but the network has 3"):
        _train(examples, validation=Examples(x[:2], torch.tensor([0, 5])))
    with pytest.raises(ConfigError, match="no validation samples"):
        _train(examples, validation=Examples(x[:0], y[:0]), early_stopping={})


def test_a_last_batch_of_one_does_not_break_batch_norm() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    random = torch.Generator().manual_seed(0)
    part = Examples(torch.randn(9, 1, 2, 2, generator=random), torch.arange(9) % 2)
    history = fit(network, part, None, _settings(epochs=2, batch_size=4), 0)
    assert np.isfinite(history.rows[-1].train_loss)
