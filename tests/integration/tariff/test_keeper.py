"""Prices as the daemon goes by them, over real sockets and a real database: asked for in time, kept, and filled."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from feed_server import BERLIN, FeedServer, Play, answer, days, feed_server, options
from structlog.testing import capture_logs
from tests.support.clocks import StillClock

from chargerd.contract import PriceCurve
from chargerd.plan.prices import PriceRung
from chargerd.store import SqliteStore
from chargerd.tariff.keeper import PriceKeeper

NAME = "http-json 127.0.0.1 (EUR/kWh)"
DEAD: Play = answer("", "503 Service Unavailable")


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A time of January 2026 in Berlin; the 14th is a Wednesday."""
    return datetime(2026, 1, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@dataclass
class Home:
    """A keeper with its source and its store, on a clock that a story turns."""

    keeper: PriceKeeper
    feed: FeedServer
    clock: StillClock
    logs: list[Any]

    async def look(self, now: datetime) -> PriceCurve:
        self.clock.time = now
        return await self.keeper.look(now)

    async def live(self, start: datetime, end: datetime) -> PriceCurve:
        """Look whenever the keeper wants to, for as long as it takes."""
        now, curve = start, PriceCurve()
        while now < end:
            curve = await self.look(now)
            now += timedelta(seconds=self.keeper.patience_s(now))
        return curve

    def told(self, event: str) -> list[str]:
        return [entry["message"] for entry in self.logs if entry["event"] == event]


@asynccontextmanager
async def home(
    folder: Path, play: Play, now: datetime, feed: FeedServer | None = None, **keys: Any
) -> AsyncIterator[Home]:
    """Start as the daemon does; the store is in the folder, so that another start finds it."""
    async with feed_server(play) as served, SqliteStore.open(f"sqlite://{folder}/chargerd.db") as store:
        server = feed or served
        clock = StillClock(now)
        section = options("http-json", url=f"{server.url}/{{start}}/{{end}}", **keys)
        with capture_logs() as logs:
            yield Home(PriceKeeper(section, BERLIN, clock, store, luck=lambda: 0.5), server, clock, logs)


def origins(curve: PriceCurve, start: datetime, end: datetime) -> set[str]:
    return {slot.origin.value for slot in curve.between(start, end)}


def asked_days(feed: FeedServer) -> list[str]:
    return [path.replace(":00:00Z", "") for path in feed.paths()]


async def test_the_first_question_is_for_yesterday_and_today_and_tomorrow_is_asked_for_in_the_afternoon(
    tmp_path: Path,
) -> None:
    async with home(tmp_path, answer(days(at(13), 2)), at(14, 9)) as this:
        curve = await this.look(at(14, 9))
        assert asked_days(this.feed) == ["/2026-01-12T23/2026-01-14T23"]
        assert origins(curve, at(14, 9), at(15)) == {"SOURCE"}
        assert origins(curve, at(15), at(16)) == {"REPEATED"}
        assert curve.rung(at(14, 9), at(15)) is PriceRung.FRESH

        await this.live(at(14, 9), at(14, 13))
        assert len(this.feed.questions) == 1
        this.feed.play = answer("", "204 No Content")
        await this.live(at(14, 13), at(14, 13, 50))
        assert asked_days(this.feed)[1:] == ["/2026-01-13T23/2026-01-15T23"] * 5
        this.feed.play = answer(days(at(15), 1, base=0.5))
        curve = await this.live(at(14, 13, 50), at(14, 14, 10))
        assert origins(curve, at(14, 9), at(16)) == {"SOURCE"}
        assert curve.at(at(15, 3)) == Decimal("0.53")
        count = len(this.feed.questions)
        await this.live(at(14, 14, 10), at(15, 13))
        assert len(this.feed.questions) == count
    assert this.told("tariff.failed") == []
    assert this.told("tariff.rung") == [f"{NAME}: prices are known until 2026-01-15 00:00"]


async def test_a_start_without_network_has_the_prices_of_before(tmp_path: Path) -> None:
    async with home(tmp_path, answer(days(at(13), 3)), at(14, 14)) as this:
        before = await this.look(at(14, 14))
    async with home(tmp_path, DEAD, at(14, 15), this.feed) as this:
        curve = await this.keeper.known(at(14, 15))
        assert origins(curve, at(14, 15), at(16)) == {"SOURCE"}
        assert curve.between(at(14, 15), at(16)) == before.between(at(14, 15), at(16))
        assert curve.fetched_at == at(14, 14)
        await this.live(at(14, 15), at(15, 12))
        assert this.told("tariff.failed") == []


async def test_changed_fees_count_at_once_without_asking_again(tmp_path: Path) -> None:
    async with home(tmp_path, answer(days(at(14), 2)), at(14, 14)) as this:
        assert (await this.look(at(14, 14))).at(at(14, 20)) == Decimal("0.3")
    async with home(tmp_path, DEAD, at(14, 14), this.feed, add_per_kwh=0.2, multiply=2) as this:
        assert (await this.look(at(14, 14))).at(at(14, 20)) == Decimal("1.0")


async def test_a_feed_that_is_dead_for_three_days_goes_down_the_ladder(tmp_path: Path) -> None:
    """Fresh, cached, the day before; and up again. Each rung is told once."""
    async with home(tmp_path, answer(days(at(13), 3)), at(14, 14)) as this:
        assert (await this.look(at(14, 14))).old_since is None
        this.feed.play = DEAD
        curve = await this.live(at(15, 12), at(15, 14, 30))
        assert curve.rung(at(15, 14), at(16)) is PriceRung.FRESH
        curve = await this.live(at(15, 14, 30), at(15, 20))
        assert curve.rung(at(15, 20), at(16)) is PriceRung.CACHED
        assert curve.old_since == at(15, 13)
        for day in (16, 17):
            await this.live(at(day), at(day, 2))
        curve = await this.live(at(18, 12), at(18, 13))
        assert curve.rung(at(18, 13), at(20)) is PriceRung.REPEATED
        assert (curve.old_since, curve.fetched_at) == (at(15, 13), at(14, 14))
        assert curve.at(at(18, 20)) == Decimal("0.3")
        this.feed.play = answer(days(at(18), 1))
        curve = await this.live(at(18, 13), at(18, 14))
        assert curve.rung(at(18, 14), at(19)) is PriceRung.FRESH
    assert this.told("tariff.failed") == [
        f"{NAME}: 127.0.0.1: expected prices, got HTTP 503 Service Unavailable; "
        "charging goes on by the prices that are known"
    ]
    name, owed = NAME, "which it has owed since 2026-01-15 13:00"
    assert this.told("tariff.rung") == [
        f"{name}: prices are known until 2026-01-16 00:00",
        f"{name}: it has not told newer prices, {owed}; charging goes by those that it told before",
        f"{name}: it has not told today's prices, {owed}; charging goes by those of an earlier day",
        f"{name}: prices are known until 2026-01-19 00:00",
    ]
    assert this.told("tariff.recovered") == ["http-json 127.0.0.1 (EUR/kWh): it tells prices again"]


@pytest.mark.parametrize(
    ("keys", "rung", "words"),
    [
        ({"fallback_price_per_kwh": 0.4}, "FALLBACK", "by fallback_price_per_kwh"),
        ({}, "UNKNOWN", "by the time wanted alone"),
    ],
)
async def test_a_feed_that_never_told_anything_leaves_the_configured_price_or_none(
    tmp_path: Path, keys: dict[str, float], rung: str, words: str
) -> None:
    async with home(tmp_path, DEAD, at(14, 9), add_per_kwh=7, **keys) as this:
        assert (await this.keeper.known(at(14, 9))).rung(at(14, 9), at(15)) == rung
        curve = await this.look(at(14, 9))
    assert curve.rung(at(14, 9), at(15)) == rung
    assert curve.at(at(14, 20)) == (Decimal("0.4") if keys else None)
    (told,) = this.told("tariff.rung")
    owed = "which it has owed since 2026-01-13 13:00"
    assert told.endswith(f"it has not told today's prices, {owed}; charging goes {words}")


async def test_a_source_that_answers_with_old_prices_only_has_failed(tmp_path: Path) -> None:
    async with home(tmp_path, answer(days(at(12), 1)), at(14, 9)) as this:
        await this.look(at(14, 9))
        (told,) = this.told("tariff.failed")
        assert told.startswith(f"{NAME}: expected prices of today, got none")


async def test_a_server_that_asks_for_a_pause_has_it(tmp_path: Path) -> None:
    async with home(tmp_path, answer("", "429 Too Many Requests", Retry_After="7200"), at(14, 9)) as this:
        await this.live(at(14, 9), at(14, 14))
        assert len(this.feed.questions) == 3


async def test_a_correction_counts_and_what_it_does_not_name_stays(tmp_path: Path) -> None:
    async with home(tmp_path, answer(days(at(14), 1)), at(14, 9)) as this:
        await this.look(at(14, 9))
        at_eleven = '{"start": "2026-01-14T22:00Z", "price": 0.9}'
        this.feed.play = answer(f"[{at_eleven}, {days(at(15), 1)[1:]}")
        curve = await this.look(at(14, 14))
        assert [curve.at(at(14, hour)) for hour in (22, 23)] == [Decimal("0.32"), Decimal("0.9")]
    async with home(tmp_path, DEAD, at(14, 15), this.feed) as this:
        assert (await this.keeper.known(at(14, 15))).between(at(14, 12), at(16)) == curve.between(at(14, 12), at(16))


async def test_prices_of_the_past_stay_ten_days_and_no_longer(tmp_path: Path) -> None:
    async with home(tmp_path, DEAD, at(1, 14)) as this:
        for day in range(1, 22):
            this.feed.play = answer(days(at(day), 2))
            await this.look(at(day, 14))
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection:
        first, last, count = connection.execute("SELECT min(start_at), max(end_at), count(*) FROM price").fetchone()
    assert (first, last, count) == ("2026-01-11T13:00:00.000000Z", "2026-01-22T23:00:00.000000Z", 274)


async def test_a_database_that_cannot_be_read_or_written_keeps_no_prices_and_the_daemon_goes_on(tmp_path: Path) -> None:
    async with home(tmp_path, answer(days(at(14), 1)), at(14, 9)) as this:
        pass
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection, connection:
        connection.execute("INSERT INTO price VALUES (?, '2026', '2027', 'much', 'EUR', '2026')", (NAME,))
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON price BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END")
    async with home(tmp_path, answer(days(at(14), 1)), at(14, 9)) as this:
        curve = await this.look(at(14, 9))
        assert origins(curve, at(14, 9), at(15)) == {"SOURCE"}
    assert [words.rpartition("; ")[2] for words in this.told("tariff.not_kept")] == [
        "prices are asked for anew",
        "prices are in memory only",
    ]


async def test_a_file_goes_down_the_ladder_as_well(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(days(at(14), 1))
    section = options("file", path=str(file), multiply=2)
    async with SqliteStore.open(f"sqlite://{tmp_path}/chargerd.db") as store:
        keeper = PriceKeeper(section, BERLIN, StillClock(at(14, 9)), store)
        curve = await keeper.known(at(14, 9))
        assert (curve.at(at(14, 20)), curve.rung(at(14, 9), at(15))) == (Decimal("0.6"), PriceRung.FRESH)
        assert origins(curve, at(15), at(16)) == {"REPEATED"}
        file.unlink()
        curve = await keeper.look(at(14, 10))
        assert (curve.at(at(14, 20)), curve.old_since) == (Decimal("0.6"), None)
    async with SqliteStore.open(f"sqlite://{tmp_path}/chargerd.db") as store:
        curve = await PriceKeeper(section, BERLIN, StillClock(at(15, 9)), store).known(at(15, 9))
        assert (curve.at(at(15, 20)), curve.old_since) == (Decimal("0.6"), at(15))
        assert curve.rung(at(15, 9), at(16)) is PriceRung.REPEATED


@pytest.mark.parametrize("luck", [0.0, 1.0])
async def test_homes_do_not_all_ask_in_the_same_second(tmp_path: Path, luck: float) -> None:
    async with (
        feed_server(answer(days(at(14), 1))) as feed,
        SqliteStore.open(f"sqlite://{tmp_path}/chargerd.db") as store,
    ):
        keeper = PriceKeeper(options("http-json", url=feed.url), BERLIN, StillClock(at(14)), store, luck=lambda: luck)
        await keeper.look(at(14, 9))
        await keeper.look(at(14, 13))
        await keeper.look(at(14, 13, 4))
        assert len(feed.questions) == (2 if luck == 0.0 else 1)
