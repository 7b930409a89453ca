"""What ``chargerd adopt`` makes of an identity."""

import tomllib

import pytest

from chargerd.cli.adopt import block, name_of


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("WALLBOX-1", "wallbox-1"),
        ("DE*BMW*E1/Ä 2", "de-bmw-e1-a-2"),
        ("__", "charger"),
        ("充电", "charger"),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_name_is_made_of_the_identity(identity: str, name: str) -> None:
    assert name_of(identity) == name


@pytest.mark.parametrize("identity", ["WALLBOX-1", 'a"b\\c', "Bö x\u2028", "${HOME}"])
def test_the_block_is_toml_that_holds_the_identity(identity: str) -> None:
    found = tomllib.loads(block({"identity": identity, "driver": "ocpp"}, "yard"))
    [charger] = found["charger"]
    assert charger == {"id": "yard", "driver": "ocpp", "identity": identity.replace("${", "$${")}
