"""What a training leaves behind: one row per epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields


@dataclass(frozen=True)
class EpochRow:
    """The state after one epoch. Losses are mean cross-entropies without the weight penalties."""

    epoch: int
    """number of the epoch, the first is 1"""
    train_loss: float
    """mean over the epoch's steps, class weights and dropout as in training"""
    train_accuracy: float
    """share of training samples classified right during the epoch's steps"""
    validation_loss: float | None
    """after the epoch, class weights as in training; None without validation samples"""
    validation_accuracy: float | None
    """after the epoch; None without validation samples"""
    learning_rate: float
    """the epoch's learning rate"""


@dataclass
class History:
    """The rows of one training, first epoch to last."""

    rows: list[EpochRow] = field(default_factory=list)
    best_epoch: int = 0
    """epoch with the best monitored score, the earliest of equals; the last one where nothing is
    monitored"""
    stopped_early: bool = False
    """whether patience ended the training"""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[EpochRow]:
        return iter(self.rows)

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the names of the columns, in order."""
        return tuple(column.name for column in fields(EpochRow))

    def column(self, name: str) -> list[float | None]:
        """Return one column, first epoch to last."""
        return [getattr(row, name) for row in self.rows]

    def csv(self) -> str:
        """Return the rows as CSV text with a header; a missing value is an empty cell."""
        lines = [",".join(self.columns())]
        lines += [
            ",".join("" if value is None else repr(value) for value in asdict(row).values())
            for row in self.rows
        ]
        return "\n".join(lines) + "\n"
