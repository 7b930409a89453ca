"""What is known of one charger, kept over reconnects and restarts. A store that fails costs no charging."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from chargerd.contract import ChargerId, Document, Memory, StoreError
from chargerd_drivers.ocpp.knowledge import (
    Knowledge,
    Model,
    Personal,
    dump_knowledge,
    dump_personal,
    load_knowledge,
    load_personal,
)

_T = TypeVar("_T")

_log = structlog.get_logger("chargerd.ocpp")


class Library:
    """What is known of all chargers. ``preset`` is what is known of a model before anything was learned."""

    def __init__(self, memory: Memory) -> None:
        self.preset: Callable[[Model], Knowledge] = lambda _model: Knowledge()
        self.shelf: dict[str, Knowledge] = {}
        self._memory = memory
        self._kept: dict[str, Document] = {}
        self._is_failing = False

    async def recall(self, key: str) -> Document:
        """Return what is kept under a key; {} for nothing, and when the store fails."""
        try:
            document = await self._memory.recall(key)
        except StoreError as error:
            self._failed(error)
            return {}
        self._kept[key] = document or {}
        return self._kept[key]

    async def remember(self, key: str, document: Document) -> None:
        """Keep a document when it is not the one that is kept already."""
        if self._kept.get(key) == document:
            return
        try:
            await self._memory.remember(key, document)
        except StoreError as error:
            self._failed(error)
        else:
            self._kept[key] = document
            self._is_failing = False

    def _failed(self, error: StoreError) -> None:
        if not self._is_failing:
            self._is_failing = True
            _log.warning("ocpp.memory_failed", message=f"what is learned of chargers is not kept: {error}")


class Lessons:
    """What is known of one charger, as long as its vendor, model and firmware are the same.

    Two chargers of one model share nothing: what they can do is also a matter of their settings and licences.
    """

    def __init__(self, charger_id: ChargerId, library: Library) -> None:
        self._charger_id = charger_id
        self._library = library
        self._is_open = False
        self.personal = Personal()

    @property
    def knowledge(self) -> Knowledge:
        """What is known of it with its present firmware."""
        return self._library.shelf.get(self._key) or self._library.preset(self.personal.model)

    @property
    def _key(self) -> str:
        return f"{self._personal_key}/{self.personal.model.key}"

    @property
    def _personal_key(self) -> str:
        return f"ocpp/charger/{self._charger_id}"

    async def open(self, model: Model | None = None) -> bool:
        """Recall what is known, of what the charger says that it is, or else of what it was the last time.

        Tell whether it is another one than before: then what it could do before means nothing any more.
        """
        if not self._is_open:
            self._is_open = True
            self.personal = _read(load_personal, await self._library.recall(self._personal_key), Personal())
        is_another = False
        if model is not None and model.is_named and model != self.personal.model:
            is_another = self.personal.model.is_named
            await self.keep_personal(replace(self.personal, model=model))
        if self._key in self._library.shelf:
            return is_another
        preset = self._library.preset(self.personal.model)
        document = await self._library.recall(self._key)
        self._library.shelf[self._key] = _read(lambda found: load_knowledge(found, preset), document, preset)
        return is_another

    async def keep(self, knowledge: Knowledge) -> None:
        """Take what was learned, and write it when it differs."""
        if self._library.shelf.get(self._key) == knowledge:
            return
        self._library.shelf[self._key] = knowledge
        preset = self._library.preset(self.personal.model)
        await self._library.remember(self._key, dump_knowledge(knowledge, preset))

    async def keep_personal(self, personal: Personal) -> None:
        """Take what was learned of this very charger, and write it when it differs."""
        self.personal = personal
        await self._library.remember(self._personal_key, dump_personal(personal))


def _read(load: Callable[[Document], _T], document: Document, otherwise: _T) -> _T:
    try:
        return load(document)
    except ValueError as error:
        _log.warning("ocpp.memory_unreadable", message=f"what was learned of a charger is learned anew: {error}")
        return otherwise
