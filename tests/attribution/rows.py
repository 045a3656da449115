"""Training rows held in memory, for methods that ask for them."""

from __future__ import annotations

import torch


class MemoryRows:
    """What `climxai.attribution.context.TrainingRows` asks for, from two tensors."""

    def __init__(self, inputs, labels=None, classes=("a", "b"), files=None):
        self.inputs = inputs
        self.labels = torch.zeros(len(inputs), dtype=torch.int64) if labels is None else labels
        self.classes = classes
        self.files = files or {}

    def __len__(self):
        return len(self.inputs)

    def bounds(self):
        return self.inputs.amin(0), self.inputs.amax(0)

    def check(self, class_name=None, period=None):
        self.mean(class_name, period)

    def mean(self, class_name=None, period=None):
        if class_name is None:
            return self.inputs.mean(0)
        return self.inputs[self.labels == self.classes.index(class_name)].mean(0)

    def draw(self, count, seed):
        order = torch.randperm(len(self.inputs), generator=torch.Generator().manual_seed(seed))
        return self.inputs[order.repeat(-(-count // len(order)))[:count]]

    def blocks(self):
        for first in range(0, len(self.inputs), 3):
            yield self.inputs[first : first + 3], self.labels[first : first + 3]

    def from_file(self, path):
        return self.files[path]
