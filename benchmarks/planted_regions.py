"""Which methods tell a cause from what merely goes along with it.

A map with two planted boxes: what happens in box A decides the class; box B follows A (correlation
0.8) but decides nothing. Two networks: one whose weights are written by hand, so that it looks at A
alone and the true answer is known; and one trained on the maps, which may use B as well. For every
method: the share of absolute relevance in A, in B and elsewhere, over the test maps.

    python benchmarks/planted_regions.py [--quick] [--json FILE] [--figure FILE.png]
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import xarray as xr
from torch import Tensor, nn

from climxai.attribution.context import Context
from climxai.attribution.methods import METHODS
from climxai.attribution.methods.method import Method
from climxai.attribution.network import Network, trace
from climxai.attribution.objectives.objective import Grid
from climxai.bridge.training_rows import TrainingRows
from climxai.data.sampleset import SampleSet
from climxai.models.training import Training
from climxai.models.training.fit import Examples, fit

LAT = np.arange(-45.0, 46.0, 10.0)
LON = np.arange(5.0, 360.0, 10.0)
BOXES = {"A": (slice(3, 7), slice(6, 12)), "B": (slice(3, 7), slice(22, 28))}
LAND = (slice(0, 3), slice(14, 20))
FOLLOWS = 0.8
"""Correlation of box B's signal with that of box A."""
ASKED: dict[str, dict[str, object]] = {
    "saliency": {},
    "smoothgrad": {},
    "input_x_gradient": {},
    "integrated_gradients": {},
    "LRP-0": {"name": "lrp", "rule": "zero"},
    "LRP α1β0": {"name": "lrp", "rule": "alpha1beta0"},
    "deeplift": {},
    "gradient_shap": {},
    "occlusion": {"patch": 3, "stride": 1},
    "permutation_importance": {"groups": {"name": "boxes", "lat": 20, "lon": 20}},
    "pattern_net": {},
    "pattern_attribution": {},
    "random": {},
}


@dataclass(frozen=True)
class World:
    """Maps [sample, channel, lat, lon], their classes, and the valid cells [channel, lat, lon]."""

    inputs: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]


def make_world(samples: int, seed: int) -> World:
    """Return maps of noise with a signal in A, and one that follows it in B."""
    draws = np.random.default_rng(seed)
    valid = np.ones((1, LAT.size, LON.size), dtype=bool)
    valid[0][LAND] = False
    inputs = draws.normal(0, 1, (samples, 1, LAT.size, LON.size))
    cause = draws.normal(0, 1, samples)
    follower = FOLLOWS * cause + np.sqrt(1 - FOLLOWS**2) * draws.normal(0, 1, samples)
    for box, signal in (("A", cause), ("B", follower)):
        inputs[:, 0][:, *BOXES[box]] += signal[:, None, None]
    inputs[:, ~valid] = 0
    labels = (inputs[:, 0][:, *BOXES["A"]].mean((1, 2)) > 0).astype(np.int64)
    return World(inputs.astype(np.float32), labels, valid)


def by_hand() -> nn.Module:
    """Return a network whose scores are the positive and the negative part of the mean over A."""
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(LAT.size * LON.size, 2), nn.ReLU(), nn.Linear(2, 2)
    )
    weight = torch.zeros(LAT.size, LON.size)
    weight[BOXES["A"]] = 1 / weight[BOXES["A"]].numel()
    with torch.no_grad():
        network[1].weight.copy_(torch.stack((-weight.flatten(), weight.flatten())))
        network[1].bias.zero_()
        network[3].weight.copy_(torch.eye(2))
        network[3].bias.zero_()
    return network


def trained(world: World) -> nn.Module:
    """Return a network trained on the maps, with a ridge on its first layer."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(LAT.size * LON.size, 8), nn.ReLU(), nn.Linear(8, 2)
    )
    settings = Training.model_validate(
        {"epochs": 60, "batch_size": 64, "l2": [0.01], "optimizer": {"name": "adam"}}
    )
    examples = Examples(torch.from_numpy(world.inputs), torch.from_numpy(world.labels))
    fit(network, examples, None, settings, 0)
    return network


def rows(world: World) -> TrainingRows:
    """Return the maps as training rows."""
    coords = {"lat": LAT, "lon": LON, "channel": ["x"]}
    inputs = xr.DataArray(world.inputs, dims=("sample", "channel", "lat", "lon"), coords=coords)
    labels = xr.DataArray(world.labels, dims="sample")
    valid = xr.DataArray(world.valid, dims=("channel", "lat", "lon"), coords=coords)
    return TrainingRows(SampleSet(inputs, labels, valid, ("low", "high")))


def relevance(
    method: Method, network: Network, x: Tensor, context: Context
) -> npt.NDArray[np.float64]:
    """Return the relevance [sample, lat, lon] of the difference between the classes' scores."""
    start = torch.tensor([[-1.0, 1.0]]).repeat(len(x), 1)
    method.check(network, context)
    return method.attribute(network, x, start, context).values[:, 0].double().numpy()


def shares(maps: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the mean share of absolute relevance in A, in B and elsewhere."""
    size = np.abs(maps)
    total = size.sum((1, 2))
    kept = total > 0
    found = {
        box: float((size[:, *where].sum((1, 2))[kept] / total[kept]).mean())
        for box, where in BOXES.items()
    }
    return {**found, "elsewhere": 1 - sum(found.values())}


def draw(found: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Draw one bar per method and network: its shares in A, in B and elsewhere."""
    import matplotlib.pyplot as plt

    colours = {"A": "#0072B2", "B": "#E69F00", "elsewhere": "#BBBBBB"}
    names = {"A": "A, the cause", "B": "B, follows A", "elsewhere": "elsewhere"}
    figure, axes = plt.subplots(1, len(found), figsize=(8, 4.2), sharey=True, layout="constrained")
    for axis, (network, by_method) in zip(axes, found.items(), strict=True):
        left = np.zeros(len(by_method))
        labels = [name.replace("_", " ") for name in by_method]
        for box, colour in colours.items():
            widths = np.array([share[box] for share in by_method.values()])
            axis.barh(labels, widths, left=left, color=colour, label=names[box])
            left += widths
        axis.set(title=network, xlim=(0, 1), xlabel="share of absolute relevance")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    figure.savefig(path, dpi=150)


def main(arguments: list[str]) -> int:
    """Print the table; write rows and the figure where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer maps")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--figure", type=Path, help="draw the bars into this file")
    asked = parser.parse_args(arguments)
    many, few = (1000, 50) if asked.quick else (4000, 200)
    training, test = make_world(many, 0), make_world(few, 1)
    x = torch.from_numpy(test.inputs)
    context = Context(torch.from_numpy(test.valid), training=rows(training), grid=Grid(LAT, LON))
    networks = {"network that looks at A alone": by_hand(), "trained network": trained(training)}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for title, module in networks.items():
        network = trace(module, test.inputs.shape[1:])
        right = (network(x).argmax(1).numpy() == test.labels).mean()
        print(
            f"\n{title}: {right:.0%} of the test maps right\n"
            f"{'method':24} {'A':>6} {'B':>6} {'else':>6}"
        )
        found[title] = {}
        for label, settings in ASKED.items():
            name = str(settings.get("name", label))
            method = METHODS[name].model_validate({"name": name, **settings})
            found[title][label] = shares(relevance(method, network, x, context))
            print(
                f"{label:24} " + " ".join(f"{share:6.3f}" for share in found[title][label].values())
            )
    if asked.figure:
        draw(found, asked.figure)
    if asked.json:
        lines = [
            {
                "name": f"{title}: {label}, {box}",
                "value": share,
                "unit": "share",
                "goal": None,
                "holds": None,
            }
            for title, by_method in found.items()
            for label, parts in by_method.items()
            for box, share in parts.items()
        ]
        asked.json.write_text(json.dumps(lines, indent=1, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
