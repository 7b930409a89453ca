"""The options of the driver, and the table that names it."""

import pytest
from pydantic import ValidationError

from chargerd.contract import ConfigError
from chargerd_drivers import DRIVERS, load
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("0.0.0.0:8887", "0.0.0.0", 8887),
        ("[::1]:0", "::1", 0),
        ("[::]:9000", "::", 9000),
        (":8887", None, 8887),
        ("home.lan:1", "home.lan", 1),
    ],
)
def test_a_listen_address_is_host_and_port(listen, host, port) -> None:
    section = OcppSection(listen=listen)
    assert section.address == (host, port)


@pytest.mark.parametrize("listen", ["8887", "host:", "host:x", "::1:80", "host:70000", "[::1]", ""])
def test_a_listen_address_without_a_port_is_refused_with_an_example(listen) -> None:
    with pytest.raises(ValidationError, match=r"\[::\]:8887"):
        OcppSection(listen=listen)


@pytest.mark.parametrize(("path", "expected"), [("/ocpp/", "/ocpp"), ("/", "/"), ("/a/b", "/a/b")])
def test_a_path_is_kept_without_its_last_slash(path, expected) -> None:
    assert OcppSection(path=path).path == expected


@pytest.mark.parametrize(
    "options", [{"path": "ocpp"}, {"acept_unknown": "pending"}, {"accept_unknown": "yes"}, {"heartbeat_interval_s": 0}]
)
def test_an_unknown_or_wrong_option_is_refused(options) -> None:
    with pytest.raises(ValidationError):
        OcppSection(**options)


@pytest.mark.parametrize(
    "options", [{}, {"identity": ""}, {"identity": "x", "connector": 0}, {"identity": "x", "pw": "y"}]
)
def test_a_charger_needs_an_identity_and_a_connector_over_zero(options) -> None:
    with pytest.raises(ValidationError):
        OcppCharger(**options)


@pytest.mark.parametrize("kind", ["ocpp"])
def test_the_table_of_drivers_loads_what_it_names(kind) -> None:
    assert kind in DRIVERS
    assert load(kind).kind == kind


def test_an_unknown_driver_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match="allowed are ocpp"):
        load("occp")
