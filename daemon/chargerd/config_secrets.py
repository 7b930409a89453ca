"""Secrets of the configuration: each in a file of its own, which the configuration names."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from chargerd.config_types import fault
from chargerd.errors import ConfigError


def _file(value: Any) -> Any:
    if not isinstance(value, str):
        raise fault("expected the path of a file")
    return Path(value)


SecretFile = Annotated[Path, BeforeValidator(_file), WithJsonSchema({"type": "string"})]
"""The path of a file that holds a secret; its key ends in ``_file``, so that the path is made absolute."""


def read_secret(path: Path) -> str:
    """Return the one line of a file that holds a secret. Raises ConfigError; the secret is in no message."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError((f"{path}: expected a file that holds a secret, got: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((f"{path}: expected a secret in UTF-8, got other bytes",)) from error
    if not secret or "\n" in secret:
        raise ConfigError((f"{path}: expected one line, got {'more' if secret else 'none'}",))
    return secret
