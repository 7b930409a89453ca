"""What OCPP 2.0.1 stations call a transaction, and what they leave out of it, on the wire."""

from simulator_bench import Bench, Payload, running


def odd(*names: str) -> list[str]:
    return [word for name in names for word in ("--personality", name)]


def told(bench: Bench) -> list[tuple[str, str, str]]:
    """Every event but samples: (type, reason, charging state)."""
    return [
        (event["eventType"], event["triggerReason"], event["transactionInfo"]["chargingState"])
        for event in bench.central.log.all("TransactionEvent")
        if not event["triggerReason"].startswith("MeterValue")
    ]


def ids(bench: Bench) -> set[str]:
    return {event["transactionInfo"]["transactionId"] for event in bench.central.log.all("TransactionEvent")}


async def over(bench: Bench) -> Payload:
    bench.do("unplug")
    return await bench.ended()


async def test_starts_at_plug_in_and_is_authorised_later_in_the_same_transaction() -> None:
    async with running("2.0.1", *odd("starts-at-plug-in")) as bench:
        await bench.ready()
        bench.do("plug")
        begun = await bench.begun()
        assert "idToken" not in begun
        await bench.start()
        await bench.state("Charging")
        assert (await bench.limit(8, purpose="TxProfile", transactionId=bench.transaction_id))["status"] == "Accepted"
        await over(bench)
        assert told(bench) == [
            ("Started", "CablePluggedIn", "EVConnected"),
            ("Updated", "RemoteStart", "EVConnected"),
            ("Updated", "ChargingStateChanged", "Charging"),
            ("Ended", "EVCommunicationLost", "Idle"),
        ]
        assert len(ids(bench)) == 1


async def test_starts_at_authorization_without_a_car_and_ends_when_none_comes() -> None:
    async with running("2.0.1", *odd("starts-at-authorization")) as bench:
        await bench.ready()
        await bench.start()
        await bench.ended()
        assert told(bench) == [("Started", "RemoteStart", "Idle"), ("Ended", "EVConnectTimeout", "Idle")]
        assert all("evse" not in event for event in bench.central.log.all("TransactionEvent"))


async def test_starts_at_authorization_and_the_car_comes() -> None:
    async with running("2.0.1", *odd("starts-at-authorization"), speed=300) as bench:
        await bench.ready()
        await bench.start()
        await bench.plug()
        await bench.state("Charging")
        await over(bench)
        assert told(bench) == [
            ("Started", "RemoteStart", "Idle"),
            ("Updated", "CablePluggedIn", "EVConnected"),
            ("Updated", "ChargingStateChanged", "Charging"),
            ("Ended", "EVCommunicationLost", "Idle"),
        ]


async def test_starts_at_energy_and_tells_of_no_transaction_while_it_is_paused() -> None:
    async with running("2.0.1", *odd("starts-at-energy")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.limit(0)
        assert (await bench.start())["status"] == "Accepted"
        await bench.clock.sleep(300)
        assert told(bench) == []
        await bench.limit(8)
        begun = await bench.begun()
        assert (begun["triggerReason"], begun["transactionInfo"]["remoteStartId"]) == ("ChargingStateChanged", 77)


async def test_ends_at_unplug_goes_on_after_a_stop_and_can_be_started_again() -> None:
    async with running("2.0.1", *odd("ends-at-unplug")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        assert (await bench.stop())["status"] == "Accepted"
        await bench.central.log.expect("TransactionEvent", lambda event: event["triggerReason"] == "RemoteStop")
        assert (await bench.start())["status"] == "Accepted"
        await bench.state("Charging")
        await over(bench)
        assert [event for event in told(bench) if event[0] == "Ended"] == [("Ended", "EVCommunicationLost", "Idle")]
        assert len(ids(bench)) == 1


async def test_late_evse_says_where_in_the_second_event_and_nameless_start_never_why() -> None:
    async with running("2.0.1", *odd("late-evse", "nameless-start")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        begun, second = await bench.begun(), await bench.state("Charging")
        assert "evse" not in begun
        assert second["evse"] == {"id": 1, "connectorId": 1}
        assert "remoteStartId" not in begun["transactionInfo"]
