"""What must fit together in a configuration: names, references, currents and levels."""

from collections.abc import Iterator, Mapping
from typing import Any

from chargerd.config_problems import Problem, unknown
from chargerd.config_sections import ChargerSection, HttpSection, PolicySection, SiteSection
from chargerd.config_types import DAYS
from chargerd.core.whose import spelled


def checks(
    tables: Mapping[str, Any],
    site: SiteSection | None,
    http: HttpSection | None,
    chargers: Mapping[int, ChargerSection],
    policies: Mapping[int, PolicySection],
) -> Iterator[Problem]:
    """Yield what does not fit.

    Names and references are checked in all ``tables``, so that another fault of a table hides none of them; the rest
    in the sections that are valid, given by their index in the file.
    """
    if http is not None and not http.is_local and http.token_file is None:
        words = (
            f'"{http.listen}" can be reached from other machines and needs a token_file; '
            "allowed without one: 127.0.0.1, [::1] and localhost"
        )
        yield Problem(("http", "listen"), words)
    for name in ("charger", "vehicle", "policy"):
        yield from _twice(name, _texts(tables, name, "id"))
    yield from _same_station(tables)
    yield from _references(tables)
    yield from _same_pair(tables)
    yield from _same_token(tables)
    for index, charger in chargers.items():
        yield from _currents(("charger", index), charger, site)
    for index, policy in policies.items():
        yield from _levels(("policy", index), policy)


def _entries(tables: Mapping[str, Any], name: str) -> dict[int, dict[str, Any]]:
    found = tables.get(name, [])
    found = [found] if isinstance(found, dict) else found
    return {i: entry for i, entry in enumerate(found) if isinstance(entry, dict)} if isinstance(found, list) else {}


def _texts(tables: Mapping[str, Any], name: str, key: str) -> dict[int, str]:
    """Return the texts under a key of each table of an array, by index; those that are no text are told elsewhere."""
    texts = {index: entry.get(key) for index, entry in _entries(tables, name).items()}
    return {index: text for index, text in texts.items() if isinstance(text, str)}


def _twice(name: str, ids: Mapping[int, str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, value in ids.items():
        other = first.setdefault(value.lower() if name == "policy" else value, index)
        if other != index:
            yield Problem((name, index, "id"), f'"{value}" is the id of {name}[{other}] already')


def _same_station(tables: Mapping[str, Any]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, identity in _texts(tables, "charger", "identity").items():
        other = first.setdefault(identity.casefold(), index)
        if other != index:
            words = f'"{identity}" is charger[{other}] already; one connector of each is served'
            yield Problem(("charger", index, "identity"), words)


def _references(tables: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("charger", "vehicle"):
        known = set(_texts(tables, name, "id").values())
        for index, wanted in _texts(tables, "policy", name).items():
            if wanted not in known:
                words = f'there is no [[{name}]] with id = "{wanted}"; {unknown(wanted, known)}'
                yield Problem(("policy", index, name), words)


def _same_pair(tables: Mapping[str, Any]) -> Iterator[Problem]:
    vehicles, first = _texts(tables, "policy", "vehicle"), dict[tuple[str, str], int]()
    for index, charger in _texts(tables, "policy", "charger").items():
        if index not in vehicles:
            continue
        other = first.setdefault((vehicles[index], charger), index)
        if other != index:
            words = f'vehicle "{vehicles[index]}" at charger "{charger}" has policy[{other}] already'
            yield Problem(("policy", index, "vehicle"), words)


def _same_token(tables: Mapping[str, Any]) -> Iterator[Problem]:
    """Tokens are compared as the core compares them, without regard to case and separators."""
    first: dict[str, int] = {}
    vehicles = _entries(tables, "vehicle")
    for index, vehicle in vehicles.items():
        tokens = vehicle.get("id_tokens")
        for place, token in enumerate(tokens if isinstance(tokens, list) else []):
            if not isinstance(token, str) or not spelled(token):
                continue
            other = first.setdefault(spelled(token), index)
            if other != index:
                words = f'"{token}" of "{vehicle.get("id")}" is a token of "{vehicles[other].get("id")}" already'
                yield Problem(("vehicle", index, "id_tokens", place), words)


def _currents(path: tuple[str, int], charger: ChargerSection, site: SiteSection | None) -> Iterator[Problem]:
    if charger.min_a > charger.max_a:
        key = "min_a" if "min_a" in charger.model_fields_set else "max_a"
        yield Problem((*path, key), f"min_a {charger.min_a:g} is above max_a {charger.max_a:g}")
    if site is None:
        return
    if site.main_fuse_a is not None and charger.max_a > site.main_fuse_a:
        words = f"got {charger.max_a:g}, allowed: at most the main fuse, site.main_fuse_a = {site.main_fuse_a:g}"
        yield Problem((*path, "max_a"), words)
    if charger.phases > site.phases:
        yield Problem((*path, "phases"), f"got {charger.phases}, allowed: at most site.phases = {site.phases}")


def _levels(path: tuple[str, int], policy: PolicySection) -> Iterator[Problem]:
    for day in ("default", *DAYS):
        section = getattr(policy.schedule, day)
        if section is not None and section.minimum_charge_target < policy.battery_reserve:
            words = (
                f"got {section.minimum_charge_target}, allowed: at least battery_reserve = {policy.battery_reserve}, "
                "which is charged at once anyway; false for no deadline that day"
            )
            yield Problem((*path, "schedule", day, "minimum_charge_target"), words)
