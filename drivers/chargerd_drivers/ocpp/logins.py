"""How often a wrong password may be tried, by address and by identity. Pure; times are seconds that never go back."""

from collections import OrderedDict
from dataclasses import dataclass, field

FAILURES_MAX = 10
"""Failures in a row before the next try has to wait."""
FORGOTTEN_AFTER_S = 10.0
"""After so long one failure is forgotten; a charger that redials with a wrong password is heard this often."""
_KNOWN_MAX = 256


@dataclass(slots=True)
class Logins:
    """Counts failures in two bounded tables; where one is full, who failed longest ago is forgotten.

    An address or identity without a failure is always heard. So a stranger who guesses at the password of a charger
    does not shut out that charger, nor does a charger with a wrong password shut out another one behind its router.
    """

    _addresses: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _identities: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait_s(self, address: str, identity: str, now_s: float) -> float:
        """Return how long the next try has to wait; 0 when it may come now."""
        by_address, by_identity = (
            _failures(self._addresses, address, now_s),
            _failures(self._identities, identity, now_s),
        )
        if by_address == 0 or by_identity == 0:
            return 0.0
        return max(0.0, (max(by_address, by_identity) - FAILURES_MAX + 1) * FORGOTTEN_AFTER_S)

    def failed(self, address: str, identity: str, now_s: float) -> None:
        """Note a wrong log-in."""
        for table, key in ((self._addresses, address), (self._identities, identity)):
            table[key] = (_failures(table, key, now_s) + 1, now_s)
            table.move_to_end(key)
            while len(table) > _KNOWN_MAX:
                table.popitem(last=False)


def _failures(table: OrderedDict[str, tuple[float, float]], key: str, now_s: float) -> float:
    """Return the failures that are not forgotten yet; parts of one count as well."""
    count, at_s = table.get(key, (0.0, now_s))
    return max(0.0, count - (now_s - at_s) / FORGOTTEN_AFTER_S)
