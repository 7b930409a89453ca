"""What is told of a home from some moment on, note by note."""

from typing import Any

from chargerd.core.commands import Note
from chargerd.core.ids import SessionId
from tests.support.home import GARAGE, POLICY, Home


class Journal:
    """Begins to listen where it is made; ``session_id`` is the session that the policy has then."""

    def __init__(self, home: Home) -> None:
        self._home, self._from = home, len(home.commands)
        self.session_id = session_of(home)

    def read(self) -> list[Note]:
        """What was told since the last look."""
        notes = [command for command in self._home.commands[self._from :] if isinstance(command, Note)]
        self._from = len(self._home.commands)
        return notes

    def note(self, name: str, message: str, **more: Any) -> Note:
        """A note about the session."""
        ids = {"charger_id": GARAGE, "policy_id": POLICY, "session_id": self.session_id}
        return Note(name=name, message=message, **ids | more)


def session_of(home: Home) -> SessionId | None:
    """The session that the first policy has now."""
    return home.state.slots[0].session.session_id if home.state.slots else None
