"""The demonstration, as a newcomer runs it."""

import json

import pytest
from house import chargerd

from chargerd.api.invariants import check, check_series

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_the_demo_prints_two_settled_documents_that_met_their_targets() -> None:
    ended = chargerd("demo", "--nights", "1", "--json", "--speed", "2000", timeout_s=150)
    assert (ended.returncode, ended.stderr) == (0, "")
    documents = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len({document["policyId"] for document in documents}) == len(documents) == 2
    for document in documents:
        assert (*check(document), *check_series(document)) == ()
        assert document["state"] == "SETTLED"
        assert document["statistics"]["aggregated"]["batteryTo"] >= document["target"]["latest"]["minimumChargeTarget"]
        assert document["outcome"]["latest"]["state"] == "ON_TARGET"
        assert document["blocks"]
