"""Validates the tables of a parsed configuration, each by its model, and then what must fit together."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chargerd.config_checks import checks
from chargerd.config_lines import KeyPath
from chargerd.config_model import ChargerEntry, Config
from chargerd.config_problems import Problem, found_by, show, unknown
from chargerd.config_sections import (
    ChargerSection,
    HttpSection,
    PolicySection,
    SiteSection,
    StoreSection,
    VehicleSection,
)
from chargerd.tariff import TARIFFS, TariffOptions
from chargerd_drivers import DRIVERS, load

_M = TypeVar("_M", bound=BaseModel)
_TABLES = ("site", "http", "store", "tariff")
_LISTS = ("charger", "vehicle", "policy")
_SCHEME = "sqlite://"


class Reader:
    """Reads one file. ``raw`` is what is written, ``prepared`` the same with variables and paths put in."""

    def __init__(
        self,
        raw: Mapping[str, Any],
        prepared: Mapping[str, Any],
        folder: Path,
        environ: Mapping[str, str],
        problems: list[Problem],
    ) -> None:
        self._raw = raw
        self._prepared = prepared
        self._folder = folder
        self._environ = environ
        self._problems = problems

    def config(self) -> Config | None:
        """Return the configuration. What is wrong is appended to the problems; None when there is something."""
        self._check_names()
        site = self._section("site", SiteSection)
        http = self._section("http", HttpSection)
        store = self._section("store", StoreSection)
        tariff = self._tariff()
        chargers = dict(self._list("charger", ChargerSection, own_keys=True))
        options = dict(self._charger_options())
        vehicles = dict(self._list("vehicle", VehicleSection))
        policies = dict(self._list("policy", PolicySection))
        sections = self._driver_sections()
        self._problems += checks(self._prepared, site, http, chargers, policies)
        self._problems += self._misfits(sections, options)
        if self._problems or site is None or http is None or store is None or tariff is None:
            return None
        return Config(
            site=site.site(),
            chargers=tuple(
                ChargerEntry(spec=charger.spec(evse_id(options[i])), driver=charger.driver, options=options[i])
                for i, charger in chargers.items()
            ),
            vehicles=tuple(vehicle.spec() for vehicle in vehicles.values()),
            policies=tuple(policy.policy() for policy in policies.values()),
            driver_sections=MappingProxyType(sections),
            tariff=tariff,
            http=http,
            store_url=self._store_url(store),
        )

    def _check_names(self) -> None:
        allowed = (*_TABLES, *_LISTS, *DRIVERS)
        for name, value in self._raw.items():
            if name not in allowed:
                self._problems.append(Problem((name,), f"unknown section; {unknown(name, allowed)}"))
            elif name in _LISTS and not (isinstance(value, list) and all(isinstance(entry, dict) for entry in value)):
                self._problems.append(Problem((name,), f"expected one or more tables [[{name}]], with two brackets"))
            elif name not in _LISTS and not isinstance(value, dict):
                self._problems.append(Problem((name,), f"expected one table [{name}], with one bracket"))

    def _section(self, name: str, model: type[_M]) -> _M | None:
        if not isinstance(self._raw.get(name, {}), dict):
            return None
        if name == "site" and name not in self._raw:
            self._problems.append(
                Problem((name,), 'missing, and it must be given, as [site] timezone = "Europe/Berlin"')
            )
            return None
        return self._validated(model, (name,), self._prepared.get(name, {}))

    def _list(self, name: str, model: type[_M], *, own_keys: bool = False) -> Iterator[tuple[int, _M]]:
        """Yield the valid tables of an array; ``own_keys`` leaves the keys that the model lacks to somebody else."""
        for index in self._indexes(name):
            table = self._at(self._prepared, (name, index))
            if own_keys:
                table = {key: value for key, value in table.items() if key in model.model_fields}
            entry = self._validated(model, (name, index), table)
            if entry is not None:
                yield index, entry

    def _indexes(self, name: str) -> Iterator[int]:
        entries = self._raw.get(name, [])
        if isinstance(entries, list):
            yield from (index for index, entry in enumerate(entries) if isinstance(entry, dict))

    def _tariff(self) -> TariffOptions | None:
        raw = self._raw.get("tariff")
        kinds = ", ".join(f'"{kind}"' for kind in TARIFFS)
        if raw is None:
            example = '[tariff] kind = "fixed", price_per_kwh = 0.32'
            self._problems.append(Problem(("tariff",), f"missing, and it must be given, as {example}"))
        elif isinstance(raw, dict) and "kind" not in raw:
            self._problems.append(Problem(("tariff", "kind"), f"missing, and it must be given; allowed: {kinds}"))
        elif isinstance(raw, dict) and raw["kind"] not in TARIFFS:
            words = f"got {show(raw['kind'])}, {unknown(str(raw['kind']), TARIFFS)}"
            self._problems.append(Problem(("tariff", "kind"), words))
        elif isinstance(raw, dict):
            return self._validated(TARIFFS[raw["kind"]].options, ("tariff",), self._prepared["tariff"])
        return None

    def _charger_options(self) -> Iterator[tuple[int, Any]]:
        """Yield what each driver knows of its chargers; a driver that does not exist is told here."""
        common = tuple(ChargerSection.model_fields)
        for index in self._indexes("charger"):
            path = ("charger", index)
            table = self._at(self._prepared, path)
            driver = table.get("driver")
            if isinstance(driver, str) and driver not in DRIVERS:
                words = f"got {show(self._at(self._raw, path)['driver'])}, {unknown(driver, DRIVERS)}"
                self._problems.append(Problem((*path, "driver"), words))
            elif isinstance(driver, str):
                rest = {key: value for key, value in table.items() if key not in common}
                yield index, self._driver_owned(load(driver).charger_type, path, rest, common)

    def _driver_sections(self) -> dict[str, Any]:
        used = {self._at(self._prepared, ("charger", index)).get("driver") for index in self._indexes("charger")}
        sections = {}
        for kind in DRIVERS:
            table = self._prepared.get(kind, {})
            if (kind in used or kind in self._raw) and isinstance(table, dict):
                sections[kind] = self._driver_owned(load(kind).section_type, (kind,), table, ())
        return sections

    def _misfits(self, sections: Mapping[str, Any], options: Mapping[int, Any]) -> Iterator[Problem]:
        """Yield what a driver finds wrong in its own section, and in its chargers that does not fit that."""
        for kind, section in sections.items():
            if section is not None:
                yield from (Problem((kind, key), words) for key, words in load(kind).section_faults(section))
        for index, found in options.items():
            kind = self._at(self._prepared, ("charger", index))["driver"]
            section = sections.get(kind)
            if found is not None and section is not None:
                for key, words in load(kind).faults(section, found):
                    yield Problem(("charger", index, key), words)

    def _driver_owned(self, model: type[Any], path: KeyPath, table: Any, more_keys: tuple[str, ...]) -> Any:
        """Validate a table by a driver's model: as JSON, where a path is a text and a text is still no number."""
        try:
            return model.model_validate_json(json.dumps(table, default=str), strict=True)
        except ValidationError as error:
            self._problems += found_by(error, model, path, self._at(self._raw, path), more_keys)
            return None

    def _validated(self, model: type[_M], path: KeyPath, table: Any) -> _M | None:
        try:
            return model.model_validate(table, context={"folder": self._folder})
        except ValidationError as error:
            self._problems += found_by(error, model, path, self._at(self._raw, path))
            return None

    @staticmethod
    def _at(tables: Any, path: KeyPath) -> Any:
        for key in path:
            tables = tables.get(key, {}) if isinstance(tables, dict) else tables[key]
        return tables

    def _store_url(self, store: StoreSection) -> str:
        base = (self._environ.get("STATE_DIRECTORY") or str(self._folder)).split(":")[0]
        return f"{_SCHEME}{Path(base, store.url.removeprefix(_SCHEME))}"


def evse_id(options: BaseModel) -> int:
    """Return the EVSE that a driver's options name as ``connector``; 1 when the driver knows no such thing."""
    return int(options.model_dump().get("connector", 1))
