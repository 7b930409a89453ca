# ruff: noqa: E501 - one case per line reads as a table
"""The daemon's real fetch over real sockets, from servers that are late, wrong, slow, huge and broken."""

import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from feed_server import BERLIN, answer, days, dribble, feed_server, flood, options, silence
from tests.support.clocks import StillClock

from chargerd.cli.authority import Authority
from chargerd.clock import SystemClock
from chargerd.contract import PriceCurve
from chargerd.core.units import utc
from chargerd.errors import ConfigError, FeedError
from chargerd.tariff import create_tariff, web

START, END = utc(2026, 1, 13, 23), utc(2026, 1, 15, 23)
NOW = utc(2026, 1, 14, 12, 30)
DAY = days(START, 1)
TOKEN = "t0ps3cret"


async def fetched(url: str, kind: str = "http-json", **keys: Any) -> PriceCurve:
    return await create_tariff(options(kind, url=url, **keys), BERLIN, StillClock(NOW)).fetch(START, END)


async def failure(url: str, **keys: Any) -> FeedError:
    with pytest.raises(FeedError) as caught:
        await fetched(url, **keys)
    assert TOKEN not in str(caught.value)
    assert str(caught.value).startswith("http-json 127.0.0.1 (EUR/kWh): ")
    return caught.value


async def test_prices_come_over_a_socket_and_the_daemon_says_who_it_is() -> None:
    async with feed_server(answer(DAY)) as feed:
        curve = await fetched(f"{feed.url}/prices?from={{start}}")
    assert (len(curve.slots), curve.currency, curve.fetched_at) == (24, "EUR", NOW)
    assert "User-Agent: chargerd/" in feed.questions[0]
    assert feed.paths() == ["/prices?from=2026-01-13T23:00:00Z"]


@pytest.mark.parametrize(
    ("play", "words"),
    [
        pytest.param(answer("oops", "500 Internal Server Error"), "expected prices, got HTTP 500 Internal", id="500"),
        pytest.param(answer("", "401 Unauthorized"), "got HTTP 401: it refuses the token, or wants one", id="401"),
        pytest.param(answer("<html><title>Login</title>", Content_Type="text/html"), "a page titled 'Login'", id="html"),
        pytest.param(answer("\x89PNG", Content_Type="image/png"), "expected JSON, got '\\x89PNG'", id="a picture"),
        pytest.param(answer(b"\xff\xfe[]"), "expected text in UTF-8, got other bytes", id="not text"),
        pytest.param(answer(DAY, Content_Encoding="gzip"), "expected an answer as it is, got one in gzip", id="packed"),
        pytest.param(answer(DAY[:300], Content_Length="9999"), "expected an answer, got: peer closed", id="half a body"),
        pytest.param(answer(DAY[:300]), "expected JSON, got '[{", id="half a document"),
        pytest.param(flood, "expected at most 4000000 bytes, got more", id="huge"),
        pytest.param(answer('[{"start": "2026-01-14T00:00Z", "price": 340}]'), "none of its prices can be used: 2026-01-14 00:00 UTC: 340 EUR per kWh is no price", id="a thousand times too much"),
        pytest.param(answer("", "302 Found", Location="http://127.0.0.1:1/"), "expected an answer, got:", id="a redirect to nobody"),
    ],
)  # fmt: skip
async def test_a_wrong_answer_is_told_in_words(play: Any, words: str) -> None:
    async with feed_server(play) as feed:
        assert words in str(await failure(feed.url))


async def test_a_wrong_content_type_does_not_matter() -> None:
    async with feed_server(answer(DAY, Content_Type="text/html")) as feed:
        assert len((await fetched(feed.url)).slots) == 24


async def test_nothing_published_yet_is_an_empty_curve() -> None:
    async with feed_server(answer("", "204 No Content")) as feed:
        assert (await fetched(feed.url)).slots == ()
    async with feed_server(answer("[]")) as feed:
        assert (await fetched(feed.url)).slots == ()


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"Retry_After": "90"}, 90.0),
        ({"Retry_After": "Wed, 14 Jan 2026 12:05:00 GMT", "Date": "Wed, 14 Jan 2026 12:00:00 GMT"}, 300.0),
        ({"Retry_After": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
async def test_a_server_may_ask_for_a_pause(headers: dict[str, str], pause_s: float) -> None:
    async with feed_server(answer("", "429 Too Many Requests", **headers)) as feed:
        error = await failure(feed.url)
    assert "it asks to be asked less often (HTTP 429)" in str(error)
    assert error.retry_after_s == pause_s


async def test_silence_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SILENCE_S", 0.2)
    async with feed_server(silence) as feed:
        assert "got nothing for 0.2 s" in str(await failure(feed.url))


async def test_a_server_that_never_comes_to_an_end_is_left_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TOTAL_S", 0.3)
    async with feed_server(dribble) as feed:
        assert "expected an answer within 0.3 s, got none" in str(await failure(feed.url))


async def test_nobody_there_is_told() -> None:
    async with feed_server() as feed:
        url = feed.url
    assert "expected an answer, got: All connection attempts failed" in str(await failure(url))


async def test_redirects_are_followed_but_not_for_ever() -> None:
    async with feed_server(answer(DAY)) as target, feed_server() as feed:
        feed.play = answer("", "301 Moved", Location=target.url)
        assert len((await fetched(feed.url)).slots) == 24
    async with feed_server(answer("", "302 Found", Location="/again")) as feed:
        assert "got more than 3 redirects" in str(await failure(feed.url))
    assert len(feed.questions) == 4


async def test_a_token_does_not_follow_a_redirect_to_another_server(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    token = {"token_file": str(tmp_path / "token")}
    async with feed_server(answer(DAY)) as target:
        async with feed_server(answer("", "302 Found", Location=target.url)) as feed:
            assert "which is not given the token" in str(await failure(feed.url, **token))
        async with feed_server(answer(DAY)) as feed:
            await fetched(feed.url, **token)
    assert f"Authorization: Bearer {TOKEN}" in feed.questions[0]
    assert target.questions == []


@pytest.mark.parametrize("token", ["", "two\nlines"])
async def test_a_token_file_without_a_token_is_told(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    with pytest.raises(ConfigError, match="expected one line"):
        await fetched("http://127.0.0.1:1/", token_file=str(tmp_path / "token"))


async def test_a_token_that_no_header_can_carry_is_told_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}ü")
    error = await failure("http://127.0.0.1:1/", token_file=str(tmp_path / "token"))
    assert "expected a token of printable ASCII" in str(error)


@pytest.fixture
def server_tls(tmp_path: Path) -> ssl.SSLContext:
    authority, now = Authority(tmp_path), SystemClock().now()
    authority.create("home", now)
    authority.issue_gateway(("127.0.0.1",), now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "gateway.pem", tmp_path / "gateway.key")
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(server_tls: ssl.SSLContext) -> None:
    async with feed_server(answer(DAY), tls=server_tls) as feed:
        assert "CERTIFICATE_VERIFY_FAILED" in str(await failure(feed.url))
    assert feed.questions == []


async def test_a_certificate_that_the_machine_trusts_is_taken(
    server_tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with feed_server(answer(DAY), tls=server_tls) as feed:
        assert len((await fetched(feed.url)).slots) == 24
        feed.play = answer("", "302 Found", Location="http://127.0.0.1:1/")
        assert "got a redirect to 127.0.0.1 without TLS" in str(await failure(feed.url))


async def test_octopus_pages_are_all_read_and_come_from_one_server() -> None:
    def page(hour: int, following: str | None) -> str:
        link = "null" if following is None else f'"{following}"'
        times = f'"valid_from": "2026-01-14T{hour:02d}:00:00Z", "valid_to": "2026-01-14T{hour + 1:02d}:00:00Z"'
        return f'{{"next": {link}, "results": [{{"value_inc_vat": {hour}, {times}}}]}}'

    codes = {"product": "AGILE-24-10-01", "tariff": "E-1R-AGILE-24-10-01-C"}
    async with feed_server() as feed:

        async def play(writer: Any) -> None:
            number = len(feed.questions)
            await answer(page(20 - number, f"{feed.url}/?page={number + 1}" if number < 3 else None))(writer)

        feed.play = play
        curve = await fetched(feed.url, "octopus", **codes)
        assert [f"{slot.start:%H} {slot.price_per_kwh}" for slot in curve.slots] == ["17 0.17", "18 0.18", "19 0.19"]
        feed.play = answer(page(3, "http://elsewhere.example/?page=2"))
        with pytest.raises(FeedError, match=r"octopus .*: expected the next page on the same server, got one on elsew"):
            await fetched(feed.url, "octopus", **codes)
        feed.play = answer(page(3, f"{feed.url}/?page=2"))
        with pytest.raises(FeedError, match="expected at most 20 pages, got more"):
            await fetched(feed.url, "octopus", **codes)


async def test_nord_pool_has_a_day_that_is_not_published_yet() -> None:
    entry = '{"deliveryStart": "2026-01-14T00:00Z", "deliveryEnd": "2026-01-14T01:00Z", "entryPerArea": {"SE3": 500}}'
    async with feed_server() as feed:

        async def play(writer: Any) -> None:
            first = answer(f'{{"currency": "SEK", "multiAreaEntries": [{entry}]}}')
            await (first if len(feed.questions) == 1 else answer("", "204 No Content"))(writer)

        feed.play = play
        curve = await fetched(feed.url, "nord-pool", area="SE3", currency="SEK")
    assert (len(curve.slots), curve.currency, len(feed.questions)) == (1, "SEK", 2)


def test_what_asks_is_not_imported_before_it_asks() -> None:
    """httpx is large, and a home with fixed prices does without it."""
    code = "import sys, chargerd.app; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
