"""Conditions on samples as text: ``nino34 > 1 and month in [11, 12, 1]``.

The text is read by Python's own parser and walked by hand: names of variables on ``sample``,
numbers, text, comparisons, ``and``, ``or``, ``not``, ``in``, ``+ - * /`` and ``abs``. Everything
else is refused; nothing is ever executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import did_you_mean

LONGEST: Final = 1000
"""Characters in a condition."""

_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ALLOWED: Final = "comparisons, and, or, not, in, + - * /, abs(), numbers and text in quotes"
_WORDS: Final = {
    ast.Call: "calling anything but abs()",
    ast.Attribute: "a dot after a name",
    ast.Subscript: "square brackets after a name",
    ast.Lambda: "lambda",
    ast.NamedExpr: "`:=`",
    ast.IfExp: "`if`",
    ast.Dict: "a mapping",
    ast.JoinedStr: "an f-string",
    ast.Starred: "`*`",
    ast.Await: "await",
}


class ExpressionError(ValueError):
    """What is wrong with a condition, and at which character."""

    def __init__(self, text: str, node: ast.AST | int, problem: str) -> None:
        at = node if isinstance(node, int) else _character(text, node)
        super().__init__(f"`{text}`, character {at}: {problem}")


def parse(text: str) -> ast.expr:
    """Return the tree of a condition that holds nothing but what is allowed.

    Raises
    ------
    ExpressionError
        With the character at which the text goes wrong.
    """
    if len(text) > LONGEST:
        raise ExpressionError(
            text[:40] + "…", LONGEST, f"a condition has at most {LONGEST} characters"
        )
    if "\n" in text.strip() or "\x00" in text:
        raise ExpressionError(text, 1, "a condition is one line of text")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        place = error.offset or 1
        raise ExpressionError(
            text.strip(), place, f"not a condition ({error.msg}); it may hold {_ALLOWED}"
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(text.strip(), 1, "too deeply nested to be read") from None
    try:
        _check(tree, text.strip())
    except RecursionError:
        raise ExpressionError(text.strip(), 1, "too deeply nested to be read") from None
    return tree


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of the variables a condition reads, each once, in order."""
    nodes = list(ast.walk(parse(text)))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in called]
    return tuple(dict.fromkeys(node.id for node in sorted(names, key=lambda each: each.col_offset)))


def evaluate(
    text: str,
    column: Callable[[str], npt.NDArray[Any]],
    known: tuple[str, ...],
    values: Mapping[str, tuple[str, ...]] | None = None,
) -> npt.NDArray[np.bool_]:
    """Return which samples a condition holds for.

    Parameters
    ----------
    text
        The condition.
    column
        Gives a variable on ``sample`` by name, numbers or text; asked for names in ``known`` only.
    known
        Names of all variables there are.
    values
        For variables that hold names, such as ``label``, the names they can hold: text that is
        none of them is a mistake.

    Raises
    ------
    ExpressionError
        When a variable is not known, or numbers and text are mixed up.
    """
    reader = _Reader(text.strip(), column, known, values or {})
    tree = parse(text)
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(reader.read(tree))
    except RecursionError:
        raise ExpressionError(text.strip(), 1, "too deeply nested to be read") from None
    if found.dtype != bool:
        raise ExpressionError(
            text.strip(), tree, "this is a value, expected a condition such as `month == 1`"
        )
    return found


class _Reader:
    """Values of the nodes of one tree."""

    def __init__(
        self,
        text: str,
        column: Callable[[str], npt.NDArray[Any]],
        known: tuple[str, ...],
        values: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.text, self.column, self.known, self.values = text, column, known, values

    def read(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            value: Any = node.value
            return value if isinstance(value, str | bool) else np.float64(value)
        if isinstance(node, ast.Name):
            if node.id not in self.known:
                hint = did_you_mean(node.id, self.known)
                raise ExpressionError(
                    self.text, node, f"there is no variable {node.id!r} on sample.{hint}"
                )
            return self.column(node.id)
        if isinstance(node, ast.BoolOp):
            parts = [self._condition(each) for each in node.values]
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return join.reduce(np.broadcast_arrays(*parts))
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                return np.logical_not(self._condition(node.operand))
            value = self._number(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            return _ARITHMETIC[type(node.op)](self._number(node.left), self._number(node.right))
        if isinstance(node, ast.Call):
            return np.abs(self._number(node.args[0]))
        if isinstance(node, ast.Compare):
            return self._compare(node)
        raise ExpressionError(self.text, node, "a list stands only after `in`")

    def _compare(self, node: ast.Compare) -> Any:
        found: Any = np.True_
        left = node.left
        for relation, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(relation, ast.In | ast.NotIn):
                if not isinstance(right, ast.List | ast.Tuple | ast.Set):
                    raise ExpressionError(self.text, right, "expected a list such as [11, 12, 1]")
                one: Any = np.False_
                for element in right.elts:
                    one = np.logical_or(one, self._pair(left, ast.Eq(), element))
                one = np.logical_not(one) if isinstance(relation, ast.NotIn) else one
                one = np.broadcast_to(one, np.broadcast(one, self.read(left)).shape)
            else:
                one = self._pair(left, relation, right)
            found = np.logical_and(found, one)
            left = right
        return found

    def _pair(self, left: ast.expr, relation: ast.cmpop, right: ast.expr) -> Any:
        one, other = self.read(left), self.read(right)
        if _is_text(one) != _is_text(other):
            text, number = (left, right) if _is_text(one) else (right, left)
            raise ExpressionError(
                self.text,
                number,
                f"{ast.unparse(text)} is text and {ast.unparse(number)} is not: they cannot be "
                "compared",
            )
        if _is_text(one):
            if not isinstance(relation, ast.Eq | ast.NotEq):
                raise ExpressionError(self.text, right, "text has no order: use ==, != or in")
            for name, literal in ((left, right), (right, left)):
                self._check_literal(name, literal)
            return np.asarray(_COMPARISONS[type(relation)](_texts(one), _texts(other)), bool)
        return np.asarray(_COMPARISONS[type(relation)](one, other), bool)

    def _check_literal(self, name: ast.expr, literal: ast.expr) -> None:
        if isinstance(name, ast.Name) and isinstance(literal, ast.Constant):
            options = self.values.get(name.id)
            if options is not None and literal.value not in options:
                raise ExpressionError(
                    self.text,
                    literal,
                    f"{name.id} is never {literal.value!r}."
                    + did_you_mean(str(literal.value), options),
                )

    def _condition(self, node: ast.expr) -> Any:
        value = np.asarray(self.read(node))
        if value.dtype != bool:
            raise ExpressionError(
                self.text, node, "this is a value, expected a condition such as `month == 1`"
            )
        return value

    def _number(self, node: ast.expr) -> Any:
        value = self.read(node)
        if _is_text(value):
            raise ExpressionError(self.text, node, "this is text, expected a number")
        return np.asarray(value, np.float64)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or np.asarray(value).dtype.kind in "UO"


def _texts(value: Any) -> Any:
    return np.asarray(value, dtype=object)


def _check(node: ast.expr, text: str) -> None:
    """Refuse every kind of node that is not on the list."""
    children: list[ast.expr] = []
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, str | bool | int | float):
            raise ExpressionError(text, node, f"{ast.unparse(node)} is neither number nor text")
        if not isinstance(node.value, str) and abs(node.value) > 1e300:
            raise ExpressionError(text, node, "this number is too large")
    elif isinstance(node, ast.BoolOp):
        children = node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.UAdd):
        children = [node.operand]
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        children = [node.left, node.right]
    elif isinstance(node, ast.Compare):
        known = (*_COMPARISONS, ast.In, ast.NotIn)
        if not all(isinstance(each, known) for each in node.ops):
            raise ExpressionError(text, node, "`is` is not allowed here: use == or !=")
        children = [node.left, *node.comparators]
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        children = node.elts
        if any(isinstance(each, ast.List | ast.Tuple | ast.Set) for each in children):
            raise ExpressionError(text, node, "a list may not hold lists")
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "abs"
        and len(node.args) == 1
        and not node.keywords
    ):
        children = node.args
    elif not isinstance(node, ast.Name):
        what = _WORDS.get(type(node), f"`{ast.unparse(node)}`")
        raise ExpressionError(text, node, f"{what} is not allowed here, only {_ALLOWED}")
    for child in children:
        _check(child, text)


def _character(text: str, node: ast.AST) -> int:
    """Return the place of a node in the text, from 1; the parser counts bytes."""
    begin = getattr(node, "col_offset", 0)
    return len(text.encode()[:begin].decode(errors="ignore")) + 1
