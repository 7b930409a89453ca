"""One charger's connection: frames in and out, the decisions it waits for, and its set-up.

The reader waits for no decision and no answer of the charger; it only waits while the daemon's inbox is full. Waits
for the network are in real seconds; the settling time after a boot is in seconds of the daemon's clock.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from chargerd.contract import (
    CapabilitiesChanged,
    ChargerAnswer,
    ChargerBooted,
    ChargerCommand,
    ChargerInstructed,
    ChargerOnline,
    Clock,
    Event,
    Faulted,
    NotSent,
    OperatorAnswer,
    OperatorRequest,
    Refused,
    ReplyTo,
    Responded,
    Sink,
    Unreachable,
)
from chargerd_drivers.ocpp import by_hand, unasked
from chargerd_drivers.ocpp.calls import CallError, Calls
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.decisions import Decisions
from chargerd_drivers.ocpp.dialect import Context, Dialect, Reading, Request
from chargerd_drivers.ocpp.fields import Json, word
from chargerd_drivers.ocpp.frames import Broken, Call, Frame, MessageId, encode_fault, encode_result, parse
from chargerd_drivers.ocpp.knowledge import Knowledge, Model
from chargerd_drivers.ocpp.orders import Orders
from chargerd_drivers.ocpp.pacing import pace
from chargerd_drivers.ocpp.pulse import Pulse
from chargerd_drivers.ocpp.shape import Shapes
from chargerd_drivers.ocpp.signing import Signing
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.upkeep import Upkeep
from chargerd_drivers.ocpp.wire import Version, check_sent, known_action

_log = structlog.get_logger("chargerd.ocpp")

SETTLE_S = 2.0
"""Clock seconds between the answer to a boot and our first CALL: Wallbox and Growatt reboot when it comes sooner."""

_INTRODUCTION_S = 5.0
_INTRODUCTION_REAL_MIN_S = 1.0
_SEND_TIMEOUT_S = 10.0
_SILENCE_MIN_S = 180.0
_TIMEOUTS_IN_A_ROW_MAX = 3
_DEAF_BEFORE_RESET = 2
"""The connection, counted from the last command that got an answer, on which a charger is told to start anew."""
_EXCERPT, _FRAME_LOGGED = 120, 2000
_TRANSACTION_ACTIONS = frozenset({"StartTransaction", "StopTransaction", "TransactionEvent"})


class Link:
    """The connection of one configured charger, in the version that was negotiated for it."""

    def __init__(
        self, station: Station, socket: ServerConnection, dialect: Dialect, *, section: OcppSection, clock: Clock
    ) -> None:
        station.connections += 1
        self.station = station
        self.is_online = False
        self.garbage = 0
        self._dialect = dialect
        self._socket = socket
        self._section = section
        self._clock = clock
        self._log = _log.bind(charger=station.charger_id)
        self._calls = Calls(station.charger_id, self._send, section.call_timeout_s)
        self._decisions = Decisions(dialect, section.answer_timeout_s)
        self._shapes = Shapes(dialect.VERSION)
        self._tasks: asyncio.TaskGroup | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._orders = Orders(station, dialect, clock, call=self._call, learn=self._learn)
        self._upkeep = Upkeep(self._orders, dialect, section, call=self._call, learn=self._learn)
        self._signing = Signing(station, dialect.VERSION, clock, self._call)
        self._is_broken = False
        self._model: Model | None = None
        self._setup: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()
        self._retired: str | None = None
        self._unanswered: MessageId | None = None
        self._messages = 0
        self._timeouts_in_a_row = 0
        self._is_restarting = False
        silence_max_s = max(clock.real_seconds(3 * section.heartbeat_interval_s), _SILENCE_MIN_S)
        self._pulse = Pulse(socket, silence_max_s, self._upkeep.ping_interval_s)

    async def run(self, sink: Sink) -> str:
        """Serve until the connection ends; return why it did."""
        self._sink = sink
        reason = "connection lost"
        if self._retired is not None:
            return self._retired
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._spawn("introduction", self._introduce)
                self._spawn("keepalive", self._keep_alive)
                try:
                    reason = await self._read()
                finally:
                    self._tasks = None
                self._calls.end(reason)
                for task in tuple(self._background):
                    task.cancel()
            pulse, is_broken = self._pulse, self._is_broken and self._greeted.is_set()
            await self._supervised("end", partial(self._upkeep.ended, pulse.age_s, is_broken=is_broken))
        finally:
            self._calls.end(reason)
        return self._why_retired() or reason

    def _why_retired(self) -> str | None:
        return self._retired

    def retire(self, reason: str) -> None:
        """Give way to a newer connection: take nothing more, fail who waits, close the socket."""
        self._retired = reason
        self._calls.end(reason)
        if self._tasks is not None:
            self._spawn("farewell", partial(self.close, reason))

    def answer(self, answer: ChargerAnswer) -> None:
        """Give a waiting CALL its decision. One that waits no more is no error."""
        self._decisions.answer(answer)

    async def close(self, reason: str) -> None:
        """Close the socket; the charger connects again by itself."""
        await self._socket.close(1000, reason)

    async def execute(self, command: ChargerCommand) -> None:
        """Carry out a command. Return when the charger accepted; raises Refused or Unreachable."""
        if self._is_restarting:
            msg = f"{self.station.charger_id}: {command.kind} not sent, it is told to restart"
            raise Unreachable(msg)
        try:
            await self._calls.opened(command.kind)
            await self._orders.execute(command)
        except Unreachable as unreachable:
            await self._count_timeout(unreachable)
            raise
        except Refused:
            self._answered()
            raise
        self._answered()

    def _answered(self) -> None:
        self._timeouts_in_a_row = self.station.deaf = 0

    async def _call(self, request: Request) -> Json:
        action, payload = request
        check_sent(payload, action, "request", self._dialect.VERSION)
        return await self._calls.call(action, payload)

    @property
    def version(self) -> Version:
        """The version that was agreed on."""
        return self._dialect.VERSION

    async def settled(self) -> None:
        """Wait for the end of the set-up that is under way; what ends the connection then is not laid at its door."""
        if self._setup is not None:
            await asyncio.wait({self._setup})

    async def ask(self, request: Request) -> Json:
        """Send a request in its turn, once the charger has settled. Raises Refused or Unreachable."""
        return await self._call(request)

    @property
    def actions(self) -> tuple[str, ...]:
        """The requests that a person may send."""
        return by_hand.ACTIONS[self._dialect.VERSION]

    async def operate(self, request: OperatorRequest) -> OperatorAnswer:
        """Send what a person asks for, in its turn. Raises Unreachable when no answer came."""
        action = by_hand.examined(request, self._dialect.VERSION)
        if isinstance(action, NotSent):
            return action
        name = self.station.charger_id
        self._log.info(
            "ocpp.by_hand",
            message=f"{name}: {action} was asked for by hand",
            action=action,
            payload=json.dumps(by_hand.redacted(request.payload))[:_FRAME_LOGGED],
            asked_by=request.asked_by,
            forced=request.is_forced,
        )
        changes = by_hand.disturbed(action, request.payload) is not None
        try:
            answer = await self._calls.call(action, request.payload)
        except CallError as error:
            return Faulted(error.code, error.description)
        except Unreachable as unreachable:
            if changes and unreachable.timed_out:
                await self._tell(ChargerInstructed(charger_id=name, action=action))
            raise
        if changes and word(answer.get("status")) not in by_hand.NOTHING_DONE:
            await self._tell(ChargerInstructed(charger_id=name, action=action))
        return Responded(answer)

    async def _count_timeout(self, unreachable: Unreachable) -> None:
        """A charger whose heart beats but that answers nothing gets a new connection: that often cures it.

        One that answers nothing on the next connection either is restarted, once.
        """
        self._timeouts_in_a_row += unreachable.timed_out
        if self._timeouts_in_a_row < _TIMEOUTS_IN_A_ROW_MAX:
            return
        timeouts, self._timeouts_in_a_row = self._timeouts_in_a_row, 0
        self.station.deaf += 1
        restarts = self.station.deaf == _DEAF_BEFORE_RESET and self._tasks is not None
        self._log.warning(
            "ocpp.unresponsive",
            message=f"{self.station.charger_id} answers nothing; "
            + ("it is told to restart" if restarts else "its connection is closed so that it dials anew"),
            timeouts=timeouts,
        )
        if restarts:
            self._is_restarting = True
            self._spawn("restart", self._restart)
        else:
            await self.close("does not answer")

    async def _restart(self) -> None:
        """Tell the charger to start anew, which ends its transaction in an orderly way. It may not hear that either."""
        try:
            answer = await self._call(self._dialect.RESTART)
        except (Refused, Unreachable) as error:
            self._log.info("ocpp.restart_failed", message=f"the restart was of no use: {error}")
        else:
            if word(answer.get("status")) == "accepted":
                self._is_restarting = False
                return
        await self.close("does not answer")

    async def _learn(self, knowledge: Knowledge) -> None:
        await self.station.lessons.keep(knowledge)
        told = knowledge.told
        if told != self.station.told:
            self.station.told = told
            await self._tell(CapabilitiesChanged(charger_id=self.station.charger_id, capabilities=told))

    async def _tell(self, event: Event) -> None:
        if self._retired is None:
            await self._sink.put(event)

    async def _read(self) -> str:
        while True:
            try:
                message = await self._socket.recv()
            except ConnectionClosed as closed:
                self._is_broken = closed.rcvd is None and closed.sent is None
                return str(closed)
            if self._retired is not None:
                return self._retired
            self._pulse.heard()
            self._log.debug("ocpp.frame", direction="in", frame=self._for_log(str(message)))
            frames = parse(message)
            await pace(self.station, frames=len(frames), octets=len(message), clock=self._clock)
            for frame in frames:
                if not await self._supervised("frame", partial(self._take, frame, message)) and isinstance(frame, Call):
                    await self._supervised("apology", partial(self._apologise, frame))

    async def _take(self, frame: Frame, message: str | bytes) -> None:
        match frame:
            case Call():
                await self._take_call(frame)
            case Broken():
                await self._take_broken(frame, message)
            case _:
                self._calls.take(frame)

    async def _take_broken(self, broken: Broken, message: str | bytes) -> None:
        """Answer what can be answered. A transaction message is never refused: it would be repeated for ever."""
        self.garbage += 1
        if self.garbage == 1:
            self._log.warning(
                "ocpp.broken_frame",
                message=f"{self.station.charger_id} sent something that is not OCPP: {broken.reason}",
                excerpt=repr(message[:_EXCERPT]),
            )
        else:
            self._log.debug("ocpp.broken_frame", reason=broken.reason, count=self.garbage)
        if broken.message_id is None:
            return
        action = known_action(broken.action, self._dialect.VERSION)
        if action in _TRANSACTION_ACTIONS:
            await self._take_call(Call(broken.message_id, action, broken.salvage))
        elif not broken.is_type_unknown:
            await self._reply_fault(broken.message_id, self._dialect.FORMAT_ERROR, broken.reason)
        elif self._dialect.VERSION != "1.6":
            await self._reply_fault(broken.message_id, "MessageTypeNotSupported", broken.reason)

    async def _take_call(self, call: Call) -> None:
        self._unanswered = call.message_id
        context = self._context()
        reading = self._dialect.read(call.action, call.payload, context)
        if reading is None:
            is_known = known_action(call.action, self._dialect.VERSION) is not None
            code = "NotSupported" if is_known else "NotImplemented"
            await self._reply_fault(call.message_id, code, f"{call.action[:50]} is not taken here")
            await self._welcome(is_boot=False)
            return
        fault = self._shapes.fault(reading.action, call.payload)
        if fault is not None:
            self._log.warning(
                "ocpp.odd_payload",
                message=f"{self.station.charger_id} sent an odd {reading.action}, taken as far as it goes: {fault}",
                action=reading.action,
            )
        if reading.foreign is not None:
            self.station.remember_foreign(reading.foreign)
        if reading.action in unasked.KEPT:
            self._hear(reading.action, call.payload, context.now)
        await self._answer_or_wait(call, reading, context)
        is_boot = reading.action == "BootNotification"
        if not is_boot:
            await self._welcome(is_boot=False)
        for event in reading.events:
            await self._tell(event)
            if isinstance(event, ChargerBooted):
                self._model = Model(vendor=event.vendor, model=event.model, firmware=event.firmware)
            await self._orders.saw(event)
            if await self._orders.misread(event):
                await self._tell(ChargerInstructed(charger_id=context.charger_id, action="SetChargingProfile"))
            if self._upkeep.begins_polling():
                self._spawn("polling", self._upkeep.poll)
        if is_boot:
            await self._welcome(is_boot=True)

    def _hear(self, action: str, payload: Json, now: datetime) -> None:
        for fact in self.station.hearsay.take(action, payload, now):
            say = getattr(self._log, fact.level)
            say("ocpp.told", message=f"{self.station.charger_id}: {fact.words}", action=action, topic=fact.topic)

    async def _answer_or_wait(self, call: Call, reading: Reading, context: Context) -> None:
        if reading.action == "BootNotification":
            self._calls.restart("it started anew")
        if reading.action == "SignCertificate":
            await self._reply(call.message_id, reading.action, self._signing.answer(call.payload, context.now))
            if self._signing.begins():
                self._spawn("certificate", self._signing.hand_over)
            return
        if reading.reply is not None:
            await self._reply(call.message_id, reading.action, reading.reply)
            return
        self._decisions.expect(context.reply_to)
        self._unanswered = None
        self._spawn("decision", partial(self._confirm, call.message_id, reading, context.reply_to))

    async def _confirm(self, message_id: MessageId, reading: Reading, reply_to: ReplyTo) -> None:
        payload, is_decided = await self._decisions.confirmation(reply_to, reading)
        if not is_decided:
            self._log.warning(
                "ocpp.undecided",
                message=f"{self.station.charger_id} was answered without a decision: {reading.action}",
                action=reading.action,
                answer=payload,
            )
        if payload is None:
            await self.close("no answer could be given, send again")
        else:
            await self._reply(message_id, reading.action, payload)

    async def _apologise(self, call: Call) -> None:
        """A bug of ours: answer all the same. Of transaction messages only a start has no empty confirmation."""
        if self._unanswered is None:
            return
        action = known_action(call.action, self._dialect.VERSION) or call.action
        if action in _TRANSACTION_ACTIONS - {"StartTransaction"}:
            await self._reply(call.message_id, action, {})
        else:
            await self._reply_fault(call.message_id, "InternalError", "")

    def _context(self) -> Context:
        self._messages += 1
        station, now = self.station, self._clock.now()
        reply_to = f"{station.charger_id}/{int(now.timestamp() * 1000)}/{station.connections}/{self._messages}"
        return Context(
            charger_id=station.charger_id,
            connector=station.options.connector,
            now=now,
            reply_to=ReplyTo(reply_to),
            heartbeat_interval_s=self._section.heartbeat_interval_s,
            foreign=station.foreign.keys(),
            spare_transaction_id=station.spare_transaction_id(now),
            mend=station.registers.mended,
        )

    async def _introduce(self) -> None:
        """A charger that says nothing after connecting is one that we know already: it does not boot again."""
        try:
            wait_s = max(self._clock.real_seconds(_INTRODUCTION_S), _INTRODUCTION_REAL_MIN_S)
            async with asyncio.timeout(wait_s):
                await self._greeted.wait()
        except TimeoutError:
            await self._welcome(is_boot=False)

    async def _welcome(self, *, is_boot: bool) -> None:
        """Say once per connection that the charger is there; set it up after each boot, else once."""
        self._greeted.set()
        is_first = not self.is_online
        self.is_online = True
        if is_boot:
            self.station.booted(self._clock.monotonic())
        if is_first:
            self._log.debug("ocpp.online", protocol=self._dialect.PROTOCOL)
            await self._tell(ChargerOnline(charger_id=self.station.charger_id, protocol=self._dialect.PROTOCOL))
        if is_first or is_boot:
            await self._upkeep.fell()
            if self._setup is not None:
                self._setup.cancel()
            self._setup = self._spawn("setup", self._set_up)

    async def _set_up(self) -> None:
        await self._upkeep.recall(self._model)
        await self._clock.sleep(SETTLE_S)
        self._calls.open()
        await self._upkeep.set_up()

    async def _keep_alive(self) -> None:
        if await self._pulse.watch():
            self._log.info("ocpp.silent", message=f"{self.station.charger_id} is silent; its connection is closed")
            await self.close("nothing heard")

    async def _reply(self, message_id: MessageId, action: str, payload: Json) -> None:
        check_sent(payload, action, "answer", self._dialect.VERSION)
        self._unanswered = None
        await self._send_or_drop(encode_result(message_id, payload))

    async def _reply_fault(self, message_id: MessageId, code: str, description: str) -> None:
        self._unanswered = None
        await self._send_or_drop(encode_fault(message_id, code, description))

    async def _send_or_drop(self, frame: str) -> None:
        try:
            await self._send(frame)
        except Unreachable as unreachable:
            self._log.debug("ocpp.answer_lost", reason=str(unreachable))

    async def _send(self, frame: str) -> None:
        self._log.debug("ocpp.frame", direction="out", frame=self._for_log(frame))
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await self._socket.send(frame)
        except (ConnectionClosed, TimeoutError) as error:
            msg = f"{self.station.charger_id}: connection lost while sending"
            raise Unreachable(msg) from error

    def _for_log(self, frame: str) -> str:
        return by_hand.frame_for_log(self.station.without_secrets(frame[:_FRAME_LOGGED]))

    def _spawn(self, what: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        async def supervised() -> None:
            await self._supervised(what, work)

        assert self._tasks is not None, what
        task = self._tasks.create_task(supervised(), name=f"{self.station.charger_id} {what}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _supervised(self, what: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Run a piece of work; a bug in it is logged and costs neither the connection nor the other pieces."""
        try:
            await work()
        except Exception:  # noqa: BLE001  # the one supervisor of this driver
            self._log.exception(
                "ocpp.bug",
                message=f"{self.station.charger_id}: a fault in the driver; the connection goes on",
                work=what,
            )
            return False
        return True
