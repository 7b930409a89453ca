"""``chargerd chargers``, ``vehicles``, ``policies`` and ``prices``."""

import argparse
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chargerd.cli.client import Client, add_client_options
from chargerd.cli.command import Command, Status
from chargerd.cli.price_text import prices_line
from chargerd.cli.sessions import print_json
from chargerd.cli.text import MISSING, bar, moment, percent, plain, table

Json = Any
Rows = list[tuple[str, ...]]


def _chargers(args: argparse.Namespace) -> int:
    client = Client.of(args)
    answer = client.get("/v1/chargers")
    if args.json:
        print_json(answer)
        return Status.DONE
    now = client.now()
    rows: Rows = [("CHARGER", "ONLINE", "STATE", "POWER", "LIMIT", "MODEL", "PROTOCOL", "HEARD")]
    rows += [
        (
            plain(one["id"]),
            _yes(one.get("isOnline")),
            plain(one.get("powerDeliveryState")),
            _unit(one.get("chargeRate"), "kW"),
            _unit(one.get("currentLimit"), "A"),
            plain(" ".join(filter(None, (one.get("vendor"), one.get("model"))))),
            plain(one.get("protocol")),
            moment(one.get("lastUpdated"), now),
        )
        for one in answer["data"]
    ]
    print(table(rows, right=frozenset({3, 4})))
    return Status.DONE


def _vehicles(args: argparse.Namespace) -> int:
    client = Client.of(args)
    answer = client.get("/v1/vehicles")
    if args.json:
        print_json(answer)
        return Status.DONE
    now = client.now()
    rows: Rows = [("VEHICLE", "BATTERY", "LEVEL", "LIMIT", "WHERE", "PLUGGED", "CHARGING", "TOLD")]
    rows += [
        (
            plain(one["id"]),
            _unit(one.get("batteryCapacity"), "kWh"),
            percent(one.get("batteryLevel")),
            percent(one.get("chargeLimit")),
            _where(one),
            _yes(one.get("isPluggedIn")),
            _yes(one.get("isCharging")),
            moment(one.get("lastUpdated"), now),
        )
        for one in answer["data"]
    ]
    print(table(rows, right=frozenset({1, 2, 3})))
    return Status.DONE


def _where(vehicle: Json) -> str:
    """The charger that a car is at, else what it told of itself."""
    if vehicle.get("at") is not None:
        return plain(vehicle["at"])
    return {True: "at home", False: "away"}.get(vehicle.get("isAtHome"), MISSING)


def _policies(args: argparse.Namespace) -> int:
    answer = Client.of(args).get("/v1/policies")
    if args.json:
        print_json(answer)
        return Status.DONE
    rows: Rows = [("VEHICLE", "CHARGER", "RESERVE", "SCHEDULE", "ID")]
    rows += [
        (
            plain(one["vehicleId"]),
            plain(one["chargerId"]),
            percent(one["batteryReserve"]),
            ", ".join(_week(one["schedule"])) or MISSING,
            one["id"],
        )
        for one in answer["data"]
    ]
    print(table(rows, right=frozenset({2})))
    return Status.DONE


def _week(schedule: dict[str, Json]) -> Iterator[str]:
    """Days that ask for the same stand together: "mon-fri 50 % by 07:00"."""
    runs: list[tuple[list[str], Json]] = []
    for day, target in schedule.items():
        if runs and runs[-1][1] == target:
            runs[-1][0].append(day)
        else:
            runs.append(([day], target))
    for days, target in runs:
        if target is not None:
            span = days[0] if len(days) == 1 else f"{days[0]}-{days[-1]}"
            yield f"{span} {percent(target['minimumChargeTarget'])} by {target['readyBy']}"


def _add_prices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="also those of the past")
    add_client_options(parser)


def _prices(args: argparse.Namespace) -> int:
    client = Client.of(args)
    now = client.now()
    answer = client.get("/v1/prices", **({} if args.all else {"from": now.isoformat()}))
    if args.json:
        print_json(answer)
    elif not answer["data"]:
        print("no prices are known")
    else:
        print(prices_line(answer, now))
        print(table(_price_rows(answer["data"], now), indent="  ", right=frozenset({1})))
    return Status.DONE


def _price_rows(slots: list[Json], now: datetime) -> Iterator[tuple[str, ...]]:
    largest = max(float(slot["pricePerKwh"]) for slot in slots)
    for slot in slots:
        current = datetime.fromisoformat(slot["startAt"]) <= now < datetime.fromisoformat(slot["endAt"])
        yield (
            moment(slot["startAt"], now),
            slot["pricePerKwh"],
            "now" if current else "",
            "" if slot["origin"] == "SOURCE" else plain(slot["origin"]).lower(),
            bar(float(slot["pricePerKwh"]), largest),
        )


def _yes(value: bool | None) -> str:  # noqa: FBT001 - three values, shown
    return MISSING if value is None else "yes" if value else "no"


def _unit(value: float | None, unit: str) -> str:
    return MISSING if value is None else f"{value:g} {unit}"


COMMANDS = {
    "chargers": Command(add_client_options, _chargers),
    "vehicles": Command(add_client_options, _vehicles),
    "policies": Command(add_client_options, _policies),
    "prices": Command(_add_prices, _prices),
}
