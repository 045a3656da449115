"""Plain values to YAML that reads back as the same values."""

from __future__ import annotations

import re
from typing import Any

import yaml

from climxai.config.dialect import CoreLoader


class _Dumper(yaml.SafeDumper):
    """Quotes text that either YAML 1.1 or the core schema would take for something else."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    pairs = CoreLoader.yaml_implicit_resolvers.get(value[:1], [])
    looks = any(re.match(pattern, value) for _, pattern in pairs)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="'" if looks else None)


def _number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    # repr is the shortest text that reads back as the same bits; YAML 1.1 wants the point too.
    mantissa, exponent, power = repr(value).partition("e")
    if exponent and "." not in mantissa:
        mantissa += ".0"
    return dumper.represent_scalar("tag:yaml.org,2002:float", mantissa + exponent + power)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)


def to_yaml(value: Any, *, flow: bool = False) -> str:
    """Return plain values as YAML, keys in their order; ``flow`` puts them on one line.

    Numbers and texts read back as they are, with this reader as with one of YAML 1.1.
    """
    text = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=True if flow else None,
        width=10**6 if flow else 100,
    )
    return text.removesuffix("...\n").strip() if flow else text
