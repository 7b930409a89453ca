"""Settled sessions are written once, never change, and are read in pages."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from visits import CAR, EVENING, GARAGE, POLICY, commit, entry, ledger, partition, settled

from chargerd.contract import PageQuery, StoreError, StoreSettled
from chargerd.core.ids import ChargerId, PolicyId, SessionId, VehicleId
from chargerd.store import SqliteStore
from chargerd.store.sqlite import LOG_ENTRIES_MAX

HOUR = timedelta(hours=1)


def url(path: Path) -> str:
    return f"sqlite://{path}/chargerd.db"


def ids(documents: tuple[str, ...]) -> list[str]:
    return [json.loads(document)["id"] for document in documents]


async def test_the_exact_text_of_a_settled_session_is_kept(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(settled=(settled("visit-1"),)))
    async with SqliteStore.open(url(tmp_path)) as store:
        text = await store.settled(SessionId("visit-1"))
        quarters = await store.ledger(SessionId("visit-1"))
    assert text == '{"id":"visit-1","note":"Straße","statistics":{"aggregated":{"kwhSum":7.4}}}'
    assert quarters == (
        '[{"startAt":"2026-01-14T17:00:00Z","endAt":"2026-01-14T17:15:00Z","wh":7400,"quality":"measured"}]'
    )


async def test_what_has_not_settled_is_none(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(1))))
        assert await store.settled(SessionId("visit-1")) is None
        assert await store.ledger(SessionId("visit-1")) is None


async def test_settling_twice_with_the_same_content_is_one_session(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(settled=(settled("visit-1"),)))
        await store.commit(commit(settled=(settled("visit-1"),)))
        assert ids((await store.page(PageQuery())).documents) == ["visit-1"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(settled("visit-1", kwh=7.5), id="document"),
        pytest.param(settled("visit-1", out=EVENING), id="plug-out"),
        pytest.param(settled("visit-1", policy=None), id="policy"),
    ],
)
async def test_settling_twice_with_other_content_fails_and_writes_nothing(tmp_path: Path, other: StoreSettled) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(made=1), settled=(settled("visit-1"),)))
        before = await store.settled(SessionId("visit-1"))
        with pytest.raises(StoreError, match="visit-1: expected what was settled before"):
            await store.commit(commit(partition(made=2), settled=(settled("visit-0"), other)))
        assert await store.settled(SessionId("visit-1")) == before
        assert await store.settled(SessionId("visit-0")) is None
        assert (await store.load())[GARAGE].sessions_made == 1


async def test_a_commit_works_after_one_that_failed(tmp_path: Path) -> None:
    grown = partition(cells=ledger(900, 1300, 70))
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900, 1200)), settled=(settled("visit-0"),)))
        with pytest.raises(StoreError):
            await store.commit(commit(grown, settled=(settled("visit-0", kwh=1),)))
        await store.commit(commit(grown))
        assert (await store.load())[GARAGE].slots[0].session.ledger.cells == ledger(900, 1300, 70)


async def test_a_number_that_json_cannot_spell_is_refused(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        with pytest.raises(StoreError, match="got one that has no spelling"):
            await store.commit(commit(settled=(settled("visit-1", kwh=float("nan")),)))
        assert await store.settled(SessionId("visit-1")) is None


async def filled(store: SqliteStore, count: int) -> None:
    everything = tuple(settled(f"visit-{i}", out=EVENING + i * HOUR) for i in range(count))
    await store.commit(commit(settled=everything))


async def test_pages_run_from_the_newest_plug_out_to_the_oldest_and_back(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await filled(store, 7)
        first = await store.page(PageQuery(page_size=3))
        second = await store.page(PageQuery(page_size=3, after=first.after))
        third = await store.page(PageQuery(page_size=3, after=second.after))
        back = await store.page(PageQuery(page_size=3, before=third.before))
        start = await store.page(PageQuery(page_size=3, before=back.before))
    assert [ids(page.documents) for page in (first, second, third)] == [
        ["visit-6", "visit-5", "visit-4"],
        ["visit-3", "visit-2", "visit-1"],
        ["visit-0"],
    ]
    assert (first.before, third.after) == (None, None)
    assert (back, start) == (second, first)


async def test_sessions_that_end_together_are_neither_lost_nor_shown_twice(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(settled=tuple(settled(f"visit-{i}", out=EVENING) for i in range(5))))
        seen, after = [], None
        for _ in range(3):
            page = await store.page(PageQuery(page_size=2, after=after))
            seen += ids(page.documents)
            after = page.after
    assert seen == ["visit-4", "visit-3", "visit-2", "visit-1", "visit-0"]


async def test_a_session_that_settles_meanwhile_does_not_shift_the_pages(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await filled(store, 4)
        first = await store.page(PageQuery(page_size=2))
        await store.commit(commit(settled=(settled("visit-9", out=EVENING + 9 * HOUR),)))
        second = await store.page(PageQuery(page_size=2, after=first.after))
    assert ids(second.documents) == ["visit-1", "visit-0"]


async def test_plug_outs_within_a_second_are_in_order(tmp_path: Path) -> None:
    half = EVENING + timedelta(milliseconds=500)
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(settled=(settled("a-later", out=half), settled("b-earlier", out=EVENING))))
        assert ids((await store.page(PageQuery())).documents) == ["a-later", "b-earlier"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(PageQuery(policy_id=POLICY), ["by-policy"], id="policy"),
        pytest.param(PageQuery(charger_id=ChargerId("yard")), ["at-yard"], id="charger"),
        pytest.param(PageQuery(vehicle_id=VehicleId("van")), ["by-van"], id="vehicle"),
        pytest.param(PageQuery(charger_id=GARAGE, vehicle_id=CAR), ["by-policy", "by-nobody"], id="both"),
        pytest.param(PageQuery(start=EVENING + 2 * HOUR), ["at-yard", "by-van"], id="start is included"),
        pytest.param(PageQuery(end=EVENING + 1 * HOUR), ["by-nobody"], id="end is not"),
        pytest.param(PageQuery(policy_id=PolicyId("none")), [], id="nothing"),
    ],
)
async def test_filters_choose_sessions(tmp_path: Path, query: PageQuery, expected: list[str]) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(
            commit(
                settled=(
                    settled("by-nobody", out=EVENING, policy=None),
                    settled("by-policy", out=EVENING + 1 * HOUR),
                    settled("by-van", out=EVENING + 2 * HOUR, policy=None, vehicle=VehicleId("van")),
                    settled("at-yard", out=EVENING + 3 * HOUR, policy=None, charger=ChargerId("yard"), vehicle=None),
                )
            )
        )
        page = await store.page(query)
    assert ids(page.documents) == expected
    assert (page.after, page.before) == (None, None)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(PageQuery(after="!"), id="not base64"),
        pytest.param(PageQuery(after="Zm9v"), id="no time"),
        pytest.param(PageQuery(before=""), id="empty"),
        pytest.param(PageQuery(before="ünicode"), id="not ascii"),
        pytest.param(PageQuery(after="MjAyNi0wMS0wMVQwMDowMDowMFp8YQ"), id="a time that we do not write"),
        pytest.param(PageQuery(after="Zm9v", before="Zm9v"), id="two"),
        pytest.param(PageQuery(page_size=0), id="page size"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(tmp_path: Path, query: PageQuery) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        with pytest.raises(ValueError, match="expected"):
            await store.page(query)


async def test_a_session_has_its_log_before_and_after_it_settles(tmp_path: Path) -> None:
    plugged, charged = entry("plugged in"), entry("charging \ud83d", seconds=5)
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(log=(plugged,)))
        assert await store.session_log(SessionId("visit-1")) == (plugged,)
        await store.commit(commit(log=(charged,), settled=(settled("visit-1"),)))
    async with SqliteStore.open(url(tmp_path)) as store:
        first, second = await store.session_log(SessionId("visit-1"))
    assert first == plugged
    assert (second.at, second.note.message) == (charged.at, "charging ?")


async def test_notes_of_no_session_and_of_others_stay_out_of_a_log(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(log=(entry("hello", session_id=None), entry("theirs", session_id="visit-2"))))
        assert await store.session_log(SessionId("visit-1")) == ()
        assert [logged.note.message for logged in await store.session_log(SessionId("visit-2"))] == ["theirs"]


async def test_of_a_session_that_is_told_without_end_the_latest_entries_stay(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(log=(entry("theirs", session_id="visit-2"),)))
        for number in range(0, LOG_ENTRIES_MAX + 20, 10):
            await store.commit(commit(log=tuple(entry(f"note {number + step}") for step in range(10))))
        told = [logged.note.message for logged in await store.session_log(SessionId("visit-1"))]
        assert told == [f"note {number}" for number in range(20, LOG_ENTRIES_MAX + 20)]
        assert len(await store.session_log(SessionId("visit-2"))) == 1
