"""A trained network on disk: weights, description, preprocessing, provenance; nothing unpickled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import TypeAdapter, ValidationError

from climxai.bridge.signature import Signature
from climxai.core.digest import digest_of, file_digest
from climxai.core.errors import ModelError
from climxai.core.files import write_json, written_aside
from climxai.core.record import OneOf
from climxai.data.preprocess.chain import Preprocessing
from climxai.models.architectures import ARCHITECTURES, Architecture

if TYPE_CHECKING:
    import torch

FORMAT = 1
WEIGHTS, DESCRIPTION = "weights.safetensors", "network.json"
PREPROCESSING, PROVENANCE = "preprocessing.nc", "provenance.json"

_ARCHITECTURE: TypeAdapter[Architecture] = TypeAdapter(
    Annotated[Architecture, OneOf(ARCHITECTURES, "network")]
)


@dataclass(frozen=True)
class Bundle:
    """A directory holding one trained network and all it needs to read new maps."""

    path: Path
    architecture: Architecture
    signature: Signature
    classes: tuple[str, ...]
    seed: int
    key: str
    """digest of everything that determined the training"""

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """The fitted preprocessing, read from the directory."""
        return Preprocessing.load(self.path / PREPROCESSING)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the weights, the description and the preprocessing."""
        names = (WEIGHTS, DESCRIPTION, PREPROCESSING)
        return digest_of([file_digest(self.path / name) for name in names])

    def network(self) -> torch.nn.Module:
        """Build the network and load its weights, in evaluation mode.

        Raises
        ------
        ModelError
            When the weights are damaged or do not fit the description.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from climxai.models.network import build_network

        network = build_network(
            self.architecture, self.signature.shape, len(self.classes), seed=self.seed
        )
        try:
            weights = load_file(self.path / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"{self.path / WEIGHTS} cannot be read ({error}): run `climxai train` again"
            ) from error
        expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        found = {name: tuple(value.shape) for name, value in weights.items()}
        if found != expected:
            differing = sorted(
                name for name in expected | found if expected.get(name) != found.get(name)
            )
            first = differing[0]
            raise ModelError(
                f"{self.path / WEIGHTS} does not fit {DESCRIPTION} beside it: {first} has shape "
                f"{found.get(first, 'none')}, expected {expected.get(first, 'none')}; run "
                "`climxai train` again"
            )
        network.load_state_dict(weights)
        return network.eval()


def save_bundle(
    path: Path,
    network: torch.nn.Module,
    *,
    architecture: Architecture,
    signature: Signature,
    classes: Sequence[str],
    seed: int,
    key: str,
    preprocessing: Preprocessing,
    history_csv: str,
    provenance: dict[str, Any],
) -> Bundle:
    """Write a network as a bundle at ``path``, whole or not at all."""
    from safetensors.torch import save_file

    description = {
        "format": FORMAT,
        "architecture": architecture.model_dump(mode="json"),
        "signature": signature.model_dump(mode="json"),
        "classes": list(classes),
        "seed": seed,
        "key": key,
    }
    with written_aside(path) as aside:
        aside.mkdir()
        weights = {name: value.contiguous() for name, value in network.state_dict().items()}
        save_file(weights, aside / WEIGHTS)
        write_json(aside / DESCRIPTION, description)
        preprocessing.save(aside / PREPROCESSING)
        (aside / "history.csv").write_text(history_csv, encoding="utf-8")
        write_json(aside / PROVENANCE, provenance)
    return load_bundle(path)


def load_bundle(path: Path) -> Bundle:
    """Read a bundle's description; weights and preprocessing are read when asked for.

    Raises
    ------
    ModelError
        When the bundle is missing, damaged or of another format.
    """
    where = path / DESCRIPTION
    try:
        found = json.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"there is no trained network at {path}: run `climxai train` first"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{where} cannot be read ({error}): run `climxai train` again") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ModelError(
            f"{where} is of format {found.get('format') if isinstance(found, dict) else '?'}, this "
            f"version of climxai reads format {FORMAT}: run `climxai train` again"
        )
    try:
        return Bundle(
            path=path,
            architecture=_ARCHITECTURE.validate_python(found["architecture"]),
            signature=Signature.model_validate(found["signature"]),
            classes=tuple(str(name) for name in found["classes"]),
            seed=int(found["seed"]),
            key=str(found["key"]),
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise ModelError(
            f"{where} is not a description this version of climxai understands ({error}): run "
            "`climxai train` again"
        ) from error
