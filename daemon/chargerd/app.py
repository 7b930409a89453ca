"""The composition root: builds every object, runs them in one task group, and takes signals."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

import chargerd_drivers
from chargerd.api.app import create_app
from chargerd.api.server import serve
from chargerd.clock import SystemClock
from chargerd.config import Config, load_config, read_secret
from chargerd.contract import Clock, Driver, Memory, Sink
from chargerd.core.events import Configured, PricesUpdated
from chargerd.core.ids import ChargerId, VehicleId
from chargerd.desk import DaemonDesk
from chargerd.dispatch import Dispatcher
from chargerd.errors import ChargingError, ConfigError, StoreError
from chargerd.inbox import Inbox
from chargerd.journal import Once, write_note
from chargerd.loop import Loop
from chargerd.plan.prices import PriceCurve
from chargerd.recording.recorder import Recorder
from chargerd.store.sqlite import SqliteStore, path_of
from chargerd.tariff.keeper import PriceKeeper

log = structlog.get_logger("chargerd.app")

STOP_AFTER_S = 10.0
"""Real seconds that a step under way, with its write to disk, may take when the daemon stops."""
RESTART_S = (1.0, 5.0, 30.0, 60.0)
"""Real seconds before what failed is started again; the last one repeats."""


async def run_daemon(config_path: Path, clock: Clock) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code; raises ConfigError when the configuration is wrong."""
    config = load_config(config_path)
    # A rehearsal on another clock must not write its future into the household's database.
    rehearsal = "" if isinstance(clock, SystemClock) else "-rehearsal"
    url = config.store_url + rehearsal
    try:
        recordings = path_of(url).parent / f"recording{rehearsal}"
        async with SqliteStore.open(url) as store, Recorder.open(recordings, clock) as recorder:
            return await _run(config, config_path, clock, store, recorder)
    except StoreError as error:
        log.error("store.unusable", message=str(error))
        return 1


async def _run(config: Config, config_path: Path, clock: Clock, store: SqliteStore, recorder: Recorder) -> int:
    """Run, and open everything anew as often as a reload asks for it. What cannot be opened gives way to what was."""
    last: Config | None = None
    while True:
        daemon = _Daemon(config, config_path, clock, store, recorder)
        try:
            status = await daemon.run()
        except ConfigError as error:
            if last is None:
                raise
            log.error("config.rejected", message=f"the old configuration stays in force: {error}")
            config, last = last, None
            continue
        if daemon.successor is None:
            return status
        config, last = daemon.successor, config


class _Daemon:
    """One run of the daemon. ``successor`` is the configuration that the next run is to be with; None: no next run."""

    def __init__(self, config: Config, config_path: Path, clock: Clock, store: SqliteStore, recorder: Recorder) -> None:
        self._config = config
        self._config_path = config_path
        self._clock = clock
        self._store = store
        self._recorder = recorder
        self._inbox = Inbox()
        self._keeper = self._keeper_of(config)
        self._prices = PriceCurve()
        self._once = Once()
        self._now = clock.now
        self._stop = asyncio.Event()
        self.successor: Config | None = None
        self._look_at_tariff = asyncio.Event()
        self._reloaded = asyncio.Event()

    async def run(self) -> int:
        states = await self._store.load()
        async with _opened_drivers(self._config, self._clock, self._store) as drivers:
            by_charger = {entry.spec.charger_id: drivers[entry.driver] for entry in self._config.chargers}
            dispatcher = Dispatcher(by_charger, self._inbox, self._clock, opened=drivers.values())
            loop = Loop(
                clock=self._clock,
                store=self._store,
                inbox=self._inbox,
                dispatch=dispatcher.dispatch,
                answer=dispatcher.answer,
                write_note=write_note,
            )
            loop.decide = self._recorder.decide
            loop.clock_set.append(self._look_at_tariff.set)
            self._now = loop.now
            desk = DaemonDesk(loop=loop, archive=self._store, clock=self._clock, rim=dispatcher, keeper=self)
            loop.restore({charger_id: states[charger_id] for charger_id in by_charger if charger_id in states})
            for configured in _configured(self._config, restarted=True):
                await loop.handle(configured)
            # What a source in the network told before; to ask it must not delay the start.
            self._prices = await self._keeper.known(self._now())
            await loop.handle(PricesUpdated(curve=self._prices))
            await self._serve(loop, dispatcher, drivers, desk)
            await loop.flush()
        if self.successor is None:
            log.info("daemon.stopped", message="stopped")
        return 0

    @property
    def configuration_file(self) -> str:
        return str(self._config_path.absolute())

    async def _serve(self, loop: Loop, dispatcher: Dispatcher, drivers: Mapping[str, Driver], desk: DaemonDesk) -> None:
        """Run all tasks until a signal asks to stop."""
        with self._signals():
            async with asyncio.TaskGroup() as group:
                deciding = group.create_task(loop.run(), name="loop")
                tasks = [
                    group.create_task(dispatcher.run(), name="dispatch"),
                    group.create_task(self._follow_tariff(), name="tariff"),
                    group.create_task(self._follow_configuration(), name="configuration"),
                    group.create_task(self._serve_http(desk), name="http"),
                    group.create_task(self._recorder.run(), name="recording"),
                ]
                tasks += [
                    group.create_task(_supervised(kind, driver, self._inbox), name=f"driver {kind}")
                    for kind, driver in drivers.items()
                ]
                await self._stop.wait()
                # The loop first, between two steps: connections that we close ourselves are no news.
                loop.stop()
                await asyncio.wait([deciding], timeout=STOP_AFTER_S)
                deciding.cancel()
                for task in tasks:
                    task.cancel()

    async def _serve_http(self, desk: DaemonDesk) -> None:
        http = self._config.http

        def listening(host: str, port: int) -> None:
            desk.problems.pop("starting", None)
            log.info("daemon.ready", message=f"ready; API on http://{host}:{port}", address=f"{host}:{port}")

        for attempt in count():
            try:
                token = None if http.token_file is None else read_secret(http.token_file).encode()
                await serve(create_app(desk, token=token), http.host, http.port, on_listening=listening)
            except (ChargingError, OSError) as error:
                if self._once.changed("http.failed", str(error)):
                    log.error("http.failed", message=f"the API is not served: {error}; cars are charged all the same")
            await asyncio.sleep(_restart_after_s(attempt))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        running = asyncio.get_running_loop()
        running.add_signal_handler(signal.SIGTERM, self._end)
        running.add_signal_handler(signal.SIGINT, self._end)
        running.add_signal_handler(signal.SIGHUP, self.reload)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                running.remove_signal_handler(number)

    def _end(self) -> None:
        self.successor = None
        self._stop.set()

    def reload(self) -> tuple[str, ...]:
        """Read the file again. A fault in it changes nothing; return what is wrong."""
        try:
            config = load_config(self._config_path)
        except ConfigError as error:
            log.error("config.rejected", message=f"the old configuration stays in force: {error}")
            return error.problems
        if config.store_url != self._config.store_url:
            log.warning("config.restart_needed", message="the store changed, which counts after a restart only")
        if _opens(config) != _opens(self._config):
            log.info("config.reopened", message="chargers, drivers or listeners changed: all are opened anew")
            self.successor = config
            self._stop.set()
            return ()
        self._config = config
        self._keeper = self._keeper_of(config)
        self._reloaded.set()
        log.info("config.reloaded", message=f"{self._config_path} read again")
        return ()

    async def _follow_configuration(self) -> None:
        """Tell the loop of a reload, and then look at the tariff that it brought."""
        while True:
            await self._reloaded.wait()
            self._reloaded.clear()
            for configured in _configured(self._config, restarted=False):
                await self._inbox.put(configured)
            self._look_at_tariff.set()

    async def _follow_tariff(self) -> None:
        """Look at the tariff when that is due, after a reload, and when the clock was set."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._clock.real_seconds(self._keeper.patience_s(self._now()))):
                    await self._look_at_tariff.wait()
            self._look_at_tariff.clear()
            keeper = self._keeper
            curve = await keeper.look(self._now())
            # Asking takes a while, and a reload in the meantime has brought another keeper.
            if keeper is self._keeper and curve != self._prices:
                self._prices = curve
                await self._inbox.put(PricesUpdated(curve=curve))

    def _keeper_of(self, config: Config) -> PriceKeeper:
        return PriceKeeper(config.tariff, ZoneInfo(config.site.zone), self._clock, self._store)


def _configured(config: Config, *, restarted: bool) -> tuple[Configured, ...]:
    """The configuration as one event for each charger."""
    followed = _followed(config)
    return tuple(
        Configured(
            charger_id=entry.spec.charger_id,
            site=config.site,
            charger=entry.spec,
            policies=tuple(policy for policy in config.policies if policy.charger_id == entry.spec.charger_id),
            vehicles=config.vehicles,
            followed=tuple(name for name, charger_id in followed.items() if charger_id == entry.spec.charger_id),
            restarted=restarted,
        )
        for entry in config.chargers
    )


def _followed(config: Config) -> dict[VehicleId, ChargerId]:
    """Which charger follows each vehicle: that of its first policy, else the first one."""
    if not config.chargers:
        return {}
    first_of = {policy.vehicle_id: policy.charger_id for policy in reversed(config.policies)}
    default = config.chargers[0].spec.charger_id
    return {vehicle.vehicle_id: first_of.get(vehicle.vehicle_id, default) for vehicle in config.vehicles}


def _opens(config: Config) -> tuple[object, ...]:
    """Return what a run opens."""
    chargers = tuple((entry.spec.charger_id, entry.driver, entry.options) for entry in config.chargers)
    return chargers, config.driver_sections, config.http


@contextlib.asynccontextmanager
async def _opened_drivers(config: Config, clock: Clock, memory: Memory) -> AsyncIterator[dict[str, Driver]]:
    """Every driver that a charger is configured for or that the file names, opened: strangers may knock at it."""
    async with contextlib.AsyncExitStack() as stack:
        drivers: dict[str, Driver] = {}
        for kind in config.driver_sections:
            options: dict[ChargerId, object] = {
                entry.spec.charger_id: entry.options for entry in config.chargers if entry.driver == kind
            }
            spec = chargerd_drivers.load(kind)
            driver = spec.create(config.driver_sections[kind], options, clock, memory)
            drivers[kind] = await stack.enter_async_context(driver)
        yield drivers


async def _supervised(kind: str, driver: Driver, sink: Sink) -> None:
    """Keep a driver running; one that fails is told of and started again, and the others serve on."""
    once = Once()
    for attempt in count():
        try:
            await driver.run(sink)
        except ChargingError as error:
            if once.changed("driver.failed", str(error)):
                log.error("driver.failed", message=f"the {kind} driver is not served: {error}", driver=kind)
        except Exception:
            log.exception("driver.failed", message=f"the {kind} driver failed and is started again", driver=kind)
        await asyncio.sleep(_restart_after_s(attempt))


def _restart_after_s(attempt: int) -> float:
    return RESTART_S[min(attempt, len(RESTART_S) - 1)]
