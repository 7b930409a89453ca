"""The faults that can be switched on, at the start or while the simulator runs."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong."""

    ACCEPT_START_DO_NOTHING = "accept-start-do-nothing"
    """A remote start and the limit are accepted; no transaction follows, and no power.
    In a transaction that is suspended by a limit, a limit that would let it go on is accepted and does nothing."""
    IGNORE_STOP = "ignore-stop"
    """A limit of 0 and a remote stop are accepted; charging goes on."""
    DROP_SOCKET = "drop-socket"
    """The TCP connection is cut once, some time after a transaction's start."""
    NO_POWER = "no-power"
    """Transactions start; the car never draws."""


DROP_AFTER_S = 300.0
"""When drop-socket strikes, in seconds after the transaction's start, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault and, for drop-socket, how many seconds after the transaction's start it strikes."""

    fault: Fault
    after_s: float = DROP_AFTER_S


def parse_fault(text: str) -> FaultSpec:
    """Read ``NAME`` or ``drop-socket=SECONDS``. Raises ValueError with a sentence that says what was expected."""
    name, equals, seconds = text.partition("=")
    if name not in list(Fault):
        raise ValueError(f"fault {name!r}: expected one of {', '.join(Fault)}")
    if not equals:
        return FaultSpec(Fault(name))
    if name != Fault.DROP_SOCKET:
        raise ValueError(f"fault {text!r}: only {Fault.DROP_SOCKET} takes =SECONDS")
    try:
        after_s = float(seconds)
    except ValueError:
        after_s = -1.0
    if not 0 <= after_s < 1e9:
        raise ValueError(f"fault {text!r}: expected seconds from 0 on after the =")
    return FaultSpec(Fault.DROP_SOCKET, after_s)
