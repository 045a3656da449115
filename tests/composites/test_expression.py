"""Conditions on samples: the same as Python's own on single rows, and nothing but conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from climxai.composites.expression import LONGEST, ExpressionError, evaluate, names_in, parse

COLUMNS = {
    "nino34": np.array([1.5, -0.3, 0.9, np.nan, 2.5]),
    "month": np.array([12, 1, 6, 11, 3]),
    "label": np.array(["el_nino", "la_nina", "el_nino", "", "la_nina"], dtype=object),
    "correct": np.array([True, False, True, True, False]),
}


def held(text: str) -> list[bool]:
    found = evaluate(text, COLUMNS.__getitem__, tuple(COLUMNS), {"label": ("la_nina", "el_nino")})
    return np.broadcast_to(found, 5).tolist()


def python(text: str) -> list[bool]:
    """Evaluate each row by Python itself, which is fine for the texts of a test."""
    rows = [{n: v[i].item() if v.dtype != object else v[i] for n, v in COLUMNS.items()}
            for i in range(5)]  # fmt: skip
    return [bool(eval(text, {"__builtins__": {"abs": abs}}, row)) for row in rows]  # noqa: S307


@pytest.mark.parametrize(
    "text",
    [
        "nino34 > 1 and month in [11, 12, 1]",
        "nino34 > 1 or month in (6,)",
        "not correct",
        "not (nino34 > 0.5) and correct",
        "abs(nino34) > 0.5",
        "0 < nino34 < 2",
        "label == 'el_nino' and correct",
        "label not in ['el_nino', 'la_nina']",
        "label != 'la_nina'",
        "'el_nino' == label",
        "(nino34 - 1) * 2 / 4 + month >= -nino34",
        "month == 12 or month <= 2 or month != month",
        "correct == True",
        "True",
        "month in {1, 3} and not month in [1]",
        "+month > 1 < 2",
    ],
)
def test_the_same_as_python_row_by_row(text: str) -> None:
    assert held(text) == python(text)


NUMBERS = st.sampled_from(["nino34", "month", "1", "2.5", "abs(nino34)", "(month - 6)", "-1"])
CONDITIONS = st.recursive(
    st.builds(
        lambda a, op, b: f"{a} {op} {b}",
        NUMBERS,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        NUMBERS,
    )
    | st.builds(lambda a: f"{a} in [month, 3, 12]", NUMBERS),
    lambda inner: (
        st.builds(
            lambda a, op, b: f"({a}) {op} ({b})", inner, st.sampled_from(["and", "or"]), inner
        )
        | st.builds(lambda a: f"not ({a})", inner)
    ),
    max_leaves=6,
)


@hypothesis_settings(deadline=None, max_examples=100)
@given(CONDITIONS)
def test_any_condition_is_the_same_as_python(text: str) -> None:
    if len(text) <= LONGEST:
        assert held(text) == python(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/owned')",
        "().__class__.__bases__[0].__subclasses__()",
        "month.__class__",
        "month[0] == 1",
        "(lambda: 1)() == 1",
        "[m for m in [1]] == 1",
        "{m: 1 for m in [1]} == 1",
        "(month := 3) == 3",
        "open('/etc/passwd') == 1",
        "eval('1') == 1",
        "exec('1') == 1",
        "getattr(month, 'x') == 1",
        "print(1) == 1",
        "abs(nino34, key=1) > 1",
        "abs(*[nino34]) > 1",
        "abs(month).real > 1",
        "2 ** 2 ** 100 > 1",
        "2 ** 9 ** 9 ** 9 > month",
        "month % 2 == 1",
        "1 << 100000000 > 1",
        "~month > 1",
        "month is None",
        "f'{month}' == '1'",
        "1 if month else 2",
        "b'x' == label",
        "1j == month",
        "... == month",
        "None == month",
        "month; month",
        "import os",
        "month == 1\nimport os",
        "yield month",
        "await month",
        "*month",
        "{**month}",
        "1e400 > month",
        "1" * 400 + " > month",
        "[[1]] == month",
        "month in [[1]]",
        "",
        "   ",
        "#",
        "month == 1 #",
        "\x00",
        "'unclosed",
        "(" * 300 + "month" + ")" * 300 + " > 1",
        "not " * 240 + "correct and 1",
        "-" * 900 + "1 > month",
        "month > 1" + " " * LONGEST,
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    # `month == 1 #` is a condition with a comment, the one harmless text of the list.
    if text == "month == 1 #":
        assert held(text) == held("month == 1")
        return
    with pytest.raises(ExpressionError):
        held(text)


def test_nothing_is_executed(tmp_path) -> None:
    witness = tmp_path / "owned"
    for text in (
        f"__import__('pathlib').Path({str(witness)!r}).touch() == 1",
        f"open({str(witness)!r}, 'w') == 1",
    ):
        with pytest.raises(ExpressionError):
            parse(text)
    assert not witness.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nino3 > 1", ("`nino3 > 1`, character 1", "no variable 'nino3'", "'nino34'")),
        ("month > 1 and nin > 1", ("character 15", "no variable 'nin'")),
        ("label == 'elnino'", ("character 10", "label is never 'elnino'", "'el_nino'")),
        ("label in ['el_nino', 'x']", ("character 22", "la_nina, el_nino")),
        ("label == 1", ("character 10", "label is text and 1 is not")),
        ("label > 'a'", ("no order",)),
        ("label + 1 > 2", ("character 1", "is text, expected a number")),
        ("month", ("is a value, expected a condition",)),
        ("month and correct", ("character 1", "is a value")),
        ("month in 3", ("character 10", "expected a list")),
        ("[1, 2] == month", ("a list stands only after `in`",)),
        ("month ==", ("character", "not a condition")),
        ("month.x == 1", ("a dot after a name is not allowed",)),
        ("'ñ' == label and nin > 1", ("never 'ñ'",)),
        ("month ** 2 > 1", ("not allowed here, only comparisons",)),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ExpressionError) as caught:
        held(text)
    for word in words:
        assert word in str(caught.value)


def test_characters_are_counted_not_bytes() -> None:
    with pytest.raises(ExpressionError, match="character 19"):
        evaluate("label != 'ñé' and nin > 1", COLUMNS.__getitem__, tuple(COLUMNS))


def test_names_are_those_of_variables_only() -> None:
    assert names_in("abs(nino34) > 1 and label == 'x' or nino34 < month") == (
        "nino34",
        "label",
        "month",
    )
