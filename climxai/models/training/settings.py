"""The ``train`` section: how each network is fitted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)
from pydantic_core import PydanticCustomError

from climxai.core.errors import ConfigError
from climxai.core.record import Record
from climxai.models.training.optimizers import Adam, AnyOptimizer
from climxai.models.training.schedules import AnySchedule, Constant

Monitor = Literal["validation_loss", "validation_accuracy"]
PerLayer = NonNegativeFloat | tuple[NonNegativeFloat, ...]


class EarlyStopping(Record):
    """Training ends when the validation samples have got no better for a while."""

    patience: PositiveInt = 10
    """epochs in a row without a new best that end the training"""
    monitor: Monitor = "validation_loss"
    """what counts as better: a lower ``validation_loss`` or a higher ``validation_accuracy``"""
    restore_best: bool = True
    """end with the weights of the best epoch instead of the last"""


class Training(Record):
    """How the networks are trained: cross-entropy of the softmax plus penalties on the weights."""

    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (0,)
    """one network is trained per seed; a seed fixes its first weights, shuffling and dropout"""
    epochs: PositiveInt = 100
    """how often every training sample is seen, at most"""
    batch_size: PositiveInt = 32
    """samples per step; the last step of an epoch takes what is left"""
    optimizer: AnyOptimizer = Adam()
    """how a gradient becomes a step"""
    schedule: AnySchedule = Constant()
    """the learning rate from epoch to epoch"""
    l1: PerLayer = 0.0
    """adds l1 · Σ|w| to the loss (the mean over the batch): a number for every dense or
    convolutional layer, or a list, first layer to last, missing ones 0; biases are left out"""
    l2: PerLayer = 0.0
    """adds l2 · Σw² to the loss, as Keras' kernel_regularizer does; written like l1"""
    early_stopping: EarlyStopping | None = None
    """when to stop before the last epoch; needs validation samples"""
    class_weights: Literal["balanced"] | tuple[PositiveFloat, ...] | None = None
    """weight of each class in the loss: a list in class order, or ``balanced`` for samples /
    (classes · samples of the class); the weighted losses are averaged over all samples"""
    null_networks: NonNegativeInt = 0
    """further networks, trained and explained alike but with shuffled labels: composites are shown
    only where they exceed theirs (Labe & Barnes 2021), see `composite.significance`"""
    null_block_length: PositiveInt = 1
    """successive samples whose labels are moved together for null networks; 1 shuffles single
    labels; where labels last for months, blocks longer than that keep the comparison fair"""
    deterministic: bool = True
    """same seed, machine and number of threads: same bits; false lets a GPU use faster kernels"""

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise PydanticCustomError(
                "seeds", "the seed {seed} is listed twice", {"seed": twice[0]}
            )
        return seeds

    def penalties(self, layers: int) -> tuple[tuple[float, float], ...]:
        """Return (l1, l2) of each of ``layers`` weighted layers, first to last.

        Raises
        ------
        ConfigError
            When a list is longer than the network has layers.
        """
        l1 = _per_layer("l1", self.l1, layers)
        l2 = _per_layer("l2", self.l2, layers)
        return tuple(zip(l1, l2, strict=True))

    def check(self, layers: int, outputs: int, *, validation: bool) -> None:
        """Check the settings against a network and data, before anything is trained.

        Parameters
        ----------
        layers
            Number of weighted layers of the network.
        outputs
            Number of classes.
        validation
            Whether there are validation samples.

        Raises
        ------
        ConfigError
            When a list is too long, or early stopping has nothing to watch.
        """
        self.penalties(layers)
        if isinstance(self.class_weights, tuple) and len(self.class_weights) != outputs:
            raise ConfigError(
                f"train.class_weights: {len(self.class_weights)} weight(s) for {outputs} classes; "
                f"give {outputs} in class order, or `balanced`"
            )
        if self.early_stopping is not None and not validation:
            raise ConfigError(
                f"train.early_stopping: watches the {self.early_stopping.monitor}, but there are "
                "no validation samples; give the split a validation part or remove early_stopping"
            )


def _per_layer(key: str, value: float | tuple[float, ...], layers: int) -> tuple[float, ...]:
    if not isinstance(value, tuple):
        return (value,) * layers
    if len(value) > layers:
        raise ConfigError(
            f"train.{key}: {len(value)} numbers for a network of {layers} weighted layer(s); "
            f"give at most {layers}, first layer to last"
        )
    return value + (0.0,) * (layers - len(value))
