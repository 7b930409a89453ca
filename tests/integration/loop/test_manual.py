"""Starting by hand over HTTP, through the real loop and a real database."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from chargerd.api.app import create_app
from chargerd.api.server import serve
from chargerd.core.events import Activity, ChargerOnline, MeterSampled, StatusReported
from tests.integration.loop.test_loop import Rig, rig
from tests.support.home import GARAGE, Home, utc


@asynccontextmanager
async def served(folder: Path, *, managed: bool) -> AsyncIterator[tuple[Rig, str]]:
    async with rig(folder) as home, asyncio.TaskGroup() as group:
        await home.tell(
            replace(Home(managed=managed).configuration(), restarted=True),
            ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"),
            StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED),
        )
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        app = create_app(home.desk, token=None)
        tasks = [
            group.create_task(home.loop.run()),
            group.create_task(serve(app, "127.0.0.1", 0, on_listening=lambda _host, bound: port.set_result(bound))),
        ]
        yield home, f"http://127.0.0.1:{await port}/v1/chargers/{GARAGE}"
        for task in tasks:
            task.cancel()


def ask(url: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


async def test_a_start_by_hand_is_accepted_and_confirmed_by_the_meter(tmp_path: Path) -> None:
    async with served(tmp_path, managed=False) as (home, url):
        status, action = await asyncio.to_thread(ask, f"{url}/charging", {"action": "START"})
        assert (status, action["kind"], action["state"]) == (202, "START", "PENDING")
        async with home.desk.changes() as changes:
            home.clock.time = utc("10T22:17")
            await home.inbox.put(MeterSampled(charger_id=GARAGE, power_w=7000.0))
            await anext(changes)
        status, charger = await asyncio.to_thread(ask, url)
        assert charger["action"]["state"] == "CONFIRMED"
        status, charger = await asyncio.to_thread(ask, f"{url}/charging", None, "DELETE")
        assert (status, charger["action"]["state"]) == (200, "CANCELLED")
        _, refused = await asyncio.to_thread(ask, f"{url}/charging", {"action": "DANCE"})
        assert refused["status"] == 422


async def test_a_charger_that_a_policy_holds_is_refused_with_422(tmp_path: Path) -> None:
    async with served(tmp_path, managed=True) as (_, url):
        status, problem = await asyncio.to_thread(ask, f"{url}/charging", {"action": "START"})
        assert status == 422
        assert "a policy holds this charger" in problem["detail"]
        status, problem = await asyncio.to_thread(ask, f"{url}/charging", None, "DELETE")
        assert status == 422
        assert "a policy holds this charger" in problem["detail"]


async def test_a_charger_that_is_not_there_is_404(tmp_path: Path) -> None:
    async with served(tmp_path, managed=True) as (_, url):
        status, _ = await asyncio.to_thread(ask, f"{url}x/charging", {"action": "START"})
        assert status == 404
