"""Inputs optimised for targets: closed forms on linear networks, harmonics on the sphere, land."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.network import trace
from climxai.attribution.objectives.objective import Grid
from climxai.attribution.visualise.layers import layer_shapes, outputs_and_layers
from climxai.attribution.visualise.optimise import optimise, single_targets
from climxai.attribution.visualise.regularisers import LeastSquares, Smoothness, TotalVariation
from climxai.attribution.visualise.settings import OptimalInput
from climxai.attribution.visualise.sphere import sphere_of
from climxai.attribution.visualise.starts import Climatology, Noise, Sample, Zero
from climxai.core.errors import ModelError
from climxai.core.period import Period
from tests.attribution.rows import MemoryRows
from tests.attribution.small import seeded

SHAPE = (1, 4, 6)
CLASSES = ("cold", "warm")


def grid(rows=4, columns=6):
    lat = -90 + (np.arange(rows) + 0.5) * 180 / rows
    return Grid(lat, np.arange(columns) * 360 / columns)


def land(shape=SHAPE):
    valid = torch.ones(shape, dtype=torch.bool)
    valid[:, :2, 1:3] = False
    return valid


def context(**more):
    return Context(valid=land(), grid=grid(), **more)


def linear():
    module = seeded(nn.Sequential(nn.Flatten(), nn.Linear(24, 2)))
    return trace(module, SHAPE, torch.float64), module[1].weight.detach().reshape(2, *SHAPE)


def deep(seed=0):
    layers = (nn.Flatten(), nn.Linear(24, 5), nn.Tanh(), nn.Linear(5, 2))
    return trace(seeded(nn.Sequential(*layers), seed=seed), SHAPE, torch.float64)


def conv():
    module = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(18, 2)
    )
    return trace(seeded(module), SHAPE, torch.float64)


def run(network, start=None, around=None, **settings):
    settings = OptimalInput.model_validate(settings)
    targets = single_targets(settings.targets, CLASSES)
    start = torch.zeros(SHAPE) if start is None else start
    around = context() if around is None else around
    return optimise(network, targets, CLASSES, start, settings, around)


def rms(values):
    return (values[land()] ** 2).mean().sqrt()


def test_a_linear_score_rises_along_its_weights():
    network, weight = linear()
    sea = land().double()
    targets = [{"name": "class", "aim": "logit"}]
    plain = run(network, targets=targets, steps=7, step_size=0.3, gradient="plain")
    equal = run(network, targets=targets, steps=7, step_size=0.3)
    for number in range(2):
        w = weight[number] * sea
        torch.testing.assert_close(plain.values[number], 7 * 0.3 * w)
        torch.testing.assert_close(equal.values[number], 7 * 0.3 * w / rms(w))
        # The score rises by |w|² per unit of the way gone.
        rise = plain.value[number] - plain.value[number, 0]
        np.testing.assert_allclose(rise, 0.3 * np.arange(8) * float((w**2).sum()))
        np.testing.assert_allclose(plain.loss, -plain.value)


def test_a_probability_rises_along_the_difference_of_weights():
    # d(1 - p)²/dx points along w_other - w_class, whatever its size: equal steps make a line.
    network, weight = linear()
    found = run(network, steps=5, step_size=0.2)
    way = (weight[1] - weight[0]) * land()
    torch.testing.assert_close(found.values[1], 5 * 0.2 * way / rms(way))
    torch.testing.assert_close(found.values[0], -found.values[1])
    with torch.no_grad():
        odds = network(found.values)
    np.testing.assert_allclose(found.value[:, -1], odds.softmax(1).diagonal().numpy())
    assert (np.diff(found.loss, axis=1) < 0).all()


def test_a_probability_near_one_still_has_a_gradient():
    # Score differences of 50: p is 1 in float64, yet (1 - p)² = exp(-100) and its gradient stay.
    module = nn.Sequential(nn.Flatten(), nn.Linear(24, 2)).double()
    with torch.no_grad():
        module[1].weight.zero_()
        module[1].weight[1, 0] = 1.0
        module[1].bias.copy_(torch.tensor([0.0, 50.0]))
    network = trace(module, SHAPE, torch.float64)
    found = run(network, targets={"name": "class", "class_name": "warm"}, steps=3, step_size=1.0)
    np.testing.assert_allclose(found.loss[0, 0], np.exp(-100), rtol=1e-12)
    assert float(found.values[0, 0, 0, 0]) == pytest.approx(3 * np.sqrt(int(land().sum())))


def test_least_squares_is_ridge_regression():
    # Closed form: minimise (w·x + b - v)² + k Σ a (x - s)², solved as a linear system.
    network, weight = linear()
    bias = float(network(torch.zeros((1, *SHAPE), dtype=torch.float64))[0, 0])
    start = Noise(seed=4, scale=1.0).map(context(), lambda *_: None)
    found = run(
        network, start,
        targets={"name": "regression", "output": 0, "target": 3.0},
        regularisers={"name": "l2", "weight": 40.0},
        steps=4000, step_size=0.05, gradient="plain",
    )  # fmt: skip
    sea = land().numpy().ravel()
    w = weight[0].numpy().ravel()[sea]
    rows = np.deg2rad(grid().lat)
    area = np.repeat(np.sin(rows + np.pi / 8) - np.sin(rows - np.pi / 8), 6)[sea]
    area = np.diag(area / area.sum() * 40.0)
    s = start.double().numpy().ravel()[sea]
    solved = np.linalg.solve(np.outer(w, w) + area, (3.0 - bias) * w + area @ s)
    np.testing.assert_allclose(found.values[0].numpy().ravel()[sea], solved, atol=1e-6)
    expected = ((solved - s) ** 2 * np.diag(area)).sum()
    assert found.penalty[0, -1] == pytest.approx(expected, rel=1e-5)


def harmonics(rows=180, columns=360):
    where = grid(rows, columns)
    lat, lon = np.deg2rad(where.lat)[:, None], np.deg2rad(where.lon)[None, :]
    fields = (np.sin(lat) + 0 * lon, np.cos(lat) * np.cos(lon), np.cos(lat) ** 2 * np.cos(2 * lon))
    return where, torch.tensor(np.stack(fields))[:, None]


def test_smoothness_of_spherical_harmonics_is_their_eigenvalue():
    # The mean of |∇Y|² over the sphere is l (l + 1) times the mean of Y²: 2/3, 2/3 and 6 · 4/15.
    where, fields = harmonics()
    sphere = sphere_of(where.lat, where.lon, torch.ones(fields.shape[1:]).bool(), torch.float64)
    found = Smoothness().of(fields, fields[0] * 0, sphere)
    np.testing.assert_allclose(found, [2 / 3, 2 / 3, 6 * 4 / 15], rtol=2e-3)
    square = LeastSquares().of(fields, fields[0] * 0, sphere)
    np.testing.assert_allclose(square, [1 / 3, 1 / 3, 4 / 15], rtol=1e-4)


def test_variation_of_slopes_is_known():
    # Mean of |cos lat| by area: π/4; a roof of slope 1 in longitude, over cos lat: π/2.
    where, fields = harmonics()
    sphere = sphere_of(where.lat, where.lon, torch.ones(fields.shape[1:]).bool(), torch.float64)
    roof = torch.tensor(np.abs(np.deg2rad(where.lon) - np.pi)).expand(1, 1, 180, 360)
    found = TotalVariation().of(torch.cat([fields[:1], roof]), fields[0] * 0, sphere)
    np.testing.assert_allclose(found, [np.pi / 4, np.pi / 2], rtol=1e-3)


@pytest.mark.parametrize("penalty", [TotalVariation(), Smoothness()])
def test_a_shift_around_the_globe_changes_no_penalty(penalty):
    x = torch.randn((2, *SHAPE), generator=torch.Generator().manual_seed(0)).double()
    whole = sphere_of(grid().lat, grid().lon, torch.ones(SHAPE).bool(), torch.float64)
    torch.testing.assert_close(
        penalty.of(x, x[0], whole), penalty.of(torch.roll(x, 2, dims=-1), x[0], whole)
    )
    # A grid that ends has no neighbours across its seam.
    part = sphere_of(grid().lat, grid().lon / 2, torch.ones(SHAPE).bool(), torch.float64)
    seam = torch.zeros((1, *SHAPE)).double()
    seam[..., 0] = 1.0
    other = torch.zeros((1, *SHAPE)).double()
    other[..., -1] = 1.0
    torch.testing.assert_close(penalty.of(seam, x[0], part), penalty.of(other, x[0], part))
    assert float(penalty.of(seam, x[0], whole)) > 0
    both = penalty.of(seam + other, x[0], part)
    torch.testing.assert_close(both, penalty.of(seam, x[0], part) * 2)


@pytest.mark.parametrize(("penalty", "power"), [(TotalVariation(), 1), (Smoothness(), 2)])
def test_penalties_are_sums_over_valid_neighbours(penalty, power):
    # The oracle walks over all pairs of neighbours, with edges and distances of a regular grid.
    x = torch.randn((1, *SHAPE), generator=torch.Generator().manual_seed(1)).double()
    lat, valid = np.deg2rad(grid().lat), land()[0].numpy()
    height, width = np.pi / 4, np.pi / 3
    rows = np.sin(lat + height / 2) - np.sin(lat - height / 2)
    total = area = 0.0
    field = x[0, 0].numpy()
    for i in range(4):
        for j in range(6):
            if not valid[i, j]:
                continue
            area += rows[i] * width
            k = (j + 1) % 6
            if valid[i, k]:
                size = abs(field[i, k] - field[i, j]) ** power
                total += size * height / (rows[i] / height * width) ** (power - 1)
            if i < 3 and valid[i + 1, j]:
                size = abs(field[i + 1, j] - field[i, j]) ** power
                total += size * np.cos(lat[i] + height / 2) * width / height ** (power - 1)
    sphere = sphere_of(grid().lat, grid().lon, land(), torch.float64)
    assert float(penalty.of(x, x[0], sphere)) == pytest.approx(total / area)
    x[:, ~land()] = 99.0
    assert float(penalty.of(x, x[0], sphere)) == pytest.approx(total / area)


@pytest.mark.parametrize("name", ["l2", "total_variation", "smoothness"])
def test_a_penalty_makes_what_it_measures_smaller(name):
    network = deep()
    free = run(network, steps=60, step_size=0.05)
    held = run(network, steps=60, step_size=0.05, regularisers={"name": name, "weight": 0.3})
    sphere = sphere_of(grid().lat, grid().lon, land(), torch.float64)
    penalty = OptimalInput.model_validate({"regularisers": name}).regularisers[0]
    zero = torch.zeros(SHAPE)
    assert (
        penalty.of(held.values, zero, sphere) < 0.7 * penalty.of(free.values, zero, sphere)
    ).all()
    assert free.penalty.max() == 0
    np.testing.assert_allclose(
        held.penalty[:, -1], 0.3 * penalty.of(held.values, zero, sphere).numpy()
    )


@pytest.mark.parametrize("name", ["l2", "total_variation", "smoothness"])
@pytest.mark.parametrize("gradient", ["rms", "plain"])
def test_what_ends_the_descent_is_told(name, gradient):
    # A small weight leaves the score its way, a large one takes it, a step at a time.
    network = linear()[0]
    settings = {
        "targets": {"name": "class", "class_name": "warm", "aim": "logit"},
        "gradient": gradient, "step_size": 0.01 if gradient == "rms" else 0.02, "steps": 150,
    }  # fmt: skip
    assert run(network, **settings).held.tolist() == [0.0]
    free = run(network, regularisers={"name": name, "weight": 1e-6}, **settings).held[0]
    held = run(network, regularisers={"name": name, "weight": 20.0}, **settings).held[0]
    assert abs(free) < 0.01
    assert held > 0.9


def test_bounds_are_not_taken_for_regularisers():
    rows = MemoryRows(
        torch.stack([torch.full(SHAPE, -0.02), torch.full(SHAPE, 0.02)]), (0, 1), CLASSES
    )
    found = run(
        linear()[0], around=context(training=rows), bounds="training", steps=50,
        targets={"name": "class", "class_name": "warm", "aim": "logit"},
        regularisers={"name": "l2", "weight": 1e-6},
    )  # fmt: skip
    assert found.values.abs().max() <= 0.02
    assert abs(found.held[0]) < 0.01


def test_a_target_is_met():
    one, score, five, most = single_targets(
        OptimalInput.model_validate(
            {
                "targets": [
                    {"name": "class", "class_name": "warm"},
                    {"name": "class", "class_name": "warm", "aim": "logit"},
                    {"name": "regression", "target": 5.0},
                    "regression",
                ]
            }
        ).targets,
        CLASSES,
    ).values()
    assert one.met(0.5, 0.96)
    assert not one.met(0.5, 0.9)
    assert not score.met(0.5, 100.0)
    assert five.met(0.0, 4.8)
    assert not five.met(0.0, 4.0)
    assert not most.met(0.0, 1e6)


def test_land_stays_zero_and_bounds_hold():
    rows = MemoryRows(torch.randn((9, *SHAPE), generator=torch.Generator().manual_seed(2)))
    around = context(training=rows)
    start = Noise(seed=1, scale=2.0).map(around, lambda *_: None)
    assert not start[~land()].any()
    for network in (deep(), conv()):
        found = run(
            network, start, around, bounds="training", steps=40, step_size=0.2,
            regularisers=["smoothness", "total_variation"],
        )  # fmt: skip
        assert not found.values[:, ~land()].any()
        low, high = rows.bounds()
        inside = found.values[:, land()]
        assert (inside >= low[land()].double()).all()
        assert (inside <= high[land()].double()).all()
        free = run(network, start, around, steps=40, step_size=0.2)
        assert not torch.equal(free.values, found.values)


def test_targets_together_are_targets_alone_and_weights_stay():
    network = conv()
    before = copy.deepcopy(network.module.state_dict())
    targets = ["class", {"name": "unit", "layer": "1", "unit": 2}, {"name": "regression"}]
    settings = {"steps": 30, "regularisers": ["smoothness"]}
    together = run(network, targets=targets, **settings)
    assert together.values.shape == (4, *SHAPE)
    alone = [
        run(network, targets={"name": "class", "class_name": "cold"}, **settings),
        run(network, targets={"name": "class", "class_name": "warm"}, **settings),
        run(network, targets=targets[1], **settings),
        run(network, targets=targets[2], **settings),
    ]
    for number, each in enumerate(alone):
        torch.testing.assert_close(together.values[number : number + 1], each.values)
    for name, value in network.module.state_dict().items():
        assert torch.equal(value, before[name])


def test_values_of_layers_are_those_of_the_modules():
    # The oracle runs the modules one after another.
    network = conv()
    x = torch.randn((3, *SHAPE), generator=torch.Generator().manual_seed(5)).double()
    outputs, layers = outputs_and_layers(network, x, ("0", "2", "4"))
    torch.testing.assert_close(layers["0"], network.module[0](x))
    torch.testing.assert_close(layers["2"], network.module[:3](x))
    torch.testing.assert_close(layers["4"], outputs)
    assert layer_shapes(network)["2"] == (3, 2, 3)
    nested = trace(nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(24, 2), nn.ReLU())), SHAPE)
    assert layer_shapes(nested) == {"0": (24,), "1.0": (2,), "1.1": (2,), "1": (2,)}


def test_a_unit_of_a_feature_map_is_pushed():
    network = conv()
    unit = {"name": "unit", "layer": "0", "unit": 1}
    mean = run(network, targets=unit, steps=20)
    place = run(network, targets={**unit, "place": [3, 0]}, steps=20)
    least = run(network, targets={**unit, "minimise": True}, steps=20)
    with torch.no_grad():
        assert float(network.module[0](mean.values)[0, 1].mean()) == pytest.approx(
            mean.value[0, -1], rel=0.02
        )
    assert mean.value[0, -1] > mean.value[0, 0] > least.value[0, -1]
    # A window of 3 x 3 cells in the north-west corner sees no more than its neighbourhood.
    moved = place.values[0, 0] != 0
    assert moved[2:, :2].all()
    assert int(moved.sum()) == 4


def test_names_of_targets_differ():
    settings = OptimalInput.model_validate(
        {"targets": ["class", {"name": "class", "class_name": "WARM"}, {"name": "regression"}]}
    )
    assert list(single_targets(settings.targets, CLASSES)) == ["cold", "warm", "WARM_2", "output0"]


def test_starts():
    rows = MemoryRows(torch.arange(48.0).reshape(2, *SHAPE) * land(), torch.tensor([0, 1]), CLASSES)
    around = context(training=rows)

    def read(period, member):
        assert (period, member) == (Period(start="1998-01", end="1998-01"), None)
        return torch.ones(SHAPE)

    assert not Zero().map(around, read).any()
    torch.testing.assert_close(Climatology().map(around, read), rows.inputs.mean(0))
    torch.testing.assert_close(Climatology(class_name="warm").map(around, read), rows.inputs[1])
    torch.testing.assert_close(Sample(date="1998-01").map(around, read), land().float())
    one, two = (Noise(seed=seed).map(around, read) for seed in (0, 1))
    assert not torch.equal(one, two)
    assert float(one[land()].std()) == pytest.approx(0.1, rel=0.4)
    with pytest.raises(ValidationError, match="is not a date"):
        Sample(date="May 1998")
    with pytest.raises(ModelError, match="training samples"):
        Climatology().map(context(), read)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"name": "unit", "layer": "9", "unit": 0}, "no layer '9'.* 1 \\(5\\)"),
        ({"name": "unit", "layer": "1", "unit": 5}, "has 5 units"),
        ({"name": "unit", "layer": "1", "unit": 0, "place": [0, 0]}, "no feature maps"),
        ({"name": "class", "class_name": "wram"}, "no class 'wram'. Did you mean 'warm'"),
        ({"name": "regression", "output": 2}, "the network has 2"),
    ],
)
def test_targets_that_do_not_suit_are_refused(target, said):
    with pytest.raises(ModelError, match=said):
        run(deep(), targets=target)


def test_a_place_beyond_the_feature_map_is_refused():
    with pytest.raises(ModelError, match="4 rows and 6 columns"):
        run(conv(), targets={"name": "unit", "layer": "0", "unit": 0, "place": [4, 0]})


def test_a_network_that_does_not_move_is_told():
    # A hidden layer that is off everywhere: no gradient, and the input stays at its start.
    module = nn.Sequential(nn.Flatten(), nn.Linear(24, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    with torch.no_grad():
        module[1].bias.fill_(-100.0)
    found = run(trace(module, SHAPE, torch.float64), steps=4)
    assert not found.values.any()
    assert found.moves.tolist() == [0, 0]
    assert run(deep(), steps=4).moves.tolist() == [4, 4]


def test_steps_that_run_away_are_refused():
    with pytest.raises(ModelError, match=r"no finite number at step.*smaller step_size"):
        run(
            linear()[0], targets={"name": "regression", "target": 1.0}, gradient="plain",
            step_size=1e9, steps=100,
        )  # fmt: skip
