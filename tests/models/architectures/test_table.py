"""Every entry of the architecture and activation tables: round trip, export, batches, fields."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from climxai.core.record import OneOf
from climxai.models.architectures import ARCHITECTURES, Architecture
from climxai.models.architectures.activations import ACTIVATIONS, Activation
from climxai.models.network import build_network

SHAPE = (2, 7, 10)

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "linear": [{}, {"initial": "he_uniform"}],
    "mlp": [
        {},
        {"initial": "torch"},
        {"hidden": [5]},
        {"dropout": 0.3},
        *({"activation": name} for name in ACTIVATIONS if name != "relu"),
        {"activation": {"name": "leaky_relu", "slope": 0.3}},
        {"activation": {"name": "elu", "alpha": 0.3}},
        {"activation": {"name": "maxout", "pieces": 4}},
    ],
    "cnn": [
        {},
        {"initial": "he_uniform"},
        {"channels": [3]},
        {"kernel": 5},
        {"kernel": 1},
        {"convolutions": 2},
        *({"activation": name} for name in ACTIVATIONS if name != "relu"),
        {"batch_norm": True},
        {"residual": True},
        {"residual": True, "batch_norm": True, "activation": "maxout", "pooling": "stride"},
        *({"pooling": pooling} for pooling in ("max", "stride", "none")),
        {"factor": 3},
        {"longitude": "zero"},
        {"longitude": "replicate"},
        {"latitude": "replicate"},
        {"longitude": "zero", "latitude": "replicate"},
        {"head": "average"},
        {"hidden": [6]},
        {"hidden": [6], "dropout": 0.5, "activation": "maxout"},
        {"dropout": 0.5},
    ],
}
CASES = [(name, fields) for name, all_fields in VARIANTS.items() for fields in all_fields]
ANY = TypeAdapter(Architecture)


def _read(name: str, fields: dict[str, Any]) -> Architecture:
    return ARCHITECTURES[name].model_validate({"name": name, **fields})


def _inputs(samples: int) -> torch.Tensor:
    return torch.randn(samples, *SHAPE, generator=torch.Generator().manual_seed(samples))


def test_every_architecture_has_variants() -> None:
    assert set(VARIANTS) == set(ARCHITECTURES)


@pytest.mark.parametrize(("name", "fields"), CASES, ids=str)
def test_round_trip_through_json_and_pickle(name: str, fields: dict[str, Any]) -> None:
    architecture = _read(name, fields)
    assert type(architecture).model_validate_json(architecture.model_dump_json()) == architecture
    assert pickle.loads(pickle.dumps(architecture)) == architecture  # noqa: S301


@pytest.mark.parametrize(("name", "fields"), CASES, ids=str)
def test_exports_with_a_dynamic_batch(name: str, fields: dict[str, Any]) -> None:
    network = build_network(_read(name, fields), SHAPE, 3, seed=1)
    batch = torch.export.Dim("batch", min=1)
    exported = torch.export.export(network, (_inputs(2),), dynamic_shapes=({0: batch},)).module()
    for samples in (1, 5):
        x = _inputs(samples)
        found = exported(x)
        assert found.shape == (samples, 3)
        torch.testing.assert_close(found, network(x))


@pytest.mark.parametrize(("name", "fields"), CASES, ids=str)
def test_batch_size_changes_no_logit(name: str, fields: dict[str, Any]) -> None:
    network = build_network(_read(name, fields), SHAPE, 3, seed=1).double()
    x = _inputs(6).double()
    one_by_one = torch.cat([network(sample[None]) for sample in x])
    torch.testing.assert_close(network(x), one_by_one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "fields"), [(name, fields) for name, fields in CASES if fields], ids=str
)
def test_every_field_changes_the_network(name: str, fields: dict[str, Any]) -> None:
    plain = build_network(_read(name, {}), SHAPE, 3, seed=1).train()
    varied = build_network(_read(name, fields), SHAPE, 3, seed=1).train()
    x = _inputs(4) * 3
    torch.default_generator.manual_seed(0)
    a = plain(x)
    torch.default_generator.manual_seed(0)
    assert not torch.allclose(a, varied(x))


EXPECTED = {
    "relu": lambda z: torch.clamp(z, min=0),
    "leaky_relu": lambda z: torch.where(z > 0, z, 0.01 * z),
    "elu": lambda z: torch.where(z > 0, z, torch.exp(z) - 1),
    "tanh": lambda z: (torch.exp(z) - torch.exp(-z)) / (torch.exp(z) + torch.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + torch.exp(-z)),
    "maxout": lambda z: torch.maximum(z[:, 0::2], z[:, 1::2]),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_equals_its_formula(name: str) -> None:
    activation = ACTIVATIONS[name]()
    units = 3
    pieces = activation.pieces_per_unit()
    for extra in ((), (4, 5)):
        z = torch.randn(6, units * pieces, *extra, dtype=torch.float64)
        found = activation.build()(z)
        assert found.shape == (6, units, *extra)
        torch.testing.assert_close(found, EXPECTED[name](z))


def test_activation_by_name_alone_and_misspelt() -> None:
    mlp = ARCHITECTURES["mlp"]
    assert mlp.model_validate({"activation": "tanh"}) == mlp.model_validate(
        {"activation": {"name": "tanh"}}
    )
    with pytest.raises(ValidationError, match="Did you mean 'relu'"):
        mlp.model_validate({"activation": "rellu"})
    with pytest.raises(ValidationError, match="slope"):
        mlp.model_validate({"activation": {"name": "relu", "slope": 0.1}})


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden": []},
        {"hidden": [0]},
        {"dropout": 1.0},
        {"activation": {"name": "maxout", "pieces": 1}},
    ],
    ids=str,
)
def test_impossible_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ARCHITECTURES["mlp"].model_validate(fields)


def test_a_table_picks_by_name() -> None:
    from typing import Annotated

    adapter = TypeAdapter(Annotated[Architecture, OneOf(ARCHITECTURES, "network")])
    for name, cls in ARCHITECTURES.items():
        assert adapter.validate_python(name) == cls()
        assert cls().name == name  # type: ignore[attr-defined]


def test_base_activation_is_none() -> None:
    with pytest.raises(NotImplementedError):
        Activation().build()


def test_records_load_no_heavy_library() -> None:
    code = (
        "import sys, climxai.models.architectures, climxai.models.training, "
        "climxai.models.baselines, climxai.models.scores; "
        "print(sorted({'torch', 'sklearn', 'scipy', 'xarray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
