"""How long attribution takes, relative to one plain forward and backward pass to the input.

Networks: dense 16,020-8-8-2 and two convolutions, both on 1 x 89 x 180 cells; batches of 1, 32 and
256; climxai beside zennit and captum where they are installed. Every number is the median over
rounds of the ratio of two times taken one after the other in the same round.

    python benchmarks/attribution.py [--quick] [--json FILE] [--device cuda] [--threads N]
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

import torch
from torch import Tensor, nn

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import Network, trace

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


def ours(module: nn.Module, rule: str, x: Tensor, start: Tensor) -> Callable[[], Tensor]:
    """Return an explanation by climxai; a network is exported once."""
    key = f"{module} {x.device}"
    if key not in _TRACED:
        _TRACED[key] = trace(module, SHAPE)
    network = _TRACED[key]
    valid = torch.ones(SHAPE, dtype=torch.bool, device=x.device)
    method = LayerwiseRelevance(rule=rule)
    return lambda: method.attribute(network, x, start, Context(valid)).values


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


def measure(
    device: torch.device, rounds: int, seconds: float, batches: tuple[int, ...], tools: list[str]
) -> list[dict[str, object]]:
    """Return a row per network, batch, rule and tool."""
    rows: list[dict[str, object]] = []
    for network_name, make in NETWORKS.items():
        for batch in batches:
            torch.manual_seed(0)
            module = make().to(device).eval()
            x = torch.randn(batch, *SHAPE, device=device)
            start = torch.zeros(batch, 2, device=device)
            start[:, 0] = 1
            for rule in RULES:
                runs: dict[str, Callable[[], Tensor]] = {}
                for tool in tools:
                    torch.manual_seed(0)
                    own = make().to(device).eval()
                    try:
                        runs[tool] = MAKERS[tool](own, rule, x, start)
                    except (ImportError, ValueError):
                        continue
                medians = compare(plain(module, x, start), runs, device, rounds, seconds)
                for tool, value in medians.items():
                    goal = GOALS[network_name, rule] if tool == "climxai" and batch >= 32 else None
                    name = f"{tool} {rule} {network_name} batch {batch} {device.type}"
                    rows.append(
                        {
                            "name": name,
                            "value": round(value, 3),
                            "unit": "plain forward + backward passes",
                            "goal": goal,
                            "holds": None if goal is None else value <= goal,
                        }
                    )
                    mark = (
                        ""
                        if goal is None
                        else f"  goal {goal}  {'ok' if value <= goal else 'MISSED'}"
                    )
                    print(f"{name:55s} {value:7.2f}{mark}", flush=True)
    return rows


def main() -> None:
    """Parse the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, one to two minutes")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="threads of torch")
    parser.add_argument("--tools", default="climxai,zennit,captum", help="which to measure")
    parser.add_argument("--batches", default="1,32,256", help="samples per call")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    rounds, seconds = (3, 0.02) if given.quick else (15, 0.2)
    rows = measure(
        torch.device(given.device),
        rounds,
        seconds,
        tuple(int(b) for b in given.batches.split(",")),
        given.tools.split(","),
    )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
