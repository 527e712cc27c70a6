"""What is wrong with a config, in one sentence that names field and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from embersort.errors import nearest_name

_MOST_SHOWN = 80
"""Characters of a wrong value that a message quotes."""


def explain(model: type[BaseModel], error: ValidationError, where: str) -> str:
    """Turn one of pydantic's complaints into a sentence that names field and remedy.

    An unknown name goes first: a name that is missing may be that one, mistyped.
    """
    complaints = error.errors()
    first = next((c for c in complaints if c["type"] == "extra_forbidden"), complaints[0])
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown name '{name}'{nearest_name(path[-1], _fields(model, path[:-1]))}"
    if first["type"] == "missing":
        return f"{where}: '{name}' is missing"
    shown = repr(first.get("input"))
    shown = shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"
    return f"{where}: '{name}' is {shown}: {first['msg'].lower()}"


def _fields(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the names of the fields of the sub-model at ``path``."""
    kind: Any = model
    for key in path:
        kind = _part(kind, key)
    return list(kind.model_fields) if is_model(kind) else []


def _part(kind: Any, key: str) -> Any:
    """Return the type at ``key`` of a model, list, mapping, or choice of models."""
    arguments = [a for a in get_args(kind) if a is not type(None)]
    if is_model(kind):
        return kind.model_fields[key].annotation if key in kind.model_fields else None
    if not arguments:
        return None
    if get_origin(kind) is Annotated:
        return _part(arguments[0], key)
    if get_origin(kind) in (Union, UnionType):
        # Pydantic names the member that it tried, unless only None is beside it.
        return next((a for a in arguments if _is_called(a, key)), _part(arguments[0], key))
    return arguments[-1] if isinstance(get_origin(kind), type) else None


def _is_called(kind: Any, name: str) -> bool:
    """Return whether pydantic calls a member of a choice so: by its class or its kind."""
    if not is_model(kind):
        return False
    tags = (get_args(field.annotation) for field in kind.model_fields.values())
    return name == kind.__name__ or any(name in tag for tag in tags)


def is_model(kind: Any) -> bool:
    """Say whether a type is a config."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)
