"""The guided upgrade of a charger's security over real sockets: it ends with the new, or with what was before."""

import stat
from pathlib import Path

import pytest
from ocpp_rig import GARAGE, KeptMemory
from secure_rig import Box, home, secured, security, until, wish, words
from structlog.testing import capture_logs
from tls_rig import folder, made

from chargerd_drivers.ocpp.wire import Version

__all__ = ["folder", "made"]

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1")
OLD = b"0123456789abcdef"


@pytest.fixture
def old_file(folder) -> Path:
    path = folder / "old"
    path.write_bytes(OLD + b"\n")
    return path


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charger_without_a_password_is_given_one_and_comes_in_with_it(folder, version) -> None:
    box = Box(version, folder)
    with capture_logs() as logs:
        async with home(box) as rig:
            upgrade = await secured(rig, new_password=True)
            shown = security(rig)
    assert (upgrade["state"], upgrade["profile"], shown["profile"]) == ("DONE", 1, 1)
    kept = folder / "passwords" / "garage.password"
    assert kept.read_bytes().strip() == box.password
    assert box.password is not None
    assert len(box.password) == 40
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]
    assert f"Its password is in {kept}" in upgrade["advice"]
    assert "security_profile = 1" in upgrade["advice"]
    assert box.password.decode() not in str([log for log in logs if log["event"]])
    assert [log["log_level"] for log in logs if log["event"] == "ocpp.secured"] == ["info"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_password_is_changed_for_another(folder, old_file, version) -> None:
    box = Box(version, folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_password=True)
    assert upgrade["state"] == "DONE", words(upgrade)
    assert old_file.read_bytes().strip() == box.password != OLD
    assert not set(box.statuses) - {101}


@pytest.mark.parametrize("version", VERSIONS)
async def test_tls_comes_with_the_root_and_a_password(folder, version) -> None:
    box = Box(version, folder)
    async with home(box) as rig:
        upgrade = await secured(rig, profile=2)
        assert security(rig) == {"profile": 2, "isOverTls": True, "hasPassword": True, "upgrade": upgrade}
    assert upgrade["state"] == "DONE", words(upgrade)
    assert box.root == (folder / "ca.pem").read_text()
    assert set(box.statuses) == {101}
    if version == "2.0.1":
        assert box.priority == "2,1"
        assert box.networks[2]["ocppCsmsUrl"].startswith("wss://127.0.0.1:")
        assert box.networks[2]["ocppCsmsUrl"].endswith("/ocpp")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_certificate_of_its_own_takes_the_place_of_the_password(folder, old_file, version) -> None:
    box = Box(version, folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, profile=3)
        assert security(rig)["profile"] == 3
    assert upgrade["state"] == "DONE", words(upgrade)
    assert old_file.read_bytes().strip() == OLD


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_password_that_is_refused_leaves_the_old_one_alone(folder, old_file, version) -> None:
    refused = frozenset({"AuthorizationKey", "BasicAuthPassword"})
    box = Box(version, folder, password=OLD, profile=1, refuses=refused)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_password=True)
    assert upgrade["state"] == "FAILED"
    assert "it refused the new password: rejected" in words(upgrade)
    assert "What opened before opens still" in upgrade["advice"]
    assert old_file.read_bytes().strip() == OLD
    assert not old_file.with_name("old.new").exists()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charger_that_forgets_its_new_password_comes_in_with_the_old_one(folder, old_file, version) -> None:
    """And when it comes with the new one later, that is good as well, and from then on alone."""
    forgotten = frozenset({"AuthorizationKey", "BasicAuthPassword"})
    box = Box(version, folder, password=OLD, profile=1, ignores=forgotten)
    with capture_logs() as logs:
        async with home(box, password_file=old_file) as rig:
            upgrade = await secured(rig, new_password=True)
            fresh = old_file.with_name("old.new").read_bytes().strip()
            assert old_file.read_bytes().strip() == OLD
            async with rig.charger(version, password=fresh):
                await until(lambda: old_file.read_bytes().strip() == fresh)
            await until(lambda: box.statuses[-1] == 401)
    assert upgrade["state"] == "FAILED", words(upgrade)
    assert "it came in as before" in words(upgrade)
    assert "The new password opens as well" in upgrade["advice"]
    assert fresh.decode() not in str(logs)
    assert [log["log_level"] for log in logs if log["event"] == "ocpp.secure_failed"] == ["error"]


async def test_asking_again_tells_the_same_password_for_the_charger_may_have_it_after_all(folder, old_file) -> None:
    """Else the one that it took the first time would open no more."""
    box = Box("1.6", folder, password=OLD, profile=1, ignores=frozenset({"AuthorizationKey"}))
    async with home(box, password_file=old_file) as rig:
        first = await secured(rig, new_password=True)
        box.ignores, box.refuses = frozenset(), frozenset({"AuthorizationKey"})
        second = await secured(rig, new_password=True)
        told = {str(payload["value"]) for _, payload in box.asked if payload.get("key") == "AuthorizationKey"}
        [fresh] = told
        box.password = fresh.encode()
        await rig.driver._links[GARAGE].close("again")
        await until(lambda: old_file.read_bytes().strip() == fresh.encode())
    assert (first["state"], second["state"]) == ("FAILED", "FAILED")


async def test_a_charger_that_has_the_root_is_not_given_it_again(folder, old_file) -> None:
    box = Box("2.0.1", folder, password=OLD, profile=1, root=(folder / "ca.pem").read_text(), lists_root=True)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, profile=2)
    assert upgrade["state"] == "DONE", words(upgrade)
    assert "it has the root of this gateway's certificate" in words(upgrade)
    assert not box.actions("InstallCertificate")


async def test_a_root_that_is_refused_ends_it_before_anything_else_is_changed(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=1, refuses=frozenset({"InstallCertificate"}))
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, profile=2, new_password=True)
        assert security(rig)["profile"] == 1
    assert "ask with --certificates-installed" in words(upgrade)
    assert not box.actions("ChangeConfiguration") or box.password == OLD


async def test_a_charger_that_has_to_start_anew_for_it_is_started_anew(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=1, reboot_required=frozenset({"AuthorizationKey"}))
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_password=True)
    assert upgrade["state"] == "DONE", words(upgrade)
    assert box.actions("Reset") == ["Reset"]


async def test_a_profile_that_takes_a_restart_is_come_to_by_one(folder, old_file) -> None:
    """Once set it may not be lowered again: the same charger is let in over TLS, on the port that it knows."""
    box = Box("1.6", folder, password=OLD, profile=1, reboot_required=frozenset({"SecurityProfile"}))
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, profile=2)
        assert security(rig)["profile"] == 2
    assert upgrade["state"] == "DONE", words(upgrade)
    assert (box.actions("Reset"), set(box.statuses)) == (["Reset"], {101})


async def test_a_charger_that_stays_has_its_connection_closed(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=1, stays=True)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_password=True)
    assert upgrade["state"] == "DONE", words(upgrade)
    assert "its connection is closed" in words(upgrade)
    assert not box.actions("Reset")


async def test_network_profiles_are_put_back_when_the_new_one_leads_nowhere(folder, old_file) -> None:
    box = Box("2.0.1", folder, password=OLD, profile=1, ignores=frozenset({"Reset"}), root="")
    async with home(box, password_file=old_file) as rig:
        box.ignores = frozenset({"Reset"})
        upgrade = await secured(rig, profile=2, is_trusting=True)
    assert upgrade["state"] == "FAILED", words(upgrade)
    assert "are the first again" in words(upgrade)
    assert box.priority == "1"


async def test_a_charger_that_never_comes_back_is_told_of_with_what_to_do(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        assert await rig.driver.secure(wish(new_password=True)) is None
        box.is_gone = True
        await until(lambda: security(rig)["upgrade"]["endedAt"] is not None)
        upgrade = security(rig)["upgrade"]
        assert security(rig)["profile"] is None
    assert upgrade["state"] == "FAILED"
    assert "It has not come back: start it anew" in upgrade["advice"]


async def test_a_charger_without_security_profiles_may_go_by_its_password_alone(folder) -> None:
    box = Box("1.6", folder, refuses=frozenset({"SecurityProfile"}))
    async with home(box) as rig:
        box.profile = 0
        assert await rig.driver.secure(wish(new_password=True)) is None
        await until(lambda: "by the password alone" in words(security(rig)["upgrade"]))
        box.profile = 1
        await until(lambda: security(rig)["upgrade"]["endedAt"] is not None)
        assert security(rig)["upgrade"]["state"] == "DONE"


@pytest.mark.parametrize(
    ("had", "asked", "own", "why"),
    [
        pytest.param(0, {}, {}, "nothing was asked for", id="nothing"),
        pytest.param(1, {"profile": 1}, {}, "it comes in with security profile 1 already", id="has it"),
        pytest.param(0, {"new_password": True}, {"password_folder": None}, "set password_folder", id="no folder"),
        pytest.param(1, {"profile": 2}, {"listen_tls": None}, "this gateway has no TLS", id="no TLS"),
        pytest.param(1, {"profile": 3}, {"tls_ca_key_file": None}, "has no tls_ca_key_file to sign", id="no key"),
        pytest.param(
            1, {"profile": 3, "is_trusting": True}, {"tls_ca_key_file": None, "tls_client_ca_file": None},
            "has no tls_client_ca_file", id="no root of chargers",
        ),
        pytest.param(0, {"profile": 3}, {}, "give it a password first", id="anybody may ask"),
        pytest.param(1, {"profile": 3, "new_password": True}, {}, "in place of a password", id="both"),
        pytest.param(1, {"profile": 2, "interface": "eth0"}, {}, "expected an interface", id="interface"),
        pytest.param(1, {"profile": 2, "has_visit": True}, {}, "a car is plugged in", id="a car"),
    ],
)  # fmt: skip
async def test_nothing_is_begun_that_could_lock_the_charger_out(folder, old_file, had, asked, own, why) -> None:
    box = Box("1.6", folder, password=OLD if had else None, profile=had)
    async with home(box, password_file=old_file if had else None, own=own) as rig:
        withheld = await rig.driver.secure(wish(**asked))
        assert withheld is not None
        assert why in withheld.detail
        assert withheld.is_forcible == ("has_visit" in asked)
        assert security(rig)["upgrade"] is None
    assert not {"SecurityProfile", "AuthorizationKey"} & {str(payload.get("key")) for _, payload in box.asked}


async def test_a_name_that_is_not_in_the_certificate_is_found_out_beforehand(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        station = rig.driver._station(GARAGE)
        assert station.entry is not None
        for host, why in (("192.168.1.10", "chargerd ca issue 192.168.1.10"), ("", "by which name")):
            object.__setattr__(station.entry, "host", host)
            withheld = await rig.driver.secure(wish(profile=2))
            assert withheld is not None
            assert why in withheld.detail


async def test_a_password_that_is_too_short_for_ocpp_is_to_be_renewed(folder) -> None:
    box = Box("1.6", folder, password=b"secret", profile=1)
    async with home(box, password_file=folder / "password") as rig:
        withheld = await rig.driver.secure(wish(profile=2))
        assert withheld is not None
        assert "6 characters, and OCPP allows 16 to 40" in withheld.detail


async def test_a_profile_is_never_lowered_and_one_upgrade_goes_on_at_a_time(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=2, root=(folder / "ca.pem").read_text())
    async with home(box, password_file=old_file) as rig:
        lower = await rig.driver.secure(wish(profile=1))
        assert lower is not None
        assert "chargers refuse to go lower" in lower.detail
        box.stays = True
        assert await rig.driver.secure(wish(new_password=True)) is None
        second = await rig.driver.secure(wish(new_password=True))
        assert second is not None
        assert "already" in second.detail


@pytest.mark.parametrize("is_told", [True, False], ids=["the charger was told", "it was not told yet"])
async def test_a_restart_in_the_middle_goes_on_waiting_and_both_passwords_open(folder, old_file, is_told) -> None:
    memory, box = KeptMemory(), Box("1.6", folder, password=OLD, profile=1, ignores=frozenset({"AuthorizationKey"}))
    async with home(box, password_file=old_file, memory=memory) as rig:
        assert await rig.driver.secure(wish(new_password=True)) is None
        await until(
            lambda: old_file.with_name("old.new").exists() and memory.documents["ocpp/security/garage"]["passwordGiven"]
        )
    fresh = old_file.with_name("old.new").read_bytes().strip()
    if is_told:
        box.password = fresh
    async with home(box, password_file=old_file, memory=memory) as rig:
        await until(lambda: security(rig)["upgrade"]["endedAt"] is not None)
        upgrade = security(rig)["upgrade"]
    assert upgrade["state"] == ("DONE" if is_told else "FAILED")
    assert "was started anew in the middle" in words(upgrade)
    assert old_file.read_bytes().strip() == (fresh if is_told else OLD)


async def test_a_restart_before_anything_was_changed_is_told_so(folder, old_file) -> None:
    memory, box = KeptMemory(), Box("1.6", folder, password=OLD, profile=1)
    async with home(box, password_file=old_file, memory=memory) as rig:
        await secured(rig, new_password=True)
    kept = memory.documents["ocpp/security/garage"]
    kept.update({"state": "CHANGING", "endedAt": None, "passwordGiven": False})
    async with home(box, password_file=old_file, memory=memory) as rig:
        await until(lambda: security(rig)["upgrade"]["endedAt"] is not None)
        assert security(rig)["upgrade"]["state"] == "FAILED"
        assert "before that was changed; ask again" in words(security(rig)["upgrade"])


async def test_a_password_that_cannot_be_written_changes_nothing(folder, old_file) -> None:
    box = Box("1.6", folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        old_file.with_name("old.new").mkdir()
        upgrade = await secured(rig, new_password=True)
    assert upgrade["state"] == "FAILED"
    assert "cannot be written to" in words(upgrade)
    assert not box.actions("ChangeConfiguration") or all(p.get("key") != "AuthorizationKey" for _, p in box.asked)
