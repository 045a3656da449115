"""PatternNet and PatternAttribution: known signals, numpy re-statements, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climxai.attribution.backward.patterns import fitted_patterns, structure
from climxai.attribution.context import Context
from climxai.attribution.methods.patterns import PatternAttribution, PatternNet
from climxai.attribution.network import layer_name, trace
from climxai.core.errors import ModelError
from tests.attribution.relu_networks import (
    VALID,
    Convolutional,
    Dense,
    Functional,
    Residual,
    attribute,
)
from tests.attribution.rows import MemoryRows
from tests.attribution.small import SHAPE, samples, seeded

METHODS = [PatternNet(), PatternAttribution()]
ROWS = MemoryRows(samples(count=40)[4:] + 0.3)
TRAINED = Context(VALID, training=ROWS)
same = torch.testing.assert_close


def patterns_of(module, rows=ROWS, shape=SHAPE, memory=256_000_000):
    """Return the fitted patterns by the name of the layer."""
    network = trace(module, shape, torch.float64)
    found = fitted_patterns(
        network, Context(torch.ones(shape).bool(), training=rows, memory=memory)
    )
    return {layer_name(node): pattern for node, pattern in found.items()}


def two_component(x, weight, bias, rectified):
    """The estimator of section 4 of the paper for one unit, by numpy means over its samples.

    Where active samples have a negative sum on average the covariance among them is used (the
    documented exception).
    """
    y = x @ weight
    active = y + bias > 0 if rectified else np.ones(len(y), dtype=bool)
    if not active.any():
        return np.zeros_like(weight)
    xa, ya = x[active], y[active]
    upper = (xa * ya[:, None]).mean(0) - xa.mean(0) * (ya.mean() if ya.mean() < 0 else y.mean())
    return upper / (weight @ upper)


def orthogonal_pair(count=64):
    """Two mean-free series without any correlation."""
    t = np.arange(count) * 2 * np.pi / count
    return np.sin(t), np.cos(3 * t)


def test_a_distractor_does_not_show():
    """The paper's example: x = signal a + distractor b, w b = 0, w a = 1. The pattern is a."""
    a, b = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    weight = np.array([1.0, -1.0])
    signal, distractor = orthogonal_pair()
    x = signal[:, None] * a + 2 * distractor[:, None] * b
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 1)).double()
    module[1].weight.data[:] = torch.from_numpy(weight)
    module[1].bias.data[:] = 0.25
    inputs = torch.from_numpy(x).reshape(-1, 2, 1, 1)
    network = trace(module, (2, 1, 1), torch.float64)
    start = torch.ones(len(inputs), 1).double()
    context = Context(torch.ones(2, 1, 1).bool(), training=MemoryRows(inputs))
    found = PatternNet().attribute(network, inputs, start, context)
    expected = (signal + 0.25)[:, None] * a
    np.testing.assert_allclose(found.values.flatten(1), expected, atol=1e-12)
    shares = PatternAttribution().attribute(network, inputs, start, context)
    np.testing.assert_allclose(shares.values.flatten(1), expected * weight, atol=1e-12)
    same(shares.values.flatten(1).sum(1), shares.output)


def test_dense_layers_by_numpy():
    """Patterns and both walks back, from the network's own activations."""
    module = seeded(Dense())
    found = patterns_of(module)
    rows, x = ROWS.inputs.flatten(1), samples().flatten(1)
    layers = [module.dense1, module.dense2, module.dense3]
    gates, made = [], []
    for number, layer in enumerate(layers):
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        made.append(
            np.array(
                [
                    two_component(rows.numpy(), w, b, number < 2)
                    for w, b in zip(weight, bias, strict=True)
                ]
            )
        )
        np.testing.assert_allclose(found[f"dense{number + 1}"], made[-1], rtol=1e-8, atol=1e-10)
        rows, x = layer(rows).detach(), layer(x).detach()
        if number < 2:
            gates.append((x > 0).numpy())
            rows, x = rows.clamp(min=0), x.clamp(min=0)
    for method, weighted in ((PatternNet(), False), (PatternAttribution(), True)):
        signal = x.numpy() * np.array([0.0, 1.0, 0.0])
        for number in (2, 1, 0):
            by = made[number]
            if weighted:
                by = by * layers[number].weight.detach().numpy()
            signal = signal @ by
            if number:
                signal = signal * gates[number - 1]
        values = attribute(method, module, context=TRAINED).values
        np.testing.assert_allclose(values.flatten(1), signal, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 4, 3, padding=1),
        nn.Conv2d(2, 4, 3, stride=2, dilation=2, padding=(2, 1)),
        nn.Conv2d(2, 4, (2, 3), padding="same"),
        nn.Conv2d(2, 4, 3, groups=2),
        nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular"),
    ],
    ids=["padded", "strided and dilated", "uneven same", "groups", "circular"],
)
@pytest.mark.parametrize("rectified", [True, False])
def test_convolutions_by_windows(layer, rectified):
    """Every window of every sample is one row of the estimator."""
    layer = seeded(layer)
    rest = [nn.ReLU(), nn.Flatten()] if rectified else [nn.Flatten()]
    module = nn.Sequential(layer, *rest)
    (found,) = patterns_of(module).values()
    x = ROWS.inputs
    if layer.padding_mode == "circular":
        x = nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
    elif layer.padding == "same":
        x = nn.functional.pad(x, (1, 1, 0, 1))
    else:
        rows, columns = layer.padding
        x = nn.functional.pad(x, (columns, columns, rows, rows))
    windows = nn.functional.unfold(
        x, layer.kernel_size, dilation=layer.dilation, stride=layer.stride
    )
    windows = windows.movedim(1, 2).flatten(0, 1).numpy()
    each = windows.shape[1] // layer.groups
    for unit in range(4):
        group = unit * layer.groups // 4
        weight = layer.weight[unit].flatten().detach().numpy()
        part = windows[:, group * each : (group + 1) * each]
        expected = two_component(part, weight, layer.bias[unit].item(), rectified)
        np.testing.assert_allclose(found[unit].flatten(), expected, rtol=1e-8, atol=1e-10)


def test_a_unit_reads_its_pattern_as_one():
    """The constraint of every estimator: w a = 1, but for a unit that is never active."""
    module = seeded(Convolutional())
    for name, pattern in patterns_of(module).items():
        weight = module.get_submodule(name).weight
        read = (weight * pattern).flatten(1).sum(1).detach()
        same(read[read != 0], torch.ones(int((read != 0).sum())).double())
        assert (read == 0).sum() <= 1


def test_a_large_bias_does_not_make_patterns_explode():
    """Active at negative sums: the denominator of the plain estimator crosses zero there."""
    spread, means = np.sin(np.arange(400) * 1.7), np.linspace(-3, 0, 61)
    x = np.stack([spread, spread**2 + np.cos(np.arange(400)), np.ones(400)], 1)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 61), nn.ReLU()).double()
    module[1].weight.data[:] = torch.from_numpy(np.stack([np.ones(61), np.zeros(61), means], 1))
    module[1].bias.data[:] = torch.from_numpy(-means)
    rows = MemoryRows(torch.from_numpy(x).reshape(-1, 3, 1, 1))
    found = patterns_of(module, rows, (3, 1, 1))["1"]
    plain = []
    for mean in means:
        y, active = spread + mean, spread > 0
        upper = (x * y[:, None])[active].mean(0) - x[active].mean(0) * y.mean()
        plain.append(abs(upper[1] / (upper @ [1, 0, mean])))
    assert max(plain) > 20
    assert found[:, 1].abs().max() < 4


def test_units_that_never_vary_or_are_never_active_have_no_pattern():
    module = seeded(Dense())
    module.dense1.weight.data[0] = 0
    module.dense1.bias.data[1] = -1e6
    pattern = patterns_of(module)["dense1"]
    assert pattern[:2].abs().max() == 0
    assert pattern[2:].abs().amax(1).min() > 0
    assert attribute(PatternNet(), module, context=TRAINED).values.isfinite().all()


@pytest.mark.parametrize("kind", [Convolutional, Residual])
def test_blocks_and_memory_do_not_matter(kind):
    class OneBlock(MemoryRows):
        def blocks(self):
            yield self.inputs, self.labels

    once = patterns_of(seeded(kind()), OneBlock(ROWS.inputs))
    for name, pattern in patterns_of(seeded(kind()), memory=1).items():
        same(pattern, once[name])


def test_training_rows_are_read_once_per_network():
    class Counted(MemoryRows):
        reads = 0

        def blocks(self):
            self.reads += 1
            return super().blocks()

    rows = Counted(ROWS.inputs)
    network = trace(seeded(Dense()), SHAPE, torch.float64)
    start = torch.ones(4, 3).double()
    for method in METHODS:
        method.attribute(network, samples(), start, Context(VALID, training=rows))
    assert rows.reads == 1
    other = Counted(ROWS.inputs * 2)
    METHODS[0].attribute(network, samples(), start, Context(VALID, training=other))
    assert other.reads == 1


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_batch_norm_is_part_of_the_layer(method):
    """A convolution with batch norm merged by hand is the same function and the same map."""
    module = seeded(nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()))
    module.append(nn.Linear(96, 3)).double()
    module[1].running_var.copy_(torch.tensor([0.5, 1.5, 2.0, 0.7]))
    module[1].running_mean.copy_(torch.tensor([0.1, -0.5, 0.2, 0.7]))
    fused = torch.nn.utils.fusion.fuse_conv_bn_eval(module[0], module[1])
    merged = nn.Sequential(fused, module[2], module[3], module[4])
    same(
        attribute(method, module, context=TRAINED).values,
        attribute(method, merged, context=TRAINED).values,
    )


def test_which_layers_are_rectified():
    """A ReLU must follow directly: not behind a sum or a pooling, and no other branch."""
    network = trace(seeded(Residual()), SHAPE, torch.float64)
    found = structure(network)
    assert {layer_name(n) for n in found.rectified} == {"conv1", "conv2"}
    assert {layer_name(n) for n in found.layers} == {"conv1", "conv2", "head"}

    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(2, 3, 1)
            self.b = nn.Conv2d(2, 3, 1)

        def forward(self, x):
            h, pooled = self.a(x), nn.functional.max_pool2d(self.b(x), 2)
            return (torch.relu(h) + h).sum((2, 3)) + torch.relu(pooled).sum((2, 3))

    assert not structure(trace(Branching(), SHAPE)).rectified


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_a_factor_has_a_pattern_of_its_own(method):
    """Scaling by 4 and back between layers changes neither the function nor the map."""

    class Scaled(Dense):
        def forward(self, x):
            h = torch.relu(self.dense1(x.flatten(1))) * 4
            return self.dense3(torch.relu(self.dense2(h / 4)))

    same(
        attribute(method, seeded(Scaled()), context=TRAINED).values,
        attribute(method, seeded(Dense()), context=TRAINED).values,
    )


def test_attribution_sums_to_the_score_where_no_unit_is_idle():
    """Weights times patterns sum to one; with every unit active nothing is lost on the way."""
    module = seeded(Dense())
    module.dense1.bias.data[:] = 1e3
    module.dense2.bias.data[:] = 1e4
    found = attribute(PatternAttribution(), module, context=TRAINED)
    same(found.values.flatten(1).sum(1), found.output)
    same(found.output, module(samples())[:, 1].detach())


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_the_way_a_network_is_written_does_not_matter(method):
    modules = attribute(method, seeded(Convolutional()), context=TRAINED).values
    assert modules.abs().max() > 0
    same(modules, attribute(method, seeded(Functional()), context=TRAINED).values)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_a_sample_does_not_depend_on_its_batch(method):
    module, x = seeded(Residual()), samples()
    alone = [attribute(method, module, each[None], TRAINED).values for each in x]
    same(attribute(method, module, x, TRAINED).values, torch.cat(alone))
    assert attribute(method, module, x[:0], TRAINED).values.shape == (0, *SHAPE)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_the_objectives_reference_is_subtracted_first(method):
    module = seeded(Dense())
    same(
        attribute(method, module, context=Context(VALID, torch.zeros(1, 3).double(), ROWS)).values,
        attribute(method, module, context=TRAINED).values,
    )
    shifted = Context(VALID, torch.tensor([[9.0, 0.5, 9.0]]).double(), ROWS)
    found = attribute(method, module, context=shifted)
    plain = attribute(method, module, context=TRAINED)
    share = (plain.output - 0.5) / plain.output
    same(found.values, plain.values * share[:, None, None, None])
    same(found.output, plain.output - 0.5)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_land_gets_nothing_in_dense_networks(method):
    """Cells that are 0 in every training sample do not vary with anything."""
    land = torch.zeros(SHAPE, dtype=torch.bool)
    land[:, 2:4, 3:5] = True
    context = Context(~land, training=MemoryRows(ROWS.inputs * ~land))
    values = attribute(method, seeded(Dense()), samples() * ~land, context).values
    assert values[:, land].abs().max() == 0
    assert values[:, ~land].abs().max() > 0


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Dense(nn.Tanh), "aten.tanh.default at 'relu1'"),
        (nn.Sequential(nn.ConvTranspose2d(2, 3, 2), nn.Flatten()), "'0' (ConvTranspose2d"),
        (nn.Sequential(nn.ReLU(), nn.Flatten()), "needs dense or convolution layers"),
    ],
)
@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_other_networks_are_refused(method, module, words):
    network = trace(module.double(), SHAPE, torch.float64)
    with pytest.raises(ModelError, match="Pattern") as error:
        method.check(network, TRAINED)
    assert words in str(error.value)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_training_samples_are_needed(method):
    network = trace(seeded(Dense()), SHAPE, torch.float64)
    with pytest.raises(ModelError, match="fits its patterns to the training samples"):
        method.check(network, Context(VALID))
    with pytest.raises(ModelError, match="no training samples"):
        attribute(
            method, seeded(Dense()), context=Context(VALID, training=MemoryRows(ROWS.inputs[:0]))
        )
