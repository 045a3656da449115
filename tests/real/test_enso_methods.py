"""Attribution methods on NOAA ERSSTv5 against ranges that an independent prototype measured.

The prototype's ranges stand in benchmarks/enso_methods.py; here they are widened by 0.02, since
they come from other networks trained the same way.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from pathlib import Path

import pytest

from climxai.config.experiment import load_experiment
from climxai.stages.run import run

_PATH = Path(__file__).parents[2] / "benchmarks" / "enso_methods.py"
WIDER = 0.02


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("enso_methods", _PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["enso_methods"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["enso_methods"]


@pytest.fixture(scope="module")
def finished(shared_data, tmp_path_factory, benchmark):
    out = tmp_path_factory.mktemp("methods")
    settings = [
        f"data.files={shared_data / 'sst' / 'ersstv5_monthly_2010-2020.nc'}",
        f"output={out}",
        "train.seeds=[0, 1, 3]",
        "maps.formats=[png]",
        "maps.dpi=50",
    ]
    run(load_experiment(benchmark.CONFIG, settings))
    return out


@pytest.mark.parametrize("method", ["lrp_a1b0", "lrp_0", "integrated_gradients", "gradient"])
def test_methods_find_what_the_prototype_found(method, benchmark, finished):
    networks = benchmark.measured(finished, method)
    assert len(networks) == 3
    for k, (low, high) in enumerate(benchmark.RANGES[method]):
        value = statistics.median(each[k] for each in networks)
        assert low - WIDER <= value <= high + WIDER, benchmark.QUANTITIES[k]


def test_the_control_finds_nothing(benchmark, finished):
    # 15% and 1.2% of the cells with data, and no pattern.
    benchmark.COMPOSITE["control"] = "control_raw"
    for tropics, box, r in benchmark.measured(finished, "control"):
        assert tropics == pytest.approx(0.147, abs=0.01)
        assert box == pytest.approx(0.012, abs=0.003)
        assert abs(r) < 0.05
