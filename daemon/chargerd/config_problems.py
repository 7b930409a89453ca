"""What is wrong with a configuration, in words, with the place where it stands in the file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from chargerd.config_lines import KeyPath, line_of

_EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "at most {}"),
    "string_too_short": ("min_length", "at least {} characters"),
    "string_too_long": ("max_length", "at most {} characters"),
    "too_short": ("min_length", "at least {} of them"),
    "too_long": ("max_length", "at most {} of them"),
}
_SECRET_WORDS = ("password", "token", "secret", "key")
_ABSENT = object()
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: the key that it is about, and what is wrong and what is allowed."""

    path: KeyPath
    words: str

    def at(self, file: Path, lines: Mapping[KeyPath, int]) -> str:
        """Spell it as ``file:line: key.path: words``."""
        return f"{file}:{line_of(lines, self.path)}: {spell(self.path)}: {self.words}"


def spell(path: KeyPath) -> str:
    """Spell a key path as in TOML, with indexes from 0: ``charger[0].min_a``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += ("." if text else "") + (key if _BARE_KEY.fullmatch(key) else f'"{key}"')
    return text


def show(value: Any) -> str:
    """Spell a value as TOML would, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def unknown(word: str, allowed: Iterable[str]) -> str:
    """Name the nearest of the allowed words, and all of them."""
    words = sorted(allowed)
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"{guess}allowed: {', '.join(words) or 'none'}"


def found_by(
    error: ValidationError, model: type[BaseModel], base: KeyPath, raw: Any, more_keys: Iterable[str] = ()
) -> list[Problem]:
    """Turn a model's errors into problems.

    ``base`` is where the table stands and ``raw`` the table as it is written, before anything was put in from the
    environment, so that no secret is shown. ``more_keys`` are allowed in the table though the model lacks them.
    """
    return [_problem(one, model, base, raw, more_keys) for one in error.errors(include_url=False)]


def _problem(error: Any, model: type[BaseModel], base: KeyPath, raw: Any, more_keys: Iterable[str]) -> Problem:
    keys, value = _walk(error["loc"], raw)
    kind, context = error["type"], error.get("ctx", {})
    path = (*base, *keys)
    if kind == "missing":
        owner = _model_at(model, keys[:-1])
        field = next((field for name, field in owner.model_fields.items() if (field.alias or name) == keys[-1]), None)
        hint = f"; {field.description}" if field and field.description else ""
        return Problem(path, f"missing, and it must be given{hint}")
    if kind == "extra_forbidden":
        allowed = {field.alias or name for name, field in _model_at(model, keys[:-1]).model_fields.items()}
        return Problem(path, _unknown_key(str(keys[-1]), allowed | (set(more_keys) if len(keys) == 1 else set())))
    if kind == "literal_error":
        allowed = set(re.findall(r"'([^']*)'", context["expected"])) or {context["expected"]}
        return Problem(path, f"got {show(value)}, {unknown(str(value), allowed)}")
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context[name]
        bound = int(bound) if isinstance(bound, float) and bound.is_integer() else bound
        return Problem(path, f"got {show(value)}, allowed: {words.format(bound)}")
    words = f"expected {_EXPECTED[kind]}" if kind in _EXPECTED else error["msg"].removeprefix("Value error, ")
    return Problem(path, words if value is _ABSENT or isinstance(value, dict) else f"{words}; got {show(value)}")


def _unknown_key(key: str, allowed: set[str]) -> str:
    file_keys = {name for name in allowed if name.endswith("_file")}
    if f"{key}_file" in file_keys or (file_keys and key in _SECRET_WORDS):
        return (
            f"unknown key; a secret is never in this file, name the file that holds it: {', '.join(sorted(file_keys))}"
        )
    return f"unknown key; {unknown(key, allowed)}"


def _walk(location: KeyPath, raw: Any) -> tuple[KeyPath, Any]:
    """Follow an error's location in what was written; the names of validators, which stand in it too, are left out."""
    keys: KeyPath = ()
    value = raw
    for number, key in enumerate(location):
        is_index = isinstance(value, list) and isinstance(key, int) and key < len(value)
        if is_index or (isinstance(value, dict) and key in value):
            value = value[key]
            keys = (*keys, key)
        elif number == len(location) - 1 and isinstance(value, dict):
            return (*keys, key), _ABSENT
    return keys, value


def _model_at(model: type[BaseModel], keys: KeyPath) -> type[BaseModel]:
    """Return the model of the table that keys lead to."""
    for key in keys:
        if isinstance(key, int):
            continue
        field = next(field for name, field in model.model_fields.items() if (field.alias or name) == key)
        model = next(_models_in(field.annotation), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
