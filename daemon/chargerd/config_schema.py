"""The JSON Schema of the configuration file, for editors; ``python -m chargerd.config_schema FILE`` writes it."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from chargerd.config_sections import (
    ChargerSection,
    HttpSection,
    PolicySection,
    ScheduleSection,
    SiteSection,
    StoreSection,
    VehicleSection,
)
from chargerd.tariff import TARIFFS
from chargerd_drivers import DRIVERS, load


class _Toml(GenerateJsonSchema):
    """TOML has no null: what may be None may be left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        return {key: value for key, value in found.items() if key != "default" or value is not None}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the whole file, the sections of all drivers and tariffs included."""
    specs = {kind: load(kind) for kind in DRIVERS}
    tariffs: list[type[BaseModel]] = [kind.options for kind in TARIFFS.values()]
    own: list[type[BaseModel]] = [SiteSection, HttpSection, StoreSection, VehicleSection, PolicySection, ChargerSection]
    theirs: list[type[BaseModel]] = [
        model for spec in specs.values() for model in (spec.section_type, spec.charger_type)
    ]
    where, shared = models_json_schema(
        [(model, "validation") for model in (*own, *tariffs, *theirs)], schema_generator=_Toml
    )
    definitions = shared["$defs"]
    refs: dict[Any, JsonSchemaValue] = {model: found for (model, _), found in where.items()}

    def table(model: type[BaseModel]) -> dict[str, Any]:
        found: dict[str, Any] = definitions[refs[model]["$ref"].rpartition("/")[2]]
        return found

    days = definitions[ScheduleSection.__name__]
    for day, deadline in days["properties"].items():
        days["properties"][day] = {"anyOf": [deadline, {"const": False}]}
    chargers = []
    for kind, spec in specs.items():
        name = f"{kind}-charger"
        definitions[name] = _merged(table(ChargerSection), table(spec.charger_type), kind)
        chargers.append({"$ref": f"#/$defs/{name}"})
    for model in (ChargerSection, *(spec.charger_type for spec in specs.values())):
        del definitions[refs[model]["$ref"].rpartition("/")[2]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of chargerd",
        "type": "object",
        "properties": {
            "site": refs[SiteSection],
            "http": refs[HttpSection],
            "store": refs[StoreSection],
            "tariff": {"oneOf": [refs[model] for model in tariffs]},
            **{kind: refs[spec.section_type] for kind, spec in specs.items()},
            "charger": {"type": "array", "items": {"oneOf": chargers}},
            "vehicle": {"type": "array", "items": refs[VehicleSection]},
            "policy": {"type": "array", "items": refs[PolicySection]},
        },
        "required": ["site", "tariff"],
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _merged(common: dict[str, Any], own: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the table of a charger: the daemon's keys and those of one driver."""
    properties = {**common["properties"], **own["properties"]}
    properties["driver"] = {**properties["driver"], "const": kind}
    return {
        **common,
        "title": f"{kind} charger",
        "description": own.get("description", ""),
        "properties": properties,
        "required": [*common["required"], *own.get("required", [])],
    }


def spelled() -> str:
    """Return the text of the schema file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(spelled(), encoding="utf-8")
