"""Prices from the network, in a daemon of its own process: asked for, kept over a crash, and told how old they are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from house import Bay, chargerd, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

BAY = Bay(id="garage")
TOKEN = "t0ps3cret"
YESTERDAY = datetime(2026, 1, 13, tzinfo=UTC)


class Feed:
    """A server of prices, hourly for yesterday and today, until it is broken."""

    def __init__(self) -> None:
        self.is_broken = False
        self.tokens: list[str | None] = []
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                feed.tokens.append(self.headers["Authorization"])
                starts = [YESTERDAY + timedelta(hours=hour) for hour in range(48)]
                prices = ", ".join(f'{{"start": "{at:%Y-%m-%dT%H:%MZ}", "price": 0.{at:%H}1}}' for at in starts)
                body = b"<html>Down</html>" if feed.is_broken else f"[{prices}]".encode()
                self.send_response(503 if feed.is_broken else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@contextmanager
def serving() -> Iterator[Feed]:
    feed = Feed()
    thread = threading.Thread(target=feed.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield feed
    finally:
        feed.server.shutdown()
        thread.join()
        feed.server.server_close()


def test_prices_outlive_a_crash_without_network_and_tell_that_newer_ones_are_owed(tmp_path: Path) -> None:
    """Tomorrow's prices should be there at 13:00, and are old at 15:00; the night of tomorrow goes by today's."""
    (tmp_path / "token").write_text(TOKEN)
    with serving() as feed:
        url = f"http://127.0.0.1:{feed.server.server_port}/{{start}}"
        tariff = f'kind = "http-json"\nurl = "{url}"\ntoken_file = "token"\nmultiply = 2'
        with house(tmp_path, BAY, start="2026-01-14T14:30:00Z", speed=300, tariff=tariff) as home:
            home.start()
            home.wait("prices are there", lambda: home.get("/v1/prices")["rung"] == "FRESH")
            assert feed.tokens[0] == f"Bearer {TOKEN}"
            feed.is_broken = True
            home.kill()
            home.start()
            prices = home.get("/v1/prices?from=2026-01-14T20:00:00Z&to=2026-01-14T21:00:00Z")
            assert [(slot["pricePerKwh"], slot["origin"]) for slot in prices["data"]] == [("0.402", "SOURCE")]

            entry = home.wait_logged("tariff.rung", rung="CACHED")
            assert (
                "which it has owed since 2026-01-14 13:00; charging goes by those that it told before"
                in entry["MESSAGE"]
            )
            plan = home.get(f"/v1/policies/{BAY.policy}/session/explanation")["plan"]
            assert (plan["priceRung"], plan["pricesOldSince"]) == ("REPEATED", "2026-01-14T13:00:00Z")
            status = chargerd("status", "--url", f"http://127.0.0.1:{home.http_port}").stdout
            assert "EUR per kWh: as the source told them before, newer ones owed since " in status
            assert len(home.logged("tariff.failed")) == 1
            assert not any(TOKEN in str(entry) for entry in home.log)
            assert home.stop() == 0
