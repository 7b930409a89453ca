"""The configuration file: TOML in, a validated Config out, or every fault with its line.

``${NAME}`` in a text stands for an environment variable, and ``$${`` for ``${`` itself. A relative ``*_file`` is in
``$CREDENTIALS_DIRECTORY`` when that is set, else beside the configuration file; secrets are never in the file.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chargerd.config_describe import describe
from chargerd.config_lines import KeyPath, key_lines, line_of
from chargerd.config_model import ChargerEntry, Config
from chargerd.config_problems import Problem
from chargerd.config_reader import Reader
from chargerd.config_schema import json_schema
from chargerd.config_secrets import read_secret
from chargerd.config_sections import HttpSection
from chargerd.errors import ConfigError

__all__ = ["ChargerEntry", "Config", "HttpSection", "describe", "json_schema", "load_config", "read_secret"]

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_SYNTAX = re.compile(
    r"(?P<what>.*) \(at (line (?P<line>[0-9]+), column (?P<column>[0-9]+)|end of document)\)", re.DOTALL
)


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read a configuration file. Raises ConfigError with one line for every fault that it has."""
    text = _read(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((_syntax(path, text, str(error)),)) from error
    except RecursionError as error:
        raise ConfigError((f"{path}:1: expected a TOML file, got one nested too deeply",)) from error
    problems: list[Problem] = []
    folder = path.absolute().parent
    prepared = _prepared(raw, (), _Surroundings(folder, environ, problems))
    config = Reader(raw, prepared, folder, environ, problems).config()
    if problems or config is None:
        lines = key_lines(text)
        ordered = sorted(problems, key=lambda problem: line_of(lines, problem.path))
        raise ConfigError(tuple(dict.fromkeys(problem.at(path, lines) for problem in ordered)))
    return config


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise ConfigError((f"{path}: expected a configuration file, got: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            (f"{path}:{line}: expected text in UTF-8, got byte 0x{error.object[error.start]:02x}",)
        ) from error


def _syntax(path: Path, text: str, message: str) -> str:
    match = _SYNTAX.fullmatch(message)
    if match is None:
        return f"{path}:1: not TOML: {message}"
    line = match["line"] or len(text.splitlines()) or 1
    place = f" (column {match['column']})" if match["column"] else " (at the end of the file)"
    return f"{path}:{line}: not TOML: {match['what'][0].lower()}{match['what'][1:]}{place}"


class _Surroundings:
    """What the texts of a file may refer to."""

    def __init__(self, folder: Path, environ: Mapping[str, str], problems: list[Problem]) -> None:
        self._secrets = Path(environ.get("CREDENTIALS_DIRECTORY") or folder)
        self._environ = environ
        self._problems = problems

    def text(self, path: KeyPath, value: str) -> str:
        """Put in environment variables, and make the path of a ``*_file`` absolute."""

        def variable(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if match["name"] is None:
                self._problems.append(Problem(path, "${ without a name, expected ${NAME}, or $${ for ${ itself"))
            elif match["name"] not in self._environ:
                self._problems.append(Problem(path, f"environment variable {match['name']} is not set"))
            return self._environ.get(match["name"] or "", "")

        found = _VARIABLE.sub(variable, value)
        named_file = path and isinstance(path[-1], str) and path[-1].endswith("_file")
        return str(self._secrets / found) if named_file and found else found


def _prepared(value: Any, path: KeyPath, surroundings: _Surroundings) -> Any:
    if isinstance(value, str):
        return surroundings.text(path, value)
    if isinstance(value, dict):
        return {key: _prepared(inner, (*path, key), surroundings) for key, inner in value.items()}
    if isinstance(value, list):
        return [_prepared(inner, (*path, index), surroundings) for index, inner in enumerate(value)]
    return value
