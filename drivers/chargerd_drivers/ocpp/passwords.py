"""The password of a charger, and the one that is to take its place: two files side by side, whole at every moment.

``NAME`` holds the password in force, ``NAME.new`` the one that the charger was told or is about to be told. It is on
disk before it is sent, and both are good until the charger has come in with the new one, which is then renamed.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from chargerd.contract import ConfigError

_BYTES = 20
LENGTH_MIN, LENGTH_MAX = 16, 40
"""Characters of SecurityCtrlr.BasicAuthPassword (2.0.1); AuthorizationKey (1.6) has 40 hexadecimal digits."""


@dataclass(slots=True)
class Passwords:
    """``current`` None: none is asked for. ``pending`` None: no other one is on its way. ``path`` None: no place."""

    path: Path | None = None
    current: bytes | None = None
    pending: bytes | None = None

    def open(self, *, must_exist: bool) -> None:
        """Read both. Raises ConfigError, in words, for a file that cannot be read, is empty, or must be there."""
        if self.path is None:
            return
        self.current = _read(self.path, must_exist=must_exist)
        self.pending = _read(self._fresh, must_exist=False)

    @property
    def accepted(self) -> tuple[bytes, ...]:
        """Every password that opens."""
        return tuple(one for one in (self.current, self.pending) if one is not None)

    def propose(self) -> str:
        """Make a password and write it beside the one in force; return it. Raises OSError.

        One that is on its way already is told again: the charger may have it, and come with it at any time.
        """
        assert self.path is not None, "no place for a password"
        if self.pending is not None:
            return self.pending.decode("ascii")
        fresh = secrets.token_hex(_BYTES)
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123  # by descriptor
            file.write(f"{fresh}\n")
            file.flush()
            os.fsync(descriptor)
        self._settle()
        self.pending = fresh.encode()
        return fresh

    def promote(self) -> None:
        """The charger came in with the new one: from now on that is the only one. Raises OSError; then both stay."""
        assert self.path is not None, "no place for a password"
        self._fresh.replace(self.path)
        self._settle()
        self.current, self.pending = self.pending, None

    def withdraw(self) -> None:
        """The charger did not take the new one. Raises OSError."""
        if self.path is not None:
            self._fresh.unlink(missing_ok=True)
        self.pending = None

    @property
    def _fresh(self) -> Path:
        assert self.path is not None, "no place for a password"
        return self.path.with_name(f"{self.path.name}.new")

    def _settle(self) -> None:
        """Have the folder itself written: a name that is lost with the power would lock the charger out."""
        assert self.path is not None, "no place for a password"
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path, *, must_exist: bool) -> bytes | None:
    """Return a password's bytes without the line end that editors add; None without the file."""
    try:
        password = path.read_bytes().rstrip(b"\r\n")
    except FileNotFoundError as error:
        if not must_exist:
            return None
        raise ConfigError((f"cannot read {path}: {error.strerror}",)) from error
    except OSError as error:
        raise ConfigError((f"cannot read {path}: {error.strerror}",)) from error
    if not password:
        raise ConfigError((f"{path} is empty",))
    return password
