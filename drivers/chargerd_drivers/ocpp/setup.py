"""What a charger is asked and told once it is online: what to sample and how often, then how things stand.

Everything is read first and only differences are written. A step that fails is logged and left out; a charger that
does not answer at all is left in peace until it connects again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from ocpp.v16 import call as call16
from ocpp.v201 import call as call201
from ocpp.v201 import datatypes

from chargerd.contract import DriverError, Refused, Unreachable
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import integer, number, word
from chargerd_drivers.ocpp.probes import Probes
from chargerd_drivers.ocpp.settings import (
    INTERVAL,
    ITEMS_MAX,
    MEASURANDS,
    Found,
    Key,
    LimitFacts,
    Setting,
    batches,
    found_in,
    items_request,
    limit_facts,
    limit_keys,
    lookup,
    names_in,
    read_request,
    settings,
    spelled,
    write_request,
    written,
)
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.wire import Version, to_request

_log = structlog.get_logger("chargerd.ocpp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the set-up found in force; None where the charger does not say.

    ``measurands`` are sampled during a transaction, every ``interval_s`` of the charger's seconds.
    """

    measurands: tuple[str, ...] | None
    interval_s: float | None
    limits: LimitFacts


class Setup:
    """One run of the set-up over one connection."""

    def __init__(
        self,
        probes: Probes,
        station: Station,
        *,
        version: Version,
        sample_interval_s: int,
    ) -> None:
        self._log = _log.bind(charger=station.charger_id)
        self._probes = probes
        self._connector = station.options.connector
        self._version: Version = version
        self._sample_interval_s = sample_interval_s
        self._known = station.lessons.knowledge
        self._refused = station.refused_writes
        self._items_max = ITEMS_MAX

    async def configure(self) -> Outcome:
        """Bring the settings about. Raises Unreachable."""
        if self._version != "1.6":
            await self._read_items_max()
        wanted = [one for one in settings(self._version, self._sample_interval_s) if not self._is_skipped(one.key)]
        found = await self._read([one.key for one in wanted])
        in_force: dict[Key, str] = {}
        accepted: dict[Key, str] = {}
        for setting in wanted:
            said = found.get(lookup(setting.key), Found(setting.key))
            if said.value is not None:
                in_force[setting.key] = said.value
            if said.value is None or not (said.is_read_only or setting.is_met(said.value)):
                value = await self._bring_about(setting, said)
                if value is not None:
                    accepted[setting.key] = value
        in_force |= await self._checked(accepted)
        limits = limit_facts(
            await self._read([key for key in limit_keys(self._version) if not self._is_skipped(key)]), self._version
        )
        measurands = in_force.get(MEASURANDS[self._version])
        return Outcome(
            measurands=None if measurands is None else names_in(measurands),
            interval_s=number(in_force.get(INTERVAL[self._version])),
            limits=limits,
        )

    async def ask_state(self) -> None:
        """Have the charger tell its status and meter. A refusal is normal; then it tells when something changes."""
        for request in triggers(self._version, self._connector):
            message = request[1]["requestedMessage"]
            if self._known.skips_name(message):
                continue
            try:
                status = word((await self._probes.send(f"trigger {message}", request)).get("status"))
            except Refused as refused:
                status = str(refused)
            if status != "accepted":
                self._log.debug("ocpp.trigger_refused", message=message, detail=status)

    def _is_skipped(self, key: Key) -> bool:
        return self._known.skips_name(spelled(key))

    async def _read_items_max(self) -> None:
        try:
            answer = await self._probes.send("read ItemsPerMessage", items_request())
        except Refused:
            return
        limit = next((integer(found.value) for found in found_in(answer).values()), None)
        if limit is not None and limit > 0:
            self._items_max = min(limit, ITEMS_MAX)

    async def _read(self, keys: Sequence[Key]) -> dict[Key, Found]:
        """Read settings, a few at a time; one by one where a few at a time were refused, or were too much once."""
        found: dict[Key, Found] = {}
        for batch in batches(keys, self._items_max):
            name = "read " + " ".join(spelled(key) for key in batch)
            try:
                found |= found_in(await self._probes.send(name, read_request(batch)))
                continue
            except Refused as refused:
                self._log.info("ocpp.setup_unread", message=f"settings cannot be read: {refused}")
                if not refused.supported or len(batch) == 1:
                    continue
            for key in batch:
                try:
                    found |= found_in(await self._probes.send(f"read {spelled(key)}", read_request([key])))
                except Refused as refused:
                    self._log.debug("ocpp.setup_unread", message=f"{spelled(key)} cannot be read: {refused}")
        return found

    async def _bring_about(self, setting: Setting, said: Found) -> str | None:
        """Write a setting, under the key as the charger spells it. Return the value that it accepted, None for none."""
        if not setting.measurands:
            return setting.value if await self._write(said.key, setting.value) else None
        return await self._bring_about_list(setting.measurands, said)

    async def _bring_about_list(self, measurands: tuple[str, ...], said: Found) -> str | None:
        """Find the longest list that is accepted: one measurand that is not known has the whole list refused.

        First the list without its end, then those beyond what was refused one by one. Chargers keep the last list that
        they were sent (1.6 errata 3.14.4), so the best one is sent last.
        """
        key, accepted = said.key, tuple[str, ...]()
        for length in range(len(measurands), 0, -1):
            if said.value is not None and names_in(said.value) == measurands[:length]:
                return None
            status = await self._write(key, ",".join(measurands[:length]))
            if status is None:
                return None
            if status:
                accepted = measurands[:length]
                break
        is_last = True
        beyond = measurands[len(accepted) + 1 :] if accepted else measurands[1:]
        for name in beyond:
            is_last = bool(await self._write(key, ",".join((*accepted, name))))
            accepted = (*accepted, name) if is_last else accepted
        if not accepted:
            return None
        if not is_last:
            await self._write(key, ",".join(accepted))
        return ",".join(accepted)

    async def _write(self, key: Key, value: str) -> bool | None:
        """Tell whether a value was accepted; None for a key that cannot be written at all."""
        name = spelled(key)
        probe = f"write {name}={value}"
        if probe in self._refused:
            return False
        try:
            answer = await self._probes.send(probe, write_request(key, value))
        except Unreachable:
            raise
        except DriverError as error:
            self._log.info("ocpp.setting_refused", message=f"setting {name} was refused: {error}", value=value)
            self._refused.add(probe)
            return None
        if written(answer):
            self._log.debug("ocpp.setting_written", key=name, value=value)
            return True
        self._log.info("ocpp.setting_refused", message=f"setting {name} was refused", value=value)
        self._refused.add(probe)
        return False

    async def _checked(self, accepted: dict[Key, str]) -> dict[Key, str]:
        """Read back what was accepted: some chargers accept what they then do not do (Grizzl-E, EVBox)."""
        if not accepted:
            return {}
        found = await self._read(list(accepted))
        checked = dict(accepted)
        for key, value in accepted.items():
            said = found.get(lookup(key))
            if said is not None and said.value is not None and said.value != value:
                checked[key] = said.value
                self._log.info(
                    "ocpp.setting_not_kept",
                    message=f"setting {spelled(key)} was accepted as {value!r}, but is {said.value!r}",
                )
        return checked


def triggers(version: Version, connector: int) -> tuple[Request, ...]:
    """Return the TriggerMessage requests that make a charger tell how things stand. Never a BootNotification."""
    if version == "1.6":
        status = call16.TriggerMessage(requested_message="StatusNotification", connector_id=connector)
        return to_request(status), meter_trigger(version, connector)
    outlet = datatypes.EVSEType(id=connector, connector_id=1)
    evse = datatypes.EVSEType(id=connector)
    return (
        to_request(call201.TriggerMessage(requested_message="StatusNotification", evse=outlet)),
        to_request(call201.TriggerMessage(requested_message="TransactionEvent", evse=evse)),
        meter_trigger(version, connector),
    )


def meter_trigger(version: Version, connector: int) -> Request:
    """Return the request that makes a charger tell its meter."""
    if version == "1.6":
        return to_request(call16.TriggerMessage(requested_message="MeterValues", connector_id=connector))
    evse = datatypes.EVSEType(id=connector)
    return to_request(call201.TriggerMessage(requested_message="MeterValues", evse=evse))
