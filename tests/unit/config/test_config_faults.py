# ruff: noqa: E501 - one case per line reads as a table
"""Every fault of a configuration is told at once, with its line, its key, and what is allowed."""

from pathlib import Path

import pytest

from chargerd.config import load_config
from chargerd.contract import ConfigError

GOOD = """\
[site]
timezone = "Europe/Berlin"
main_fuse_a = 35

[http]
listen = "127.0.0.1:8480"

[tariff]
kind = "fixed"
price_per_kwh = 0.32

[[charger]]
id = "garage"
driver = "ocpp"
identity = "BOX-1"
min_a = 6
max_a = 16
phases = 3
[[vehicle]]
id = "zoe"
battery_kwh = 52
charge_max_kw = 11
level = { source = "manual", max_age_s = 3600 }
id_tokens = ["04A2B3C4", "04a2b3c4"]
[[policy]]
id = "5b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e11"
vehicle = "zoe"
charger = "garage"
battery_reserve = 20
schedule = { default = { ready_by = "07:00", minimum_charge_target = 70 }, sun = false }
"""


def faults(folder: Path, text: str | bytes, **environ: str) -> list[str]:
    """What is said about a file, without its path."""
    file = folder / "chargerd.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config(file, environ)
    assert all(problem.startswith(f"{file}:") for problem in caught.value.problems)
    return [problem.removeprefix(f"{file}:") for problem in caught.value.problems]


OCPP = """
[ocpp]
tls_certificate_file = "gateway.pem"
tls_key_file = "gateway.key"
listen_tls = "0.0.0.0:8888"
"""


@pytest.mark.parametrize(
    ("section", "charger", "expected"),
    [
        ("[ocpp]\nsecurity_profile = 1", "", "19: charger[0].password_file: missing, and security_profile 1 asks for a password"),
        ("[ocpp]\nsecurity_profile = 0", "security_profile = 1", "19: charger[0].password_file: missing, and security_profile 1 asks for a password"),
        ("", 'security_profile = 2\npassword_file = "p"', "17: charger[0].security_profile: 2 is over TLS, expected [ocpp] listen_tls, for example 0.0.0.0:8888"),
        (OCPP, "security_profile = 3", "22: charger[0].security_profile: 3 is with certificates of chargers, expected [ocpp] tls_client_ca_file"),
    ],
)  # fmt: skip
def test_a_security_profile_needs_what_it_asks_for(tmp_path: Path, section: str, charger: str, expected: str) -> None:
    text = GOOD.replace("[[charger]]", f"{section}\n[[charger]]").replace("phases = 3\n", f"phases = 3\n{charger}\n", 1)
    [told] = faults(tmp_path, text)
    assert told.split(": ", 1)[1] == expected.split(": ", 1)[1]


def test_tls_needs_a_certificate(tmp_path: Path) -> None:
    [told] = faults(tmp_path, GOOD + '[ocpp]\nlisten_tls = "0.0.0.0:8888"\n')
    expected = "expected tls_certificate_file and tls_key_file beside it; chargerd ca issue makes both"
    assert f"ocpp.listen_tls: {expected}" in told


def test_the_text_that_the_cases_change_is_good(tmp_path: Path) -> None:
    (tmp_path / "chargerd.toml").write_text(GOOD)
    assert load_config(tmp_path / "chargerd.toml", {}).site.zone == "Europe/Berlin"


ONE_FAULT = [
    pytest.param('"Europe/Berlin"', '"Berlin"', '2: site.timezone: expected an IANA time zone, as Europe/Berlin; got "Berlin"', id="zone"),
    pytest.param('"Europe/Berlin"', '"../etc"', '2: site.timezone: expected an IANA time zone, as Europe/Berlin; got "../etc"', id="zone that is a path"),
    pytest.param("main_fuse_a = 35", 'main_fuse_a = "35"', '3: site.main_fuse_a: expected a number; got "35"', id="number in quotes"),
    pytest.param("main_fuse_a = 35", "main_fuse_a = inf", "3: site.main_fuse_a: expected a finite number; got inf", id="infinite"),
    pytest.param("main_fuse_a = 35", "main_fuse_a = true", "3: site.main_fuse_a: expected a number; got true", id="truth as a number"),
    pytest.param("main_fuse_a = 35", "main_fuse = 35", "3: site.main_fuse: unknown key; did you mean main_fuse_a? allowed: main_fuse_a, name, phases, timezone, voltage_v", id="nearest key"),
    pytest.param("main_fuse_a = 35", "qq = 35", "3: site.qq: unknown key; allowed: main_fuse_a, name, phases, timezone, voltage_v", id="no key is near"),
    pytest.param("main_fuse_a = 35", '"odd key" = 35', '3: site."odd key": unknown key; allowed: main_fuse_a, name, phases, timezone, voltage_v', id="quoted key"),
    pytest.param('timezone = "Europe/Berlin"\n', "", "1: site.timezone: missing, and it must be given; an IANA time zone, as Europe/Berlin", id="missing key"),
    pytest.param("[http]", "[htpp]", "5: htpp: unknown section; did you mean http? allowed: charger, http, ocpp, policy, site, store, tariff, vehicle", id="section"),
    pytest.param("[http]", "[[http]]", "5: http: expected one table [http], with one bracket", id="two brackets too many"),
    pytest.param("[[vehicle]]", "[vehicle]", "19: vehicle: expected one or more tables [[vehicle]], with two brackets", id="brackets missing"),
    pytest.param('"127.0.0.1:8480"', '"8480"', '6: http.listen: expected "host:port" with a port from 0 to 65535, an IPv6 address in brackets; got "8480"', id="listen"),
    pytest.param('"127.0.0.1:8480"', '"0.0.0.0:8480"', '6: http.listen: "0.0.0.0:8480" can be reached from other machines and needs a token_file; allowed without one: 127.0.0.1, [::1] and localhost', id="open without a token"),
    pytest.param('"127.0.0.1:8480"', '"[::]:8480"', '6: http.listen: "[::]:8480" can be reached from other machines and needs a token_file; allowed without one: 127.0.0.1, [::1] and localhost', id="open on IPv6"),
    pytest.param('"127.0.0.1:8480"', '"127.0.0.1:8480"\ntoken = "s3cret"', "7: http.token: unknown key; a secret is never in this file, name the file that holds it: token_file", id="secret in the file"),
    pytest.param('"fixed"', '"fixd"', '9: tariff.kind: got "fixd", did you mean fixed? allowed: awattar, energy-charts, entsoe, file, fixed, http-json, nord-pool, octopus, tibber, time-of-use', id="tariff kind"),
    pytest.param('kind = "fixed"\n', "", '8: tariff.kind: missing, and it must be given; allowed: "fixed", "time-of-use", "file", "energy-charts", "awattar", "entsoe", "nord-pool", "octopus", "tibber", "http-json"', id="no tariff kind"),
    pytest.param("price_per_kwh = 0.32", "price_per_kwh = nan", "10: tariff.price_per_kwh: expected a finite number; got nan", id="price is no number"),
    pytest.param('driver = "ocpp"', 'driver = "ocppp"', '14: charger[0].driver: got "ocppp", did you mean ocpp? allowed: ocpp', id="driver"),
    pytest.param('driver = "ocpp"', 'driver = "ocpp"\npassword = "hunter2"', "15: charger[0].password: unknown key; a secret is never in this file, name the file that holds it: password_file", id="secret of a driver"),
    pytest.param('driver = "ocpp"', 'driver = "ocpp"\nconector = 2', "15: charger[0].conector: unknown key; did you mean connector? allowed: connector, driver, id, id_token, identity, max_a, min_a, password_file, phases, security_profile, start_timeout_s, stop_timeout_s", id="key of a driver"),
    pytest.param('driver = "ocpp"', 'driver = "ocpp"\nconnector = "2"', '15: charger[0].connector: expected a whole number; got "2"', id="type of a driver"),
    pytest.param("min_a = 6", "min_a = 5", "16: charger[0].min_a: got 5, allowed: at least 6", id="below 6 A"),
    pytest.param("min_a = 6", "min_a = 20", "16: charger[0].min_a: min_a 20 is above max_a 16", id="least over most"),
    pytest.param("max_a = 16", "max_a = 63", "17: charger[0].max_a: got 63, allowed: at most the main fuse, site.main_fuse_a = 35", id="over the fuse"),
    pytest.param("phases = 3", "phases = 4", "18: charger[0].phases: got 4, allowed: at most 3", id="four phases"),
    pytest.param('"manual"', '"mqtt"', '23: vehicle[0].level.source: got "mqtt", allowed: charger, manual', id="in an inline table"),
    pytest.param("max_age_s = 3600", "max_age = 3600", "23: vehicle[0].level.max_age: unknown key; did you mean max_age_s? allowed: max_age_s, source", id="unknown in an inline table"),
    pytest.param('["04A2B3C4", "04a2b3c4"]', '"04A2B3C4"', '24: vehicle[0].id_tokens: expected a list; got "04A2B3C4"', id="token that is no list"),
    pytest.param('"04a2b3c4"]', "4]", "24: vehicle[0].id_tokens[1]: expected a text in quotes; got 4", id="token that is a number"),
    pytest.param('"04a2b3c4"]', '""]', '24: vehicle[0].id_tokens[1]: expected 1 to 36 characters, a letter or digit among them; got ""', id="empty token"),
    pytest.param('"04a2b3c4"]', '":-"]', '24: vehicle[0].id_tokens[1]: expected 1 to 36 characters, a letter or digit among them; got ":-"', id="token of separators"),
    pytest.param('"04a2b3c4"]', f'"{37 * "a"}"]', f'24: vehicle[0].id_tokens[1]: expected 1 to 36 characters, a letter or digit among them; got "{37 * "a"}"', id="long token"),
    pytest.param('"04a2b3c4"]', f'{16 * """"x",""" }]', "24: vehicle[0].id_tokens: got a list, allowed: at most 16 of them", id="many tokens"),
    pytest.param('"5b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e11"', '"weekdays"', '26: policy[0].id: expected a UUID, as uuidgen prints it; got "weekdays"', id="uuid"),
    pytest.param('vehicle = "zoe"', 'vehicle = "zo"', '27: policy[0].vehicle: there is no [[vehicle]] with id = "zo"; did you mean zoe? allowed: zoe', id="no such vehicle"),
    pytest.param('charger = "garage"', 'charger = "yard"', '28: policy[0].charger: there is no [[charger]] with id = "yard"; allowed: garage', id="no such charger"),
    pytest.param("battery_reserve = 20", "battery_reserve = 101", "29: policy[0].battery_reserve: got 101, allowed: at most 100", id="level"),
    pytest.param("battery_reserve = 20", "battery_reserve = 80", "30: policy[0].schedule.default.minimum_charge_target: got 70, allowed: at least battery_reserve = 80, which is charged at once anyway; false for no deadline that day", id="reserve over target"),
    pytest.param('"07:00"', '"7:00"', '30: policy[0].schedule.default.ready_by: expected a local time of day as "HH:MM", from "00:00" to "23:59"; got "7:00"', id="time of day"),
    pytest.param("minimum_charge_target = 70", "minimum_charge_target = 70.5", "30: policy[0].schedule.default.minimum_charge_target: expected a whole number; got 70.5", id="half a percent"),
    pytest.param("sun = false", "sunday = false", "30: policy[0].schedule.sunday: unknown key; did you mean sun? allowed: default, fri, mon, sat, sun, thu, tue, wed", id="day"),
    pytest.param("sun = false", "sun = true", '30: policy[0].schedule.sun: expected { ready_by = "07:00", minimum_charge_target = 50 }, or false for no deadline; got true', id="true as a day"),
    pytest.param("sun = false", 'sun = { ready_by = "09:00" }', "30: policy[0].schedule.sun.minimum_charge_target: missing, and it must be given; battery level in percent that must be reached by then", id="half a day"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "expected"), ONE_FAULT)
def test_one_fault_is_told_once_with_its_line_and_what_is_allowed(
    tmp_path: Path, good: str, bad: str, expected: str
) -> None:
    assert GOOD.count(good) >= 1
    assert faults(tmp_path, GOOD.replace(good, bad, 1)) == [expected]


def test_all_faults_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("Europe/Berlin", "Mars/Base").replace("min_a = 6", "min_a = 1").replace('"zoe"\nch', '"z"\nch')
    assert [fault.split(": ")[:2] for fault in faults(tmp_path, text)] == [
        ["2", "site.timezone"],
        ["16", "charger[0].min_a"],
        ["27", "policy[0].vehicle"],
    ]


def test_a_fault_in_the_second_table_of_an_array_has_the_line_of_the_second(tmp_path: Path) -> None:
    second = '\n[[charger]] # [[charger]]\nid = "yard"\ndriver = "ocpp"\nidentity = "BOX-2"\nmax_a = 5\n'
    assert faults(tmp_path, GOOD + second) == ["36: charger[1].max_a: got 5, allowed: at least 6"]


def test_a_faulty_table_is_still_there_for_those_that_refer_to_it(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD.replace("battery_kwh = 52", "battery_kwh = -1")) == [
        "21: vehicle[0].battery_kwh: got -1, allowed: more than 0"
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            '[[vehicle]]\nid = "zoe"\nbattery_kwh = 40\ncharge_max_kw = 7',
            '33: vehicle[1].id: "zoe" is the id of vehicle[0] already',
            id="vehicle",
        ),
        pytest.param(
            '[[charger]]\nid = "garage"\ndriver = "ocpp"\nidentity = "BOX-2"',
            '33: charger[1].id: "garage" is the id of charger[0] already',
            id="charger",
        ),
        pytest.param(
            '[[charger]]\nid = "yard"\ndriver = "ocpp"\nidentity = "BOX-1"',
            '35: charger[1].identity: "BOX-1" is charger[0] already; one connector of each is served',
            id="station",
        ),
        pytest.param(
            '[[policy]]\nid = "5B6F0F0E-3c1d-4f0a-9a55-8d2f6a0c7e11"\nvehicle = "zoe"\ncharger = "yard"\n'
            '[[charger]]\nid = "yard"\ndriver = "ocpp"\nidentity = "BOX-2"',
            '33: policy[1].id: "5B6F0F0E-3c1d-4f0a-9a55-8d2f6a0c7e11" is the id of policy[0] already',
            id="policy in capitals",
        ),
        pytest.param(
            '[[policy]]\nid = "6b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e11"\nvehicle = "zoe"\ncharger = "garage"',
            '34: policy[1].vehicle: vehicle "zoe" at charger "garage" has policy[0] already',
            id="one car at one charger",
        ),
        pytest.param(
            '[[vehicle]]\nid = "van"\nbattery_kwh = 40\ncharge_max_kw = 7\nid_tokens = ["a:1", "04a2-B3c4"]',
            '36: vehicle[1].id_tokens[1]: "04a2-B3c4" of "van" is a token of "zoe" already',
            id="token, however it is spelled",
        ),
    ],
)
def test_what_must_be_unique_is_told_at_the_second(tmp_path: Path, more: str, expected: str) -> None:
    assert faults(tmp_path, f"{GOOD}\n{more}\n") == [expected]


def test_a_single_phase_home_cannot_have_a_three_phase_charger(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD.replace("main_fuse_a = 35", "phases = 1")) == [
        "18: charger[0].phases: got 3, allowed: at most site.phases = 1"
    ]


def test_a_name_must_fit_into_a_url_and_a_topic(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD.replace('"zoe"', '"my zoe"')) == [
        '20: vehicle[0].id: expected 1 to 64 letters, digits, hyphens and underscores; got "my zoe"'
    ]


def test_an_empty_file_says_what_is_needed(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == [
        '1: site: missing, and it must be given, as [site] timezone = "Europe/Berlin"',
        '1: tariff: missing, and it must be given, as [tariff] kind = "fixed", price_per_kwh = 0.32',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[site]\nname = home\n", "2: not TOML: invalid value (column 8)", id="no quotes"),
        pytest.param("[site]\nname = 1\nname = 2\n", "3: not TOML: cannot overwrite a value (column 9)", id="twice"),
        pytest.param('[site]\nname = """a\n', "2: not TOML: unterminated string (at the end of the file)", id="end"),
        pytest.param(b"[site]\nname = '\xe4'\n", "2: expected text in UTF-8, got byte 0xe4", id="latin-1"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path, text: str | bytes, expected: str) -> None:
    (found,) = faults(tmp_path, text)
    assert found.lower() == expected.lower()


def test_a_variable_that_is_not_set_is_told_and_what_is_set_is_never_shown(tmp_path: Path) -> None:
    text = GOOD.replace('"manual"', '"${SOURCE}"').replace('"Europe/Berlin"', '"${ZONE}"')
    found = faults(tmp_path, text, SOURCE="hunter2")
    assert found[0] == "2: site.timezone: environment variable ZONE is not set"
    assert found[-1].startswith('23: vehicle[0].level.source: got "${SOURCE}", ')
    assert "hunter2" not in "".join(found)


def test_an_unfinished_variable_is_told(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, GOOD.replace("[site]", '[site]\nname = "${"'))
    assert found == "2: site.name: ${ without a name, expected ${NAME}, or $${ for ${ itself"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: expected a configuration file, got: No such file"):
        load_config(tmp_path / "nowhere.toml", {})
