"""``dataclasses.replace`` for the state, ten times as fast: a decision makes some thirty new values.

The dataclasses of the state have no slots, so that a copy is one update of a dictionary. To the type checker it is
``dataclasses.replace``: names and types of the fields are checked there, not at run time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace
else:
    from dataclasses import replace as _replace

    _new, _set = object.__new__, object.__setattr__

    def replace(value, /, **changes):
        """Return a copy of a frozen value with some fields changed. It has no ``__post_init__``."""
        try:
            fields = value.__dict__
        except AttributeError:
            return _replace(value, **changes)
        copy = _new(type(value))
        _set(copy, "__dict__", fields | changes)
        return copy


__all__ = ["replace"]
