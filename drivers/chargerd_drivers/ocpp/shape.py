"""Notices payloads that break the schema, once per shape: what is odd about a charger is logged, not repeated."""

from chargerd_drivers.ocpp.fields import Json
from chargerd_drivers.ocpp.wire import Version, fault_in

_SHAPES_MAX = 256


class Shapes:
    """The shapes of payloads that one connection has shown. Only a new shape is held against its schema."""

    def __init__(self, version: Version) -> None:
        self._version: Version = version
        self._seen: set[int] = set()

    def fault(self, action: str, payload: Json) -> str | None:
        """Say what breaks the schema when this shape is new and broken; else None."""
        shape = hash((action, frozenset(_outline(payload))))
        if shape in self._seen or len(self._seen) >= _SHAPES_MAX:
            return None
        self._seen.add(shape)
        return fault_in(payload, action, "request", self._version)


def _outline(payload: Json) -> set[tuple[str, str]]:
    """Paths and types of everything in a payload, places in a list left out. Depth is bounded by the frame parser."""
    found: set[tuple[str, str]] = set()
    todo: list[tuple[str, object]] = [("", payload)]
    while todo:
        path, value = todo.pop()
        found.add((path, type(value).__name__))
        if isinstance(value, dict):
            todo.extend((f"{path}.{key}", child) for key, child in value.items())
        elif isinstance(value, list):
            todo.extend((f"{path}[]", child) for child in value)
    return found
