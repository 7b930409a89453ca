"""What becomes of a request to raise a charger's security: its document, kept over restarts. Holds no secret."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from chargerd.contract import Document, SecurityRequest
from chargerd_drivers.ocpp.fields import Json, integer, listing, obj, stamp, text, word

_WORDS_MAX = 600


class Stage(StrEnum):
    """How far it is."""

    PREPARING = "PREPARING"
    """Nothing is changed yet."""
    CHANGING = "CHANGING"
    """The charger was told something, or is about to be."""
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(slots=True)
class Upgrade:
    """One request and what was done for it, in words. ``advice`` is what a person is to do now, "" nothing.

    ``password_given``: the new password is on disk, and the charger may have been told it.
    """

    profile: int | None
    new_password: bool
    new_certificate: bool
    started_at: str
    stage: Stage = Stage.PREPARING
    ended_at: str | None = None
    steps: list[Json] = field(default_factory=list)
    advice: str = ""
    password_given: bool = False

    @classmethod
    def of(cls, request: SecurityRequest, now: datetime) -> "Upgrade":
        """Return the one that a request begins."""
        return cls(request.profile, request.new_password, request.new_certificate, stamp(now))

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be done."""
        return self.stage in {Stage.DONE, Stage.FAILED}

    def step(self, words: str, now: datetime) -> None:
        """Note what was done."""
        self.steps.append({"at": stamp(now), "words": words})

    def end(self, stage: Stage, advice: str, now: datetime) -> None:
        """Note how it ended."""
        self.stage, self.advice, self.ended_at = stage, advice, stamp(now)

    @property
    def document(self) -> Document:
        """The document of the API."""
        return {
            "state": str(self.stage),
            "profile": self.profile,
            "newPassword": self.new_password,
            "newCertificate": self.new_certificate,
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "steps": list(self.steps),
            "advice": self.advice,
        }

    @property
    def kept(self) -> Document:
        """What is kept for the next run."""
        return {**self.document, "passwordGiven": self.password_given}


def load(document: dict[str, Any]) -> Upgrade | None:
    """Return what is kept; None for nothing that can be read."""
    stage = next((one for one in Stage if word(one) == word(document.get("state"))), None)
    if stage is None:
        return None
    steps = [
        {"at": text(obj(one).get("at")), "words": text(obj(one).get("words"), length_max=_WORDS_MAX)}
        for one in listing(document.get("steps"))
    ]
    return Upgrade(
        integer(document.get("profile")),
        document.get("newPassword") is True,
        document.get("newCertificate") is True,
        text(document.get("startedAt")),
        stage,
        text(document.get("endedAt")) or None,
        steps,
        text(document.get("advice"), length_max=_WORDS_MAX),
        document.get("passwordGiven") is True,
    )
