"""The loop that fits one network to examples held in memory."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from climxai.core.errors import ModelError
from climxai.models.network import LOGITS_BATCH, weighted_layers
from climxai.models.randomness import deterministic_kernels, generator, own_randomness
from climxai.models.training.history import EpochRow, History
from climxai.models.training.loss import Penalty, class_weights, cross_entropy
from climxai.models.training.settings import Training
from climxai.models.training.threads import is_small, one_thread

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examples:
    """Samples in memory: ``inputs`` [sample, channel, lat, lon], ``targets`` [sample] int64."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)


def fit(
    network: nn.Module,
    train: Examples,
    validation: Examples | None,
    settings: Training,
    seed: int,
    on_epoch: Callable[[EpochRow], None] | None = None,
) -> History:
    """Fit ``network`` in place and leave it in evaluation mode.

    The result depends on the network's weights, the examples, the settings and the seed alone:
    neither on the state of global random generators, which is put back, nor on what was trained
    before. Bits of convolutional and of very large dense networks also depend on the number of
    threads, which is torch's; small dense networks always take one thread.

    Parameters
    ----------
    network
        From [sample, channel, lat, lon] to logits [sample, output], on the examples' device.
    train, validation
        Examples; an empty or missing validation part leaves its columns empty.
    settings
        How to train; ``seeds`` is not read here.
    seed
        Fixes the order of samples and dropout.
    on_epoch
        Called with each epoch's row.

    Raises
    ------
    ConfigError
        When settings do not suit the network or the data.
    ModelError
        When examples are inconsistent, or the loss or a weight is no longer a finite number.
    """
    if validation is not None and len(validation) == 0:
        validation = None
    _check_examples("training", train)
    if validation is not None:
        _check_examples("validation", validation)
    outputs = _outputs(network, train, validation)
    layers = len(weighted_layers(network))
    settings.check(layers, outputs, validation=validation is not None)
    try:
        with (
            own_randomness(train.inputs.device) as reseed,
            deterministic_kernels(settings.deterministic),
            one_thread(is_small(network, settings.batch_size)),
        ):
            run = _Run(network, train, validation, settings, seed, outputs)
            for epoch in range(settings.epochs):
                # Seeded per epoch: what a callback draws from global generators changes nothing.
                reseed(seed, "dropout", epoch)
                row = run.epoch(epoch)
                if on_epoch is not None:
                    on_epoch(row)
                if run.finished():
                    break
            return run.close()
    finally:
        network.eval()


class _Run:
    """The state of one training."""

    def __init__(
        self,
        network: nn.Module,
        train: Examples,
        validation: Examples | None,
        settings: Training,
        seed: int,
        outputs: int,
    ) -> None:
        self.network, self.settings, self.seed = network, settings, seed
        self.train, self.validation = train, validation
        self.weights = class_weights(settings.class_weights, train.targets, outputs)
        self.penalty = Penalty(network, settings.penalties(len(weighted_layers(network))))
        self.optimizer = settings.optimizer.build(network)
        self.history = History()
        self.best_score = math.inf
        self.best_state: dict[str, Tensor] | None = None

    def epoch(self, epoch: int) -> EpochRow:
        """Train for one epoch; return and keep its row."""
        losses = [
            row.train_loss if row.validation_loss is None else row.validation_loss
            for row in self.history
        ]
        rate = self.settings.optimizer.learning_rate * self.settings.schedule.factor(
            epoch, self.settings.epochs, losses
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, accuracy = self._steps(epoch)
        validation_loss, validation_accuracy = self._validate(epoch)
        row = EpochRow(epoch + 1, loss, accuracy, validation_loss, validation_accuracy, rate)
        self.history.rows.append(row)
        self._remember(row)
        return row

    def finished(self) -> bool:
        """Return whether patience has run out."""
        stopping = self.settings.early_stopping
        if stopping is None:
            return False
        stopped = len(self.history) - self.history.best_epoch >= stopping.patience
        self.history.stopped_early = stopped and len(self.history) < self.settings.epochs
        return stopped

    def close(self) -> History:
        """Put the best weights back where that is wanted; return the history."""
        if self.best_state is not None:
            self.network.load_state_dict(self.best_state)
        for name, parameter in self.network.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise self._broken(len(self.history), f"the weights {name}")
        return self.history

    def _steps(self, epoch: int) -> tuple[float, float]:
        self.network.train()
        count = len(self.train)
        total = torch.zeros((), dtype=torch.float64, device=self.train.inputs.device)
        right = torch.zeros((), dtype=torch.int64, device=self.train.inputs.device)
        objective = torch.zeros_like(total)
        for rows in self._batches(epoch):
            targets = self.train.targets.index_select(0, rows)
            logits = self.network(self.train.inputs.index_select(0, rows))
            loss = cross_entropy(logits, targets, self.weights)
            whole = loss + self.penalty() if self.penalty else loss
            self.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(whole)
            self.optimizer.step()
            with torch.no_grad():
                total += loss.detach() * len(rows)
                objective += whole.detach() * len(rows)
                right += (logits.detach().argmax(1) == targets).sum()
        if not math.isfinite(float(objective)):
            raise self._broken(epoch + 1, "the training loss")
        return float(total) / count, int(right) / count

    def _batches(self, epoch: int) -> Iterator[Tensor]:
        order = torch.randperm(len(self.train), generator=generator(self.seed, "order", epoch))
        batches = list(torch.split(order.to(self.train.inputs.device), self.settings.batch_size))
        if len(batches) > 1 and len(batches[-1]) == 1 and _normalises(self.network):
            # A batch of one has no variance: its sample joins the batch before it.
            batches[-2:] = [torch.cat(batches[-2:])]
        yield from batches

    def _validate(self, epoch: int) -> tuple[float | None, float | None]:
        if self.validation is None:
            return None, None
        self.network.eval()
        count, total, right = len(self.validation), 0.0, 0
        size = max(LOGITS_BATCH, self.settings.batch_size)
        with torch.no_grad():
            for inputs, targets in zip(
                torch.split(self.validation.inputs, size),
                torch.split(self.validation.targets, size),
                strict=True,
            ):
                logits = self.network(inputs)
                total += float(cross_entropy(logits, targets, self.weights)) * len(targets)
                right += int((logits.argmax(1) == targets).sum())
        if not math.isfinite(total):
            raise self._broken(epoch + 1, "the validation loss")
        return total / count, right / count

    def _remember(self, row: EpochRow) -> None:
        stopping = self.settings.early_stopping
        if stopping is None:
            self.history.best_epoch = row.epoch
            return
        score = _score_to_lower(row, stopping.monitor)
        if score < self.best_score:
            self.best_score = score
            self.history.best_epoch = row.epoch
            if stopping.restore_best:
                self.best_state = {
                    name: value.detach().clone()
                    for name, value in self.network.state_dict().items()
                }

    def _broken(self, epoch: int, what: str) -> ModelError:
        inputs = [self.train.inputs]
        if self.validation is not None:
            inputs.append(self.validation.inputs)
        if not all(bool(torch.isfinite(part).all()) for part in inputs):
            advice = "the inputs hold NaN or infinity: fill invalid cells before training"
        else:
            advice = (
                "try a smaller optimizer.learning_rate, smaller l1/l2 (learning_rate · 2 · l2 must "
                "stay below 1), or a `standardise` step in preprocess"
            )
        return ModelError(
            f"training, seed {self.seed}, epoch {epoch}: {what} is not a finite number; {advice}"
        )


def _score_to_lower(row: EpochRow, monitor: str) -> float:
    value = getattr(row, monitor)
    return -float(value) if monitor == "validation_accuracy" else float(value)


def _normalises(network: nn.Module) -> bool:
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules())


def _check_examples(part: str, examples: Examples) -> None:
    if len(examples) == 0:
        raise ModelError(f"training: there is no {part} sample; check the split and label sections")
    if len(examples.inputs) != len(examples.targets):
        raise ModelError(
            f"training: {len(examples.inputs)} {part} inputs, but {len(examples.targets)} targets"
        )
    if examples.targets.dtype != torch.int64:
        raise ModelError(
            f"training: {part} targets are {examples.targets.dtype}, expected class numbers, int64"
        )


def _outputs(network: nn.Module, train: Examples, validation: Examples | None) -> int:
    """Return the number of logits; the class numbers must lie below it."""
    network.eval()
    with torch.no_grad():
        outputs = int(network(train.inputs[:1]).shape[1])
    for part in (train, validation):
        if part is None:
            continue
        lowest, highest = int(part.targets.min()), int(part.targets.max())
        if lowest < 0 or highest >= outputs:
            raise ModelError(
                f"training: class numbers {lowest} to {highest}, but the network has {outputs} "
                "outputs; build it for as many outputs as there are classes"
            )
    return outputs
