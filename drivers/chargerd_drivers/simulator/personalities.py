"""Chargers and cars as they are, by name: what each does differently, and where that was seen.

A personality is a handful of knobs (see ``behaviour``); several combine, as long as they do not contradict each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from chargerd_drivers.simulator.behaviour import (
    Behaviour,
    Configuration,
    Connection,
    Limits,
    Meter,
    StartPoint,
    Statuses,
    Transactions,
    Vehicle,
    merged,
)
from chargerd_drivers.simulator.profiles import Purpose, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """``summary`` says what it does, ``seen`` with whom. ``version`` is the only OCPP version that has it, if any."""

    summary: str
    seen: str
    behaviour: Behaviour
    version: str | None = None


def combined(names: Iterable[str], *, version: str) -> Behaviour:
    """Put personalities together. Raises ValueError with a sentence that says what was expected."""
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in PERSONALITIES:
            raise ValueError(f"personality {name!r}: expected one of {', '.join(PERSONALITIES)}")
        only = PERSONALITIES[name].version
        if only not in {None, version}:
            raise ValueError(
                f"personality {name}: only a charger of OCPP {only} can be like that, not one of {version}"
            )
    try:
        return reduce(merged, (PERSONALITIES[name].behaviour for name in chosen), Behaviour())
    except ValueError as error:
        raise ValueError(f"personalities {' and '.join(chosen)} contradict each other: {error}") from error


def listing() -> str:
    """Return one line for each."""
    width = max(map(len, PERSONALITIES))
    lines = (
        f"{name:{width}}  {trait.summary} ({trait.seen})" + (f" [{trait.version} only]" if trait.version else "")
        for name, trait in PERSONALITIES.items()
    )
    return "\n".join(lines) + "\n"


_ALL = frozenset(Purpose)

PERSONALITIES = {
    # Connection
    "slow-answers": Personality(
        summary="carries out and answers each request 45 to 55 s after it came, one at a time",
        seen="Mennekes 4You: evcc #26837, #27418",
        behaviour=Behaviour(connection=Connection(answer_after_s=(45, 55))),
    ),
    "never-answers-start": Personality(
        summary="carries out a remote start and never answers it",
        seen="Khons: lbbrhzn/ocpp #2083",
        behaviour=Behaviour(
            connection=Connection(unanswered=frozenset({"RemoteStartTransaction", "RequestStartTransaction"}))
        ),
    ),
    "boots-on-early-call": Personality(
        summary="restarts when a request comes within 2 s of the answer to its boot",
        seen="Wallbox Commander 2, Growatt THOR, MG: lbbrhzn/ocpp #1503, evcc #30113",
        behaviour=Behaviour(connection=Connection(early_s=2)),
    ),
    "zombie": Personality(
        summary="hears no request on a connection older than 2 hours; goes on sending",
        seen="evcc #32039",
        behaviour=Behaviour(connection=Connection(deaf_after_s=7200)),
    ),
    "skewed-clock": Personality(
        summary="its clock is 10 minutes behind, whatever it is told",
        seen="many, after weeks or a restart without a network",
        behaviour=Behaviour(connection=Connection(clock_off_s=-600)),
    ),
    "authorize-first": Personality(
        summary="answers a remote start after it has asked about the token",
        seen="many: evcc #29838, citrineos-core #178",
        version="1.6",
        behaviour=Behaviour(transactions=Transactions(authorize_first=True)),
    ),
    "offline-replayer": Personality(
        summary="begins a transaction by itself at plug-in, and tells one that began offline later, with the id -1",
        seen="Alfen and others: SteVe #1347",
        version="1.6",
        behaviour=Behaviour(transactions=Transactions(autostart="", unnumbered_offline=True)),
    ),
    # Plug and transactions
    "no-preparing": Personality(
        summary="says Available until a transaction begins, whether a car is there or not",
        seen="ABB Terra, EVBox Elvi: evcc #8116",
        version="1.6",
        behaviour=Behaviour(statuses=Statuses(preparing=False)),
    ),
    "available-while-plugged": Personality(
        summary="says Available for 20 s after each transaction, with the car still there",
        seen="FoxESS, Autel, EVerest: lbbrhzn/ocpp #2008, libocpp #813",
        behaviour=Behaviour(statuses=Statuses(finishing_is_available=True, finishing_s=20)),
    ),
    "autostart": Personality(
        summary="begins a transaction by itself at plug-in, at full current, with an empty id token",
        seen="MicroOcpp, SmartEVSE, EVBox, ABB, Easee: evcc #14733, MicroOcpp #307",
        behaviour=Behaviour(transactions=Transactions(autostart="")),
    ),
    "stop-is-terminal": Personality(
        summary="begins no transaction after another one before the plug was out, or a restart",
        seen="ZJ Beny, Autel, Teltonika, Wallbox Pulsar, BMW: evcc #12861, #14348",
        behaviour=Behaviour(transactions=Transactions(stop_is_terminal=True)),
    ),
    "refuses-stop": Personality(
        summary="answers a remote stop with Rejected; heeds limits",
        seen="EVBox Elvi in autostart: lbbrhzn/ocpp #870, #1491",
        behaviour=Behaviour(transactions=Transactions(obeys_stop=False)),
    ),
    "short-transactions": Personality(
        summary="ends a transaction 5 s after a remote start, each time",
        seen="Huawei SCharger: lbbrhzn/ocpp #1810, evcc #29272",
        behaviour=Behaviour(transactions=Transactions(lasts_s=5), statuses=Statuses(finishing_s=0)),
    ),
    "token-only": Personality(
        summary='takes a remote start only with the id tag of its key PlugAndChargeIdentifier, "freecharge"',
        seen="Alfen Eve, KEBA: evcc #5021",
        version="1.6",
        behaviour=Behaviour(transactions=Transactions(only_id="freecharge")),
    ),
    "starts-at-plug-in": Personality(
        summary="begins a transaction when a car is plugged in",
        seen="TxStartPoint EVConnected",
        version="2.0.1",
        behaviour=Behaviour(transactions=Transactions(start_point=StartPoint.EV_CONNECTED)),
    ),
    "starts-at-authorization": Personality(
        summary="begins a transaction when somebody is authorised, car or no car",
        seen="TxStartPoint Authorized: libocpp #761",
        version="2.0.1",
        behaviour=Behaviour(transactions=Transactions(start_point=StartPoint.AUTHORIZED)),
    ),
    "starts-at-energy": Personality(
        summary="begins a transaction when energy flows",
        seen="TxStartPoint EnergyTransfer: BMW",
        version="2.0.1",
        behaviour=Behaviour(transactions=Transactions(start_point=StartPoint.ENERGY_TRANSFER)),
    ),
    "ends-at-unplug": Personality(
        summary="goes on with a transaction that was stopped until the car leaves",
        seen="TxStopPoint EVConnected",
        version="2.0.1",
        behaviour=Behaviour(transactions=Transactions(until_unplug=True)),
    ),
    "late-evse": Personality(
        summary="says in the second event of a transaction where it is",
        seen="FoxESS, EVerest: lbbrhzn/ocpp #2135",
        version="2.0.1",
        behaviour=Behaviour(transactions=Transactions(evse_late=True)),
    ),
    "nameless-start": Personality(
        summary="never repeats the id of the remote start",
        seen="BMW, FoxESS",
        version="2.0.1",
        behaviour=Behaviour(transactions=Transactions(start_named=False)),
    ),
    "available-before-stop": Personality(
        summary="when a car leaves while it charges, says so before it ends the transaction",
        seen="OCPP 2.0.1 asks for that order, OCPP 1.6 for the other",
        version="1.6",
        behaviour=Behaviour(statuses=Statuses(available_first=True)),
    ),
    "persists-over-restart": Personality(
        summary="a restart ends no transaction: it goes on with its limits",
        seen="nobody by name; OCPP 1.6 lets a transaction go on after a power failure",
        behaviour=Behaviour(transactions=Transactions(survives_restart=True)),
    ),
    # Limits
    "zero-is-stop": Personality(
        summary="ends the transaction at a limit under 6 A; one begun under such a limit locks it until unplugged",
        seen="Huawei SCharger, EN+, NEcharge, BMW: evcc #29272, sem-community #976",
        behaviour=Behaviour(limits=Limits(zero_stops=True)),
    ),
    "ignores-profile": Personality(
        summary="takes every profile and heeds none before the next transaction",
        seen="boxes in eco or solar mode: lbbrhzn/ocpp #877, evcc #15707",
        behaviour=Behaviour(limits=Limits(deaf=_ALL)),
    ),
    "next-transaction-only": Personality(
        summary="heeds a TxDefaultProfile from the next transaction on; a TxProfile at once",
        seen="CHARX, Wallbox: ConnectorIO #160",
        behaviour=Behaviour(limits=Limits(deaf=frozenset({Purpose.TX_DEFAULT}))),
    ),
    "rejects-tx-profile": Personality(
        summary="rejects every TxProfile",
        seen="ABB Terra 1.8, MicroOcpp: evcc #15493, MicroOcpp #346",
        behaviour=Behaviour(limits=Limits(purposes=_ALL - {Purpose.TX})),
    ),
    "station-profile-only": Personality(
        summary="takes a limit only for the whole station",
        seen="nobody yet; the standards allow it",
        behaviour=Behaviour(limits=Limits(purposes=frozenset({Purpose.STATION_MAX}))),
    ),
    "needs-transaction-id": Personality(
        summary="rejects a TxProfile that does not name its transaction",
        seen="ABB Terra: evcc #9766",
        version="1.6",
        behaviour=Behaviour(limits=Limits(transaction_id=True)),
    ),
    "watts-only": Personality(
        summary="rejects limits in A",
        seen="Huawei SCharger, FoxESS: evcc, lbbrhzn/ocpp #2134",
        behaviour=Behaviour(limits=Limits(units=frozenset({Unit.WATT}))),
    ),
    "amps-only": Personality(
        summary="rejects limits in W",
        seen="many; ChargingScheduleAllowedChargingRateUnit is their choice",
        behaviour=Behaviour(limits=Limits(units=frozenset({Unit.AMPERE}))),
    ),
    "amps-as-watts": Personality(
        summary="takes a limit in A for one in W, so that 16 lets nothing flow",
        seen="several: OCPP 1.6 errata 3.38 warns of it",
        behaviour=Behaviour(limits=Limits(amperes_are_watts=True)),
    ),
    "relative-only": Personality(
        summary="rejects absolute schedules",
        seen="Wallbox: evcc #22139, #25042",
        behaviour=Behaviour(limits=Limits(absolute=False)),
    ),
    "absolute-unaware": Personality(
        summary="counts an absolute schedule from the transaction's start",
        seen="Wallbox: evcc #16430",
        behaviour=Behaviour(limits=Limits(start_ignored=True)),
    ),
    "single-period": Personality(
        summary="rejects schedules of more than one period, and says so in its configuration",
        seen="nobody yet; the standards allow it",
        behaviour=Behaviour(limits=Limits(periods_max=1)),
    ),
    "first-period-only": Personality(
        summary="takes schedules of 24 periods and follows the first one for ever",
        seen="nobody yet; feared of small stacks",
        behaviour=Behaviour(limits=Limits(first_period_only=True)),
    ),
    "profile-needs-car": Personality(
        summary="rejects profiles while no car is there",
        seen="Wallbox: evcc #16768, #15864",
        behaviour=Behaviour(limits=Limits(needs_car=True)),
    ),
    "profile-burner": Personality(
        summary="takes level 0 only; a TxProfile set over another one is rejected, and after it every later one",
        seen="BMW: JoaoPedroBelo/bmw-wallbox-ha #18; EVerest: libocpp #746",
        behaviour=Behaviour(limits=Limits(replaces=False, stack_level_max=0)),
    ),
    "clears-nothing": Personality(
        summary="answers every clearing of profiles with Unknown and keeps them",
        seen="go-e: goecharger #187",
        behaviour=Behaviour(limits=Limits(clears=False)),
    ),
    "stale-profile": Personality(
        summary="holds a TxDefaultProfile of 8 A and the highest level from another central system",
        seen="any that was used before: lbbrhzn/ocpp #2148",
        behaviour=Behaviour(limits=Limits(stale_a=8)),
    ),
    "inrush": Personality(
        summary="heeds no limit after a pause until the next one is set",
        seen="go-e, Easee, BMW: goecharger #155",
        behaviour=Behaviour(limits=Limits(resumes_free=True)),
    ),
    "first-transaction-unlimited": Personality(
        summary="heeds no limit in the first transaction after a start until the next one is set",
        seen="EVerest: libocpp #582",
        behaviour=Behaviour(limits=Limits(first_free=True)),
    ),
    "free-when-offline": Personality(
        summary="forgets all profiles when the connection is lost, and charges without a limit",
        seen="go-e: goecharger #155",
        behaviour=Behaviour(limits=Limits(offline_free=True)),
    ),
    "forgets-at-restart": Personality(
        summary="has no profiles after a restart",
        seen="nobody yet; OCPP 1.6 asks only for the contrary",
        behaviour=Behaviour(limits=Limits(forgets=True)),
    ),
    # The meter
    "trigger-only-meter": Personality(
        summary="sends samples only when it is asked for them, whatever interval it accepts",
        seen="Wallbox firmware 6, SyncEV: evcc #28539, lbbrhzn/ocpp #510",
        behaviour=Behaviour(meter=Meter(pushed=False)),
    ),
    "coarse-meter": Personality(
        summary="samples each 7 minutes, cannot be changed, and never on the quarter hour",
        seen="go-e, Mennekes: goecharger #126, evcc #32236",
        behaviour=Behaviour(meter=Meter(interval_s=420)),
    ),
    "session-register": Personality(
        summary="its register begins at 0 with each plug-in",
        seen="Grizzl-E, GivEVC, ABB Terra: lbbrhzn/ocpp #374, ChargeTimeEU #331",
        behaviour=Behaviour(meter=Meter(per_session=True)),
    ),
    "offset-register": Personality(
        summary="its periodic samples show 2^32 Wh more than those on the quarter hour",
        seen="Zaptec Go2: evcc #29190",
        behaviour=Behaviour(meter=Meter(offset_wh=2**32)),
    ),
    "zero-meter-ends": Personality(
        summary="says 0 Wh at the start and at the end of each transaction",
        seen="Alfen, ABL, Wallbox: evcc #29374, SteVe #1297",
        version="1.6",
        behaviour=Behaviour(meter=Meter(ends=False)),
    ),
    "kwh-meter": Personality(
        summary="counts in kWh and kW",
        seen="many; the standards allow it",
        behaviour=Behaviour(meter=Meter(kwh=True)),
    ),
    "per-phase-meter": Personality(
        summary="tells a register for each phase and no total",
        seen="Sino PEVC2107: evcc #19351, #19590",
        behaviour=Behaviour(meter=Meter(per_phase=True)),
    ),
    "power-only-meter": Personality(
        summary="samples power and current; tells energy at the start and the end of a transaction only",
        seen="go-e, FoxESS: goecharger #105",
        behaviour=Behaviour(meter=Meter(measurands=frozenset({"Power.Active.Import", "Current.Import"}))),
    ),
    "current-only-meter": Personality(
        summary="samples current on each phase and nothing else",
        seen="EN+ and others: lbbrhzn/ocpp",
        behaviour=Behaviour(meter=Meter(measurands=frozenset({"Current.Import"}), ends=False)),
    ),
    "bare-values": Personality(
        summary="its register has neither name nor unit",
        seen="minimal stacks: evcc #5130",
        version="1.6",
        behaviour=Behaviour(meter=Meter(bare=True)),
    ),
    "decimal-comma": Personality(
        summary="spells fractions with a comma",
        seen="nobody yet; feared of boxes with a locale",
        version="1.6",
        behaviour=Behaviour(meter=Meter(comma=True)),
    ),
    "anonymous-samples": Personality(
        summary="names the transaction 0 in every sample",
        seen="Wallbox Pulsar: mobilityhouse/ocpp #478",
        version="1.6",
        behaviour=Behaviour(meter=Meter(named=False)),
    ),
    "scaled-units": Personality(
        summary="divides energy and power by 1000 and says so with a multiplier",
        seen="any of OCPP 2.0.1, which allows it",
        version="2.0.1",
        behaviour=Behaviour(meter=Meter(multiplier=3)),
    ),
    "meter-in-ended": Personality(
        summary="sends all samples of a transaction with its end",
        seen="BMW: JoaoPedroBelo/bmw-wallbox-ha",
        version="2.0.1",
        behaviour=Behaviour(meter=Meter(with_end=True)),
    ),
    # Configuration
    "deadly-key": Personality(
        summary="restarts when it is asked for its MeterValuesSampledData",
        seen="ABB Terra up to 1.8.21: lbbrhzn/ocpp #1275",
        version="1.6",
        behaviour=Behaviour(configuration=Configuration(deadly_key="MeterValuesSampledData")),
    ),
    "feigns-settings": Personality(
        summary="accepts every setting and changes none",
        seen="Grizzl-E, EVBox, Morek: lbbrhzn/ocpp #442, #2",
        behaviour=Behaviour(configuration=Configuration(feigned=True)),
    ),
    "one-item": Personality(
        summary="takes one variable per message",
        seen="several: citrineos-core #919",
        version="2.0.1",
        behaviour=Behaviour(configuration=Configuration(items_max=1)),
    ),
    "endless-report": Personality(
        summary="never says that a report is at its end",
        seen="EVBox Livo, FoxESS: lbbrhzn/ocpp #1432, #2008",
        version="2.0.1",
        behaviour=Behaviour(configuration=Configuration(endless_report=True)),
    ),
    # The car
    "sleeping-car": Personality(
        summary="a car that takes nothing after a pause of 30 minutes, until a new transaction",
        seen="Tesla Model 3, Dacia, Renault: evcc #2233, #11958",
        behaviour=Behaviour(vehicle=Vehicle(sleeps_after_s=1800)),
    ),
    "charging-without-power": Personality(
        summary="a car that sleeps after a pause of 30 minutes while the charger says Charging",
        seen="cFos: evcc #14210",
        behaviour=Behaviour(vehicle=Vehicle(sleeps_after_s=1800, sleep_is_charging=True)),
    ),
}
"""By name."""
