"""The client commands against the real server: what they print, ask for, and exit with."""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from api_harness import Daemon, daemon
from fake_desk import NOW, POLICY, SETTLED, UNMANAGED, FakeDesk, example, explanation, policy

from chargerd.cli.main import main
from chargerd.contract import ImmediateStartRequested, OverrideCancelled, ScheduleOverrideRequested

SECOND = "aaaaaaaa-0000-4000-8000-000000000002"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ran]]


@pytest.fixture(autouse=True)
def _terminal_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("CHARGERD_URL", raising=False)
    monkeypatch.delenv("CHARGERD_TOKEN_FILE", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    async def run(running: Daemon | None, *argv: str) -> Ran:
        url = () if running is None else ("--url", running.url)
        status = await asyncio.to_thread(main, [*argv, *url])
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run


def two_policies() -> FakeDesk:
    return FakeDesk(configured=(policy(), policy(SECOND, charger="drive", vehicle="leaf")))


async def test_session_shows_battery_target_outcome_and_a_line_per_block(run: Run) -> None:
    desk = FakeDesk(sessions={POLICY: example(2)}, time=datetime(2025, 6, 11, 2, 0, tzinfo=UTC))
    async with daemon(desk) as running:
        ran = await run(running, "session")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "zoe at garage  ACTIVE:REGULAR, plugged in Tue 22:15",
        "  battery  35 % -> 52 %, 12.4 kWh delivered",
        "  target   50 % by Wed 07:00 (policy)",
        "  outcome  on target",
        "  blocks",
        "    Wed 00:00 - 00:30  reserve  3.2 kWh  done     █████▋",
        "    Wed 01:00 - 02:30  regular  9.2 kWh  now      ████████████████",
        "    Wed 03:30 - 04:30  regular  7.4 kWh  planned  ████████████▉",
    ]


async def test_session_says_what_is_wrong_and_what_becomes_of_the_target(run: Run) -> None:
    async with daemon(FakeDesk(sessions={POLICY: example(6)})) as running:
        ran = await run(running, "session")
    assert "  outcome  OFF TARGET: 35 % at the deadline, target expected Wed 09:30\n" in ran.out
    assert "  error    START_FAIL: charging is due and does not start\n" in ran.out


async def test_explain_says_why_and_shows_what_that_rests_on(run: Run) -> None:
    async with daemon(FakeDesk(time=datetime(2025, 6, 11, 1, 1, tzinfo=UTC))) as running:
        ran = await run(running, "explain")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "zoe at garage  START_FAILED, not charging",
        "  zoe should have been charging since 01:00, and nothing flows: garage refuses to start. It is tried",
        "  again at 01:06. Look at garage: see what it shows, or switch it off and on.",
        "",
        "  target      50 % by Wed 07:00 (policy)",
        "  next        Wed 01:00 - 02:00, REGULAR",
        "  plan        10.0 kWh missing, at 10.4 kW (configured)",
        "  prices      partly known; those of an earlier day, newer ones owed since Tue 11:00",
        "  charger     online since Tue 20:00; says SUSPENDED_EVSE since Tue 22:16; FAULT GroundFailure",
        "  plug        plugged in since Tue 22:15; transaction 77; a card or an id of the car was shown",
        "  meter       0 W, register 100000 Wh, read Wed 01:00; stopped Tue 22:16",
        "  battery     35 %, told by the vehicle Tue 22:00",
        "  command     SET_LIMIT 16 A, sent Wed 01:00: REFUSED (garage: SetChargingProfile expected Accepted, got "
        "'Rejected')",
        "  attempts    2 made, the next one Wed 01:06",
        "  refused by  CHARGER",
        "  error       START_FAIL: charging is due and does not start",
    ]


async def test_explain_shows_a_dash_for_what_is_not_known(run: Run) -> None:
    known = explanation()
    unknown = known | dict.fromkeys(("isCharging", "target", "next", "lastCommand", "attempts", "refusedBy", "error"))
    unknown["plan"] = known["plan"] | {"missingKwh": None}
    unknown["evidence"] = dict.fromkeys(known["evidence"]) | {"isOnline": False, "isTokenShown": False}
    async with daemon(FakeDesk(explanations={POLICY: unknown})) as running:
        ran = await run(running, "explain", "zoe")
    assert ran.out.splitlines()[0] == "zoe at garage  START_FAILED, not known whether it is charging"
    assert ran.out.splitlines()[4:] == [
        "  target   -",
        "  next     -",
        "  plan     not known how much is missing, at 10.4 kW (configured)",
        "  prices   partly known; those of an earlier day, newer ones owed since Tue 11:00",
        "  charger  OFFLINE",
        "  plug     -",
        "  meter    -",
        "  battery  -",
        "  command  -",
    ]


async def test_explain_of_a_car_that_charges_tells_since_when(run: Run) -> None:
    told = explanation() | {"isCharging": True}
    told["evidence"] |= {"chargingSince": "2025-06-10T19:00:00Z", "batteryLevelSource": "ASSUMED"}
    told["evidence"] |= {"batteryLevelToldAt": None, "isPluggedIn": False, "powerW": None, "registerWh": None}
    async with daemon(FakeDesk(explanations={POLICY: told})) as running:
        ran = await run(running, "explain")
    assert "  meter       -, read Wed 01:00; charging since Tue 19:00\n" in ran.out
    assert "  battery     35 %, assumed\n" in ran.out
    assert "  plug        not plugged in since Tue 22:15;" in ran.out


async def test_explain_for_a_program_is_the_apis_answer(run: Run) -> None:
    async with daemon() as running:
        ran = await run(running, "explain", "--json")
    assert json.loads(ran.out) == explanation()


async def test_json_is_the_document_and_nothing_else(run: Run) -> None:
    async with daemon() as running:
        ran = await run(running, "session", "--json")
    assert json.loads(ran.out) == example(1)


@pytest.mark.parametrize("name", [SECOND, "aaaa", "AAAA", "leaf", "drive"])
async def test_a_policy_is_named_by_id_prefix_vehicle_or_charger(run: Run, name: str) -> None:
    async with daemon(two_policies()) as running:
        ran = await run(running, "session", name, "--json")
    assert json.loads(ran.out)["policyId"] == SECOND


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ((), "there are several policies, name one"),
        (("tesla",), "no policy is called tesla"),
        (("",), " fits several policies"),
    ],
    ids=["none named", "unknown", "ambiguous prefix"],
)
async def test_a_policy_that_is_not_clear_is_wrong_usage_and_the_choice_is_shown(
    run: Run, argv: tuple[str, ...], complaint: str
) -> None:
    async with daemon(two_policies()) as running:
        ran = await run(running, "session", *argv)
    choice = f"{POLICY} (zoe at garage); {SECOND} (leaf at drive)"
    assert (ran.status, ran.out, ran.err) == (2, "", f"chargerd: {complaint}: {choice}\n")


async def test_status_shows_the_daemon_and_each_policy_on_a_line(run: Run) -> None:
    desk = two_policies()
    desk.problems = ("prices are a day old",)
    desk.sessions[POLICY] = example(2)
    async with daemon(desk) as running:
        ran = await run(running, "status")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "chargerd 0.1.0 ready since Tue 20:00, 1 of 1 chargers online",
        "! prices are a day old",
        "EUR per kWh: as the source told them, told until Tue 23:00, fetched Tue 20:00",
        "",
        "POLICY         STATE           BATTERY       TARGET                      OUTCOME    ERROR",
        "zoe at garage  ACTIVE:REGULAR  35 % -> 52 %  50 % by Wed 07:00 (policy)  on target  -",
        "leaf at drive  UPCOMING        -             50 % by Wed 07:00 (policy)  -          -",
    ]


async def test_status_of_a_daemon_that_is_not_ready_fails_and_says_why(run: Run) -> None:
    async with daemon(FakeDesk(is_ready=False, problems=("the database is being opened",))) as running:
        ran = await run(running, "status")
    assert ran.status == 1
    assert "NOT READY" in ran.out
    assert "! the database is being opened\n" in ran.out


async def test_status_for_a_program_holds_daemon_policies_and_sessions(run: Run) -> None:
    async with daemon() as running:
        ran = await run(running, "status", "--json")
    told = json.loads(ran.out)
    assert (told["daemon"]["ready"], told["policies"][0]["id"], told["sessions"]) == (True, POLICY, [example(1)])


async def test_sessions_lists_what_has_settled_newest_first(run: Run) -> None:
    async with daemon() as running:
        ran = await run(running, "sessions")
    assert ran.out.splitlines() == [
        "PLUGGED IN  OUT          ENERGY  BATTERY       OUTCOME            POLICY         ID",
        f"Tue 14:30   Tue 15:45  18.5 kWh  30 % -> 62 %  -                  -              {UNMANAGED}",
        f"Mon 21:45   Tue 07:20  33.2 kWh  22 % -> 85 %  reached Tue 06:10  zoe at garage  {SETTLED}",
    ]


async def test_sessions_are_asked_for_page_by_page_until_the_limit(run: Run) -> None:
    desk = FakeDesk()
    desk.archive.texts = {str(number): json.dumps(example(3)) for number in range(450)}
    async with daemon(desk) as running:
        ran = await run(running, "sessions", "--limit", "410", "--json")
    assert len(json.loads(ran.out)["data"]) == 410
    assert [query.page_size for query in desk.archive.asked] == [200, 200, 10]


async def test_sessions_says_so_when_there_is_none(run: Run) -> None:
    desk = FakeDesk()
    desk.archive.texts = {}
    async with daemon(desk) as running:
        ran = await run(running, "sessions", "zoe")
    assert ran.out == "no session has settled yet\n"
    assert desk.archive.asked[0].policy_id == POLICY


async def test_target_takes_a_time_of_day_as_the_next_one_by_the_daemons_clock(run: Run) -> None:
    async with daemon() as running:
        ran = await run(running, "target", "zoe", "--level", "90", "--ready-by", "08:00")
        (event,) = running.desk.requests
    assert isinstance(event, ScheduleOverrideRequested)
    assert (event.minimum_charge_target, event.ready_by) == (90, datetime(2025, 6, 11, 8, tzinfo=UTC))
    assert "  target   90 % by Wed 08:00 (override)\n" in ran.out


async def test_target_keeps_what_it_is_not_told_to_change(run: Run) -> None:
    async with daemon() as running:
        await run(running, "target", "--level", "80")
        await run(running, "target", "--ready-by", "2025-06-12T06:00:00+02:00")
        first, second = running.desk.requests
    assert isinstance(first, ScheduleOverrideRequested)
    assert isinstance(second, ScheduleOverrideRequested)
    assert (first.minimum_charge_target, first.ready_by) == (80, datetime(2025, 6, 11, 7, tzinfo=UTC))
    assert (second.minimum_charge_target, second.ready_by) == (80, datetime(2025, 6, 12, 4, tzinfo=UTC))


async def test_target_needs_both_parts_while_no_schedule_is_in_force(run: Run) -> None:
    async with daemon(FakeDesk(sessions={POLICY: example(4)})) as running:
        ran = await run(running, "target", "--level", "80")
        assert running.desk.requests == []
    assert ran.status == 2
    assert ran.err == "chargerd: target: no schedule is in force now, so give both --level and --ready-by\n"


async def test_target_policy_goes_back_to_the_policy(run: Run) -> None:
    async with daemon(FakeDesk(sessions={POLICY: example(5)})) as running:
        ran = await run(running, "target", "zoe", "--policy")
        (event,) = running.desk.requests
    assert isinstance(event, OverrideCancelled)
    assert "  target   50 % by Wed 07:00 (policy)\n" in ran.out


@pytest.mark.parametrize("argv", [(), ("--policy", "--level", "50")], ids=["nothing", "both"])
async def test_target_wants_either_a_wish_or_the_way_back(run: Run, argv: tuple[str, ...]) -> None:
    ran = await run(None, "target", "zoe", *argv)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("chargerd: target: give --level")


@pytest.mark.parametrize(("argv", "level"), [((), 100), (("--level", "70"), 70)])
async def test_boost_charges_at_once_up_to_its_level(run: Run, argv: tuple[str, ...], level: int) -> None:
    async with daemon() as running:
        ran = await run(running, "boost", *argv)
        (event,) = running.desk.requests
    assert isinstance(event, ImmediateStartRequested)
    assert event.minimum_charge_target == level
    assert f"  target   {level} % at once\n" in ran.out


async def test_a_refusal_is_printed_in_the_daemons_words_and_fails(run: Run) -> None:
    async with daemon(FakeDesk(refusal="the charger cannot be controlled")) as running:
        ran = await run(running, "boost")
    assert (ran.status, ran.out, ran.err) == (1, "", "chargerd: the charger cannot be controlled\n")


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            "chargers",
            [
                "CHARGER  ONLINE  STATE                 POWER  LIMIT  MODEL     PROTOCOL  HEARD",
                "garage   yes     PLUGGED_IN:CHARGING  7.4 kW   16 A  ACME Box  OCPP 1.6  Tue 20:00",
            ],
        ),
        (
            "vehicles",
            [
                "VEHICLE  BATTERY  LEVEL  LIMIT  WHERE   PLUGGED  CHARGING  TOLD",
                "zoe       52 kWh   35 %   80 %  garage  yes      no        Tue 20:00",
            ],
        ),
        (
            "policies",
            [
                "VEHICLE  CHARGER  RESERVE  SCHEDULE               ID",
                f"zoe      garage      20 %  mon-fri 50 % by 07:00  {POLICY}",
            ],
        ),
        (
            "prices",
            [
                "EUR per kWh: as the source told them, told until Tue 23:00, fetched Tue 20:00",
                "  Tue 20:00     0.1026  now    ████████████████",
                "  Tue 21:00    -0.0100",
                "  Tue 22:00  0.0000001         ▏",
            ],
        ),
    ],
)
async def test_the_site_is_shown_in_aligned_columns(run: Run, command: str, lines: list[str]) -> None:
    async with daemon() as running:
        ran = await run(running, command)
    assert ran.out.splitlines() == lines


@pytest.mark.parametrize("command", ["chargers", "vehicles", "policies", "prices"])
async def test_the_site_for_a_program_is_the_apis_answer(run: Run, command: str) -> None:
    async with daemon() as running:
        ran = await run(running, command, "--json")
        answer = await running.ask("GET", f"/v1/{command}")
    assert json.loads(ran.out) == answer.json


async def test_past_prices_are_left_out_unless_asked_for(run: Run) -> None:
    async with daemon(FakeDesk(time=NOW + timedelta(hours=1, minutes=30))) as running:
        future = await run(running, "prices")
        everything = await run(running, "prices", "--all")
    assert (len(future.out.splitlines()), len(everything.out.splitlines())) == (3, 4)


async def test_the_token_is_read_from_its_file_or_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    async with daemon(token=b"s3cret") as running:
        without = await run(running, "vehicles")
        given = await run(running, "vehicles", "--token-file", str(secret))
        monkeypatch.setenv("CHARGERD_TOKEN_FILE", str(secret))
        monkeypatch.setenv("CHARGERD_URL", running.url)
        from_environment = await run(None, "vehicles")
    assert (without.status, given.status, from_environment.status) == (1, 0, 0)
    assert without.err == "chargerd: the daemon wants its token: give --token-file, or set CHARGERD_TOKEN_FILE\n"


async def test_text_from_a_device_cannot_steer_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    charger = {"id": "garage", "isOnline": True, "vendor": "\x1b[2Jevil", "model": "a\nb"}
    monkeypatch.setattr(FakeDesk, "chargers", lambda _: (charger,))
    async with daemon() as running:
        ran = await run(running, "chargers")
    assert "\\x1b[2Jevil a\\nb" in ran.out
    assert "\x1b" not in ran.out


async def test_a_refused_connection_is_one_line_and_exit_69(run: Run) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ran = await run(None, "status", "--url", url)
    assert (ran.status, ran.out) == (69, "")
    assert ran.err == f"chargerd: no daemon at {url}: Connection refused\n"


async def test_target_refuses_a_time_that_is_not_clear(run: Run) -> None:
    async with daemon() as running:
        ran = await run(running, "target", "--level", "80", "--ready-by", "soon")
        assert running.desk.requests == []
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("chargerd: --ready-by soon: expected a time of day")


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", 69, "no daemon at"),
        (b"HTTP/1.0 200 OK\r\n\r\n<html>", 69, "no daemon at"),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n<html>", 1, "the daemon answered 502"),
        (b"HTTP/1.0 500 Oh\r\n\r\n[1]", 1, "the daemon answered 500"),
    ],
    ids=["no HTTP", "no JSON", "a proxy's page", "another API"],
)
async def test_something_else_behind_the_url_is_one_line_too(run: Run, said: bytes, status: int, told: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        ran = await run(None, "policies", "--url", f"http://127.0.0.1:{port}")
    assert (ran.status, ran.out, len(ran.err.splitlines())) == (status, "", 1)
    assert told in ran.err
