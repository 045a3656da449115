"""How long attribution takes, relative to one plain forward and backward pass to the input.

Networks: dense 16,020-8-8-2 and two convolutions, both on 1 x 89 x 180 cells; climxai beside zennit
and captum where they are installed. LRP in batches of 1, 32 and 256, the other methods in batches
of 32 and, with ``--batches 32,256``, of 256 too. Every number is the median over rounds of the
ratio of two times taken one after the other in the same round. A quick run leaves out captum where
one explanation takes it ten seconds or more.

    python benchmarks/attribution.py [--quick] [--json FILE] [--device cuda] [--threads N]
                                     [--only saliency,occlusion]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from climxai.attribution.context import Context
from climxai.attribution.methods import METHODS as OURS
from climxai.attribution.methods import Method
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import Network, trace
from climxai.attribution.objectives.objective import Grid

SHAPE = (1, 89, 180)
GOALS = {
    ("dense", "epsilon"): 1.2,
    ("dense", "zero"): 1.2,
    ("dense", "alpha1beta0"): 2.0,
    ("dense", "alpha2beta1"): 2.0,
    ("dense", "gamma"): 2.5,
    ("convolution", "epsilon"): 1.6,
    ("convolution", "zero"): 1.6,
    ("convolution", "alpha1beta0"): 2.2,
    ("convolution", "alpha2beta1"): 3.0,
    ("convolution", "gamma"): 3.2,
}
RULES = ("zero", "epsilon", "alpha1beta0", "alpha2beta1", "gamma")
METHODS: dict[str, dict[str, object]] = {
    "saliency": {"name": "saliency"},
    "input_x_gradient": {"name": "input_x_gradient"},
    "integrated_gradients": {"name": "integrated_gradients", "steps": 50},
    "smoothgrad": {"name": "smoothgrad", "draws": 50},
    "occlusion": {"name": "occlusion", "patch": 9, "stride": 5},
}
METHOD_GOALS = {
    ("dense", "saliency"): 1.1,
    ("dense", "input_x_gradient"): 1.1,
    ("dense", "integrated_gradients"): 2.0,
    ("dense", "smoothgrad"): 2.0,
    ("dense", "occlusion"): 10.0,
    ("convolution", "saliency"): 1.1,
    ("convolution", "input_x_gradient"): 1.1,
    ("convolution", "integrated_gradients"): 45.0,
    ("convolution", "smoothgrad"): 55.0,
    ("convolution", "occlusion"): 260.0,
}
SLOW = {
    ("convolution", "integrated_gradients"),
    ("convolution", "smoothgrad"),
    ("convolution", "occlusion"),
}
"""What takes captum ten seconds or more a call."""


class FlatLinear(nn.Linear):
    """A dense layer that flattens first: captum has no rule for nn.Flatten."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums."""
        return super().forward(x.flatten(1))


def dense() -> nn.Module:
    """Return the dense network 16,020-8-8-2."""
    return nn.Sequential(
        FlatLinear(16020, 8),
        nn.ReLU(),
        nn.Linear(8, 8),
        nn.ReLU(),
        nn.Linear(8, 2),
    )


def convolution() -> nn.Module:
    """Return a network of two convolutions, pooling and a dense head."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        FlatLinear(16 * 22 * 45, 2),
    )


NETWORKS: dict[str, Callable[[], nn.Module]] = {"dense": dense, "convolution": convolution}


def plain(module: nn.Module, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return one forward and backward pass to the input."""

    def run() -> Tensor:
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(module(leaf), leaf, start)
        return gradient

    return run


_TRACED: dict[str, Network] = {}


def traced(module: nn.Module, device: torch.device) -> Network:
    """Return the network of a module, exported once."""
    key = f"{module} {device}"
    if key not in _TRACED:
        _TRACED[key] = trace(module, SHAPE)
    return _TRACED[key]


def ours(module: nn.Module, rule: str, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return an explanation by LRP of climxai."""
    return _by(LayerwiseRelevance(rule=rule), module, x, start)


def our_method(module: nn.Module, name: str, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return an explanation by another method of climxai."""
    record = OURS[str(METHODS[name]["name"])]
    return _by(record.model_validate(METHODS[name]), module, x, start)


def _by(method: Method, module: nn.Module, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    network = traced(module, x.device)
    valid = torch.ones(SHAPE, dtype=torch.bool, device=x.device)
    context = Context(valid, grid=Grid(np.linspace(-88, 88, 89), np.linspace(0, 358, 180)))
    return lambda: method.attribute(network, x, start, context).values


def captum_method(module: nn.Module, name: str, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return an explanation by captum's method of the same name and settings.

    Where all copies of a batch take gigabytes it is asked to work batch by batch.
    """
    from captum import attr

    target = start.argmax(1)
    dense_network = not any(isinstance(layer, nn.Conv2d) for layer in module.modules())
    if name == "integrated_gradients":
        method = attr.IntegratedGradients(module)
        size = None if dense_network else len(x)
        return lambda: method.attribute(
            x,
            target=target,
            n_steps=50,
            method="riemann_trapezoid",
            internal_batch_size=size,
        )
    if name == "smoothgrad":
        tunnel = attr.NoiseTunnel(attr.Saliency(module))
        size = None if dense_network else 1
        spread = 0.15 * float(x.max() - x.min())
        return lambda: tunnel.attribute(
            x.clone().requires_grad_(),
            nt_samples=50,
            nt_samples_batch_size=size,
            stdevs=spread,
            target=target,
            abs=False,
        )
    if name == "occlusion":
        occlusion = attr.Occlusion(module)
        return lambda: occlusion.attribute(
            x, sliding_window_shapes=(1, 9, 9), strides=(1, 5, 5), target=target
        )
    kind = attr.Saliency if name == "saliency" else attr.InputXGradient
    gradient = kind(module)
    return lambda: gradient.attribute(x.clone().requires_grad_(), target=target)


def by_zennit(module: nn.Module, rule: str, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return an explanation by zennit."""
    _stub_torchvision()
    from zennit.composites import LayerMapComposite
    from zennit.rules import AlphaBeta, Epsilon, Gamma, Pass, ZPlus

    rules = {
        "zero": Epsilon(0.0),
        "epsilon": Epsilon(1e-6),
        "alpha1beta0": ZPlus(),
        "alpha2beta1": AlphaBeta(2.0, 1.0),
        "gamma": Gamma(0.25),
    }
    composite = LayerMapComposite([(nn.ReLU, Pass()), ((nn.Linear, nn.Conv2d), rules[rule])])

    def run() -> Tensor:
        leaf = x.detach().requires_grad_()
        with composite.context(module) as hooked:
            (relevance,) = torch.autograd.grad(hooked(leaf), leaf, start)
        return relevance

    return run


def by_captum(module: nn.Module, rule: str, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return an explanation by captum."""
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule

    rules = {
        "zero": lambda: EpsilonRule(0.0),
        "epsilon": lambda: EpsilonRule(1e-6),
        "alpha1beta0": Alpha1_Beta0_Rule,
        "gamma": lambda: GammaRule(0.25),
    }
    if rule not in rules:
        raise ValueError("captum has no such rule")
    target = start.argmax(1)
    method = LRP(module)

    def run() -> Tensor:
        # captum drops its rules after every call.
        for layer in module.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.rule = rules[rule]()
        return method.attribute(x.clone(), target=target)

    return run


def _stub_torchvision() -> None:
    # zennit imports two model families of torchvision for its canonizers; none is used here.
    if "torchvision" in sys.modules:
        return
    try:
        import torchvision  # noqa: F401
    except ImportError:
        for name in ("torchvision", "torchvision.models", "torchvision.models.resnet"):
            sys.modules[name] = types.ModuleType(name)
        resnet = sys.modules["torchvision.models.resnet"]
        resnet.Bottleneck = resnet.BasicBlock = type("Block", (), {})
        vgg = types.ModuleType("torchvision.models.vgg")
        sys.modules["torchvision.models.vgg"] = vgg
        sys.modules["torchvision"].models = sys.modules["torchvision.models"]
        sys.modules["torchvision.models"].resnet = resnet
        sys.modules["torchvision.models"].vgg = vgg


def clock(run: Callable[[], Tensor], device: torch.device, seconds: float) -> float:
    """Return seconds per call, from enough calls to fill the given time."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    wait()
    begin = time.perf_counter()
    run()
    wait()
    once = time.perf_counter() - begin
    if once > seconds:
        return once
    repeats = max(1, int(seconds / max(once, 1e-6)))
    begin = time.perf_counter()
    for _ in range(repeats):
        run()
    wait()
    return (time.perf_counter() - begin) / repeats


def compare(
    reference: Callable[[], Tensor],
    others: dict[str, Callable[[], Tensor]],
    device: torch.device,
    rounds: int,
    seconds: float,
) -> dict[str, float]:
    """Return the median ratio of every other's time to the reference's in the same round."""
    if rounds > 3:  # a quick run has no time to warm up: there the first call counts
        for run in (reference, *others.values()):
            run()
    ratios: dict[str, list[float]] = {name: [] for name in others}
    begin = time.perf_counter()
    for _ in range(rounds):
        before = clock(reference, device, seconds)
        for name, run in others.items():
            ratios[name].append(clock(run, device, seconds) / before)
        if time.perf_counter() - begin > rounds * seconds * 10:
            break
    return {name: statistics.median(values) for name, values in ratios.items()}


MAKERS = {"climxai": ours, "zennit": by_zennit, "captum": by_captum}
METHOD_MAKERS = {"climxai": our_method, "captum": captum_method}


def row(name: str, value: float, goal: float | None) -> dict[str, object]:
    """Return one number with its goal, printed too."""
    mark = "" if goal is None else f"  goal {goal}  {'ok' if value <= goal else 'MISSED'}"
    print(f"{name:55s} {value:7.2f}{mark}", flush=True)
    return {
        "name": name,
        "value": round(value, 3),
        "unit": "plain forward + backward passes",
        "goal": goal,
        "holds": None if goal is None else value <= goal,
    }


def batch_of(
    make: Callable[[], nn.Module], batch: int, device: torch.device
) -> tuple[nn.Module, Tensor, Tensor]:
    """Return a seeded network, inputs, and weights that pick its first output."""
    torch.manual_seed(0)
    module = make().to(device).eval()
    x = torch.randn(batch, *SHAPE, device=device)
    start = torch.zeros(batch, 2, device=device)
    start[:, 0] = 1
    return module, x, start


def measure_rules(
    device: torch.device,
    rounds: int,
    seconds: float,
    batches: tuple[int, ...],
    tools: list[str],
    only: list[str],
) -> list[dict[str, object]]:
    """Return a row per network, batch, LRP rule and tool."""
    rows: list[dict[str, object]] = []
    for network_name, make in NETWORKS.items():
        for batch in batches:
            module, x, start = batch_of(make, batch, device)
            for rule in (rule for rule in RULES if rule in only):
                runs: dict[str, Callable[[], Tensor]] = {}
                for tool in tools:
                    own, _, _ = batch_of(make, 1, device)
                    try:
                        runs[tool] = MAKERS[tool](own, rule, x, start)
                    except (ImportError, ValueError):
                        continue
                medians = compare(plain(module, x, start), runs, device, rounds, seconds)
                for tool, value in medians.items():
                    goal = GOALS[network_name, rule] if tool == "climxai" and batch >= 32 else None
                    name = f"{tool} {rule} {network_name} batch {batch} {device.type}"
                    rows.append(row(name, value, goal))
    return rows


def measure_methods(
    device: torch.device,
    rounds: int,
    seconds: float,
    batches: tuple[int, ...],
    tools: list[str],
    only: list[str],
) -> list[dict[str, object]]:
    """Return a row per network, batch, method beside LRP and tool."""
    rows: list[dict[str, object]] = []
    for network_name, make in NETWORKS.items():
        for batch in batches:
            module, x, start = batch_of(make, batch, device)
            for method in (method for method in METHODS if method in only):
                for tool in (tool for tool in tools if tool in METHOD_MAKERS):
                    if tool == "captum" and rounds <= 3 and (network_name, method) in SLOW:
                        continue
                    own, _, _ = batch_of(make, 1, device)
                    try:
                        run = METHOD_MAKERS[tool](own, method, x, start)
                    except ImportError:
                        continue
                    # One at a time: many passes take long, and the machine may change meanwhile.
                    found = compare(plain(module, x, start), {tool: run}, device, rounds, seconds)
                    goal = METHOD_GOALS[network_name, method] if tool == "climxai" else None
                    name = f"{tool} {method} {network_name} batch {batch} {device.type}"
                    rows.append(row(name, found[tool], goal))
    return rows


def main() -> None:
    """Parse the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, one to two minutes")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="threads of torch")
    parser.add_argument("--tools", default="climxai,zennit,captum", help="which to measure")
    parser.add_argument("--batches", help="samples per call, by default 1,32,256 (LRP) and 32")
    parser.add_argument("--only", help="LRP rules and methods, by default all")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    rounds, seconds = (3, 0.02) if given.quick else (15, 0.2)
    sizes = tuple(int(b) for b in given.batches.split(",")) if given.batches else None
    only = given.only.split(",") if given.only else [*RULES, *METHODS]
    common = (torch.device(given.device), rounds, seconds)
    tools = given.tools.split(",")
    rows = measure_methods(*common, sizes or (32,), tools, only)
    rows += measure_rules(*common, sizes or (1, 32, 256), tools, only)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
