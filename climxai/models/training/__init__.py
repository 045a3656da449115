"""Training: its settings (records), the loop that fits one network, the history it leaves."""

from __future__ import annotations

from climxai.models.training.optimizers import OPTIMIZERS
from climxai.models.training.schedules import SCHEDULES
from climxai.models.training.settings import EarlyStopping, Training

__all__ = ["OPTIMIZERS", "SCHEDULES", "EarlyStopping", "Training"]
