"""Values written as YAML read back as themselves, here and in a YAML 1.1 reader."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from climxai.config.reading import read_text
from climxai.config.writing import to_yaml

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")))
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
    | st.sampled_from(["yes", "1e-4", "0o17", "017", "1998-05-16", "12:30", "~", "<<", "=", ".5"])
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4)
)


@given(_VALUES)
def test_round_trip(value: object) -> None:
    text = to_yaml(value)
    read = read_text(text, "e.yaml").value
    assert read == value
    assert repr(read) == repr(value)  # tells 1 from 1.0 and from true
    assert yaml.safe_load(text) == value


def test_on_one_line() -> None:
    assert to_yaml({"name": "sgd", "learning_rate": 1e-4}, flow=True) == (
        "{name: sgd, learning_rate: 0.0001}"
    )
    assert to_yaml([1e-05, "x"], flow=True) == "[1.0e-05, x]"
    assert to_yaml("x", flow=True) == "x"
    assert to_yaml(None, flow=True) == "null"
