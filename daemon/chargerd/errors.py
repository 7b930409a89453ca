"""The exceptions of the daemon; expected refusals are data, exceptions are for I/O and bad input.

ChargingError
├── ConfigError            the configuration is wrong; the message names file, line, key, and what is allowed
├── StoreError             the database could not be read or written
├── FeedError              a source of prices did not answer, or not with prices; the message says what was expected
├── RecordingError         a recording cannot be replayed; the message names file, line, and what was expected
└── DriverError
    ├── Unreachable        no connection, or no answer in time; worth a retry
    ├── Refused            the device answered no; ``supported`` tells whether it could ever say yes
    └── ProtocolViolation  a message broke the protocol; ``by`` tells whose fault it is
"""

from typing import Literal


class ChargingError(Exception):
    """Root of all errors of chargerd."""


class ConfigError(ChargingError):
    """The configuration is wrong. ``problems`` holds one line per fault, ready to print."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StoreError(ChargingError):
    """The database could not be read or written."""


class RecordingError(ChargingError):
    """A recording cannot be replayed."""


class FeedError(ChargingError):
    """A source of prices did not answer, or not with prices. ``retry_after_s`` is the pause that it asked for."""

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DriverError(ChargingError):
    """A device did not do what was asked."""


class Unreachable(DriverError):
    """No connection to the device, or no answer in time. ``timed_out`` tells that the request may have arrived."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class Refused(DriverError):
    """The device answered no. ``supported`` is False when it said that it cannot do this at all."""

    def __init__(self, message: str, *, supported: bool = True) -> None:
        super().__init__(message)
        self.supported = supported


class ProtocolViolation(DriverError):
    """A message broke the protocol; LOCAL when we sent it, REMOTE when the device did."""

    def __init__(self, message: str, *, by: Literal["LOCAL", "REMOTE"]) -> None:
        super().__init__(message)
        self.by = by
