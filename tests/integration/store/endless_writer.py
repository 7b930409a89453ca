"""Commits for ever and prints the number of each commit once it is acknowledged. To be killed."""

import asyncio
import sys

from visits import GARAGE, commit, entry, ledger, partition, settled

from chargerd.store import SqliteStore


def acknowledge(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def main() -> None:
    async with SqliteStore.open(sys.argv[1]) as store:
        state = (await store.load()).get(GARAGE)
        made = state.sessions_made if state else 0
        acknowledge(made)
        while True:
            made += 1
            grown = partition(cells=ledger(*range(made)), made=made)
            await store.commit(commit(grown, settled=(settled(f"past-{made}"),), log=(entry(f"commit {made}"),)))
            acknowledge(made)


asyncio.run(main())
