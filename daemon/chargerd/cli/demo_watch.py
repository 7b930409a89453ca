"""What the demo knows of the running home: documents as the daemon's event stream tells them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chargerd.cli.client import Client
from chargerd.cli.command import Failed
from chargerd.cli.demo_home import CARS, DemoCar
from chargerd.plan.prices import PriceCurve, PriceSlot

Json = dict[str, Any]


@dataclass
class Home:
    """The newest documents, by policy and by charger."""

    sessions: dict[str, Json] = field(default_factory=dict)
    chargers: dict[str, Json] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    """Ids of settled sessions in the order in which they settled."""
    prices: PriceCurve = field(default_factory=PriceCurve)
    registers: dict[str, list[int]] = field(default_factory=dict)
    """What each simulator's own register says each visit took, in Wh, by charger."""
    ready: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When a document first showed the wanted level, by policy and time of plug-in."""

    def take(self, topic: str, key: str, document: Json, now: datetime) -> None:
        """Take one event of the stream."""
        match topic:
            case "session":
                self.sessions[key] = document
                totals = document["statistics"]["aggregated"]
                if totals is not None and (totals["batteryTo"] or 0) >= car_of(key).goal:
                    self.ready.setdefault((key, document["pluggedInAt"]), now)
            case "charger":
                self.chargers[key] = document
            case "settled":
                self.settled.append(key)
            case "prices":
                self.prices = curve_of(document)


def curve_of(document: Json) -> PriceCurve:
    """Read the prices document of the API."""
    slots = (
        PriceSlot(
            datetime.fromisoformat(slot["startAt"]).astimezone(UTC),
            datetime.fromisoformat(slot["endAt"]).astimezone(UTC),
            Decimal(slot["pricePerKwh"]),
        )
        for slot in document["data"]
    )
    return PriceCurve(tuple(slots), document["currency"])


async def events(port: int) -> AsyncIterator[tuple[str, str, Json]]:
    """Read ``GET /v1/events``: topic, key and document of each. Ends when the daemon closes the stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4 * 1024 * 1024)
    try:
        writer.write(b"GET /v1/events HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
        topic = ""
        async for raw in reader:
            line = raw.decode().rstrip("\r\n")
            if line.startswith("event: "):
                topic = line.removeprefix("event: ")
            elif line.startswith("data: "):
                told = json.loads(line.removeprefix("data: "))
                yield topic, told["key"], told["document"]
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def follow_simulator(car: DemoCar, output: asyncio.StreamReader, client: Client, home: Home) -> None:
    """Read what a simulator notices. A car that cannot tell its level over the plug tells it by telemetry."""
    async for raw in output:
        told = json.loads(raw)
        if told["event"] == "plugged" and not car.tells_level:
            level = {"batteryLevel": int(told["levelPct"])}
            with contextlib.suppress(Failed):
                await asyncio.to_thread(client.put, f"/v1/vehicles/{car.vehicle}/charge-state", level)
        if told["event"] == "unplugged":
            home.registers.setdefault(car.charger, []).append(told["sessionWh"])


def car_of(policy_id: str) -> DemoCar:
    """The car that a policy is for."""
    return next(car for car in CARS if car.policy == policy_id)
