"""Python files that hold only values (``.prb``, Phy's ``params.py``), read without being run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from embersort.errors import BadInput
from embersort.recording.trust import untrusted

MAX_BYTES = 10_000_000
"""A file of values that is larger is none."""
MAX_RANGE = 1_000_000
"""Longest ``range(…)``: far more than any probe has channels."""


def read_literals(path: Path) -> dict[str, Any]:
    """Return the variables that a Python file assigns, names in lower case.

    Values are literals: numbers, text, lists, tuples, dicts, signs, and ``range(…)`` or
    ``list(range(…))`` of whole numbers. A variable may be set from one that was set before.

    Raises
    ------
    BadInput
        If the file is none, too large, or does anything but assign values.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} has {path.stat().st_size} bytes, too many for a file of values")
        tree = ast.parse(path.read_text("utf-8-sig"))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise BadInput(f"{path} cannot be read as Python values: {_reason(error)}") from None
    values: dict[str, Any] = {}
    for statement in tree.body:
        if _is_text(statement):
            continue
        if not isinstance(statement, ast.Assign):
            raise untrusted(path, f"more than values (line {statement.lineno})")
        try:
            value = _value(statement.value, values)
        except _NoValue as error:
            raise untrusted(path, f"more than values (line {error.line})") from None
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise BadInput(f"{path}, line {statement.lineno}: {_reason(error)}") from None
        for target in statement.targets:
            if not isinstance(target, ast.Name):
                raise untrusted(path, f"more than values (line {statement.lineno})")
            values[target.id] = value
    return {name.lower(): value for name, value in values.items()}


class _NoValue(Exception):
    """What is not a literal, and its line."""

    def __init__(self, node: ast.expr) -> None:
        super().__init__()
        self.line = node.lineno


def _is_text(statement: ast.stmt) -> bool:
    """Say whether a statement is a docstring or such."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.List):
        return [_value(item, known) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, known) for item in node.elts)
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise _NoValue(node)
        keys = [_value(key, known) for key in node.keys if key is not None]
        return dict(zip(keys, (_value(item, known) for item in node.values), strict=True))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand, known)
        return -value if isinstance(node.op, ast.USub) else +value
    if isinstance(node, ast.Call):
        return _range(node, known)
    raise _NoValue(node)


def _range(node: ast.Call, known: dict[str, Any]) -> list[int]:
    """Return the numbers of ``range(…)`` or ``list(range(…))``."""
    if node.keywords or not isinstance(node.func, ast.Name):
        raise _NoValue(node)
    arguments = [_value(item, known) for item in node.args]
    if node.func.id == "list" and len(arguments) == 1 and isinstance(arguments[0], list | tuple):
        return list(arguments[0])
    if node.func.id != "range":
        raise _NoValue(node)
    numbers = range(*arguments)
    if len(numbers) > MAX_RANGE:
        raise ValueError(f"a range of {len(numbers)} numbers is too long")
    return list(numbers)


def _reason(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
