# ruff: noqa: E501 - one case per line reads as a table
"""What each source is asked, and what its answers mean. Fixtures are recorded or documented: see their README."""

import json
import random
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from chargerd.core.units import utc
from chargerd.errors import FeedError
from chargerd.tariff import TARIFFS
from chargerd.tariff.entsoe import AREAS
from chargerd.tariff.feed import Answer, Question
from chargerd.tariff.web import Request

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tariff"
DOCUMENTED = FIXTURES / "documented"
BERLIN = ZoneInfo("Europe/Berlin")
TOKEN = "s3cret-t0ken"
QUESTION = Question(utc(2026, 1, 13, 23), utc(2026, 1, 15, 23), BERLIN, TOKEN)

SECTIONS: dict[str, dict[str, Any]] = {
    "energy-charts": {"bidding_zone": "DE-LU"},
    "awattar": {"country": "de"},
    "entsoe": {"area": "DE-LU", "token_file": "entsoe"},
    "octopus": {"product": "AGILE-24-10-01", "tariff": "E-1R-AGILE-24-10-01-C"},
    "tibber": {"token_file": "tibber"},
    "nord-pool": {"area": "SE3", "currency": "SEK"},
    "http-json": {
        "url": "https://prices.example/v2?from={start}&to={end}",
        "list_path": "result.prices",
        "start_path": "from",
        "end_path": "till",
        "price_path": "values.0.amount",
        "unit": "ct/kWh",
    },
}
ANSWERS = {
    "energy-charts": FIXTURES / "energy-charts" / "response-2025-10-01.json",
    "awattar": DOCUMENTED / "awattar-de.json",
    "entsoe": DOCUMENTED / "entsoe-a44-a03.xml",
    "octopus": DOCUMENTED / "octopus-agile.json",
    "tibber": DOCUMENTED / "tibber-quarters.json",
    "nord-pool": DOCUMENTED / "nord-pool-se3.json",
    "http-json": DOCUMENTED / "generic.json",
}


def options(kind: str, **more: Any) -> Any:
    return TARIFFS[kind].options.model_validate({"kind": kind, **SECTIONS[kind], **more})


def asked(kind: str, question: Question = QUESTION, **more: Any) -> list[Request]:
    feed = TARIFFS[kind].feed
    assert feed is not None
    return list(feed.requests(options(kind, **more), question))


def read(kind: str, text: str, **more: Any) -> Answer:
    feed = TARIFFS[kind].feed
    assert feed is not None
    return feed.read(options(kind, **more), QUESTION, text)


def rows(answer: Answer) -> list[str]:
    found = []
    for told in answer.told:
        end = "" if told.end is None else f"-{told.end:%H:%M:%S}"
        found.append(f"{told.start:%d %H:%M}{end} {told.price.normalize():f}")
    return found


def query(request: Request) -> dict[str, str]:
    return {key: value for key, (value,) in parse_qs(urlsplit(request.url).query).items()}


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2025-09-30", "29 22:00 0.1011", "30 21:00 0.09254"),
        ("2025-10-01", "30 22:00 0.1026", None),
        ("2025-10-26", None, None),
        ("2026-03-29", None, None),
    ],
)
def test_energy_charts_as_recorded(day: str, first: str | None, last: str | None) -> None:
    text = (FIXTURES / "energy-charts" / f"response-{day}.json").read_text()
    answer = read("energy-charts", text)
    assert answer.currency == "EUR"
    assert len(answer.told) == len(json.loads(text)["price"])
    assert first in {None, rows(answer)[0]}
    assert last in {None, rows(answer)[-1]}
    assert all(one.start < other.start for one, other in pairwise(answer.told))


def test_energy_charts_is_asked_by_the_days_of_the_market() -> None:
    (request,) = asked("energy-charts")
    assert request.url.startswith("https://api.energy-charts.info/price?")
    assert query(request) == {"bzn": "DE-LU", "start": "2026-01-14", "end": "2026-01-15"}


def test_energy_charts_leaves_out_what_is_not_known_yet() -> None:
    answer = read(
        "energy-charts", '{"unix_seconds": [1768345200, 1768346100], "price": [12.5, null], "unit": "EUR / MWh"}'
    )
    assert rows(answer) == ["13 23:00 0.0125"]


@pytest.mark.parametrize("country", ["at", "de"])
def test_awattar(country: str) -> None:
    (request,) = asked("awattar", country=country)
    assert request.url == f"https://api.awattar.{country}/v1/marketdata?start=1768345200000&end=1768518000000"
    answer = read("awattar", ANSWERS["awattar"].read_text())
    assert rows(answer) == ["13 23:00-00:00:00 0.08431", "14 00:00-01:00:00 -0.0025", "14 01:00-02:00:00 0"]


def test_entsoe_is_asked_in_utc_with_the_token() -> None:
    (request,) = asked("entsoe")
    assert query(request) == {
        "securityToken": TOKEN,
        "documentType": "A44",
        "in_Domain": "10Y1001A1001A82H",
        "out_Domain": "10Y1001A1001A82H",
        "periodStart": "202601132300",
        "periodEnd": "202601152300",
    }
    assert request.has_secret
    assert TOKEN not in repr(request) + repr(QUESTION)


def test_entsoe_repeats_the_last_point_of_a_variable_curve_and_takes_the_coupled_auction() -> None:
    """The 15-minute switch of 2025-10-01: points that equal the one before them are left out (A03)."""
    answer = read("entsoe", ANSWERS["entsoe"].read_text())
    assert [told.price for told in answer.told] == [
        Decimal(price) / 1000 for price in ("80.5", "-1.2", "-1.2", "-1.2", "75.00", "0", "0", "0")
    ]
    assert answer.told[0].start == utc(2026, 1, 13, 23)
    assert answer.told[-1].end == utc(2026, 1, 14, 1)


def test_entsoe_leaves_a_missing_point_of_a_fixed_curve_missing() -> None:
    text = ANSWERS["entsoe"].read_text().replace("<curveType>A03", "<curveType>A01")
    assert [told.start.minute for told in read("entsoe", text).told] == [0, 15, 0, 15]


def test_entsoe_has_periods_of_an_hour_too() -> None:
    text = ANSWERS["entsoe"].read_text().replace("PT15M", "PT60M")
    answer = read("entsoe", text)
    assert [told.price for told in answer.told] == [Decimal("0.0805"), Decimal("-0.0012")]


def test_a_price_that_is_next_to_nothing_is_nothing() -> None:
    """Else its spelling with a point would have a million digits."""
    text = '[{"at": 1768345200, "ct": 1e-999999999}, {"at": 1768348800, "ct": 0e-99999}, {"at": 1768352400, "ct": "-1E-3"}]'
    answer = read("http-json", text, list_path="", start_path="at", end_path=None, price_path="ct")
    assert [str(told.price) for told in answer.told] == ["0", "0", "-0.00001"]


def test_entsoe_without_data_is_an_empty_answer() -> None:
    assert read("entsoe", (DOCUMENTED / "entsoe-no-data.xml").read_text()) == Answer()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ((DOCUMENTED / "entsoe-no-data.xml").read_text().replace("999", "500"), "expected prices, got: No matching data"),
        ("<html><body>Maintenance</body></html>", "expected a Publication_MarketDocument, got html"),
        ("Service unavailable", "expected prices in XML, got: syntax error"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>', "got a page with a document type"),
        (ANSWERS["entsoe"].read_text().replace("PT15M", "P1M"), "expected a resolution as PT15M, got 'P1M'"),
        (ANSWERS["entsoe"].read_text().replace(">EUR<", "><"), "expected a unit of price"),
        (ANSWERS["entsoe"].read_text().replace("01:00Z", "01:00Z".replace("01", "22")).replace("2026-01-14T22", "2027-01-14T22"), "expected a period of 1 to 20000 points, got 35132"),
        (ANSWERS["entsoe"].read_text().replace(">80.5<", ">1e999999999999999998<"), "expected a position and a price, got '1' and '1e999999999999999998'"),
        (ANSWERS["entsoe"].read_text().replace(">80.5<", ">8o.5<"), "expected a position and a price, got '1' and '8o.5'"),
    ],
)  # fmt: skip
def test_entsoe_in_trouble_is_told(text: str, words: str) -> None:
    with pytest.raises(FeedError) as caught:
        read("entsoe", text)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", AREAS)
def test_the_codes_of_bidding_zones_have_their_check_character(name: str) -> None:
    """The last character of an EIC: 36 - ((sum of value x weight 16..2) - 1) mod 37 (ENTSO-E, EIC reference manual)."""
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    code = AREAS[name]
    total = sum(signs.index(sign) * weight for sign, weight in zip(code[:15], range(16, 1, -1), strict=True))
    assert code[15] == signs[36 - (total - 1) % 37]


def test_octopus_asks_for_the_stretch_and_reads_pence_with_vat() -> None:
    (request,) = asked("octopus")
    path = "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/"
    assert urlsplit(request.url)[:3] == ("https", "api.octopus.energy", path)
    assert query(request) == {"period_from": "2026-01-13T23:00Z", "period_to": "2026-01-15T23:00Z", "page_size": "500"}
    answer = read("octopus", ANSWERS["octopus"].read_text())
    assert (answer.currency, answer.following) == ("GBP", None)
    assert rows(answer) == ["14 17:00-17:30:00 0.3276", "14 16:30-17:00:00 0.21", "14 16:00-16:30:00 -0.0105"]


def test_octopus_has_rates_until_further_notice_and_further_pages() -> None:
    rate = {"value_inc_vat": 24.5, "valid_from": "2025-10-01T00:00:00Z", "valid_to": None}
    answer = read("octopus", json.dumps({"next": "https://api.octopus.energy/v1?page=2", "results": [rate]}))
    assert answer.told[0].end == QUESTION.end
    assert answer.following == "https://api.octopus.energy/v1?page=2"


def test_tibber_is_asked_for_quarters_with_the_token_in_a_header() -> None:
    (request,) = asked("tibber")
    assert request.url == "https://api.tibber.com/v1-beta/gql"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "priceInfo(resolution: QUARTER_HOURLY)" in json.loads(request.body or "")["query"]
    assert TOKEN not in repr(request)


def test_tibber_takes_the_only_home_with_a_contract() -> None:
    answer = read("tibber", ANSWERS["tibber"].read_text())
    assert answer.currency == "SEK"
    assert rows(answer) == ["13 23:00-23:15:00 1.0352", "13 23:15-23:30:00 -0.02"]
    hourly = read("tibber", ANSWERS["tibber"].read_text(), resolution="HOURLY")
    assert rows(hourly)[0] == "13 23:00-00:00:00 1.0352"


def test_tibber_with_several_homes_wants_one_named() -> None:
    document = json.loads(ANSWERS["tibber"].read_text())
    homes = document["data"]["viewer"]["homes"]
    homes[0]["currentSubscription"] = homes[1]["currentSubscription"]
    with pytest.raises(FeedError, match=r"expected one home with a contract, got 0a0b0c0d.*, 96a14971.*; name it"):
        read("tibber", json.dumps(document))
    assert read("tibber", json.dumps(document), home="96A14971-525A-4420-AAE9-E5AEDAA129FF").told


def test_tibber_refusing_a_token_is_told() -> None:
    with pytest.raises(FeedError, match="expected prices, got: No valid access token found in request"):
        read("tibber", (DOCUMENTED / "tibber-refused.json").read_text())


def test_nord_pool_is_asked_day_by_day() -> None:
    assert [query(request) for request in asked("nord-pool")] == [
        {"date": f"2026-01-{day}", "market": "DayAhead", "deliveryArea": "SE3", "currency": "SEK"} for day in (14, 15)
    ]
    answer = read("nord-pool", ANSWERS["nord-pool"].read_text())
    assert answer.currency == "SEK"
    assert rows(answer) == ["13 23:00-23:15:00 0.61253", "13 23:15-23:30:00 -0.0041"]


def test_nord_pool_in_another_currency_is_no_answer() -> None:
    with pytest.raises(FeedError, match="expected prices in EUR, got SEK"):
        read("nord-pool", ANSWERS["nord-pool"].read_text(), currency="EUR")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/{start}/{end}", ["https://a.example/2026-01-13T23:00:00Z/2026-01-15T23:00:00Z"]),
        ("https://a.example/?s={start_unix}&e={end_ms}", ["https://a.example/?s=1768345200&e=1768518000000"]),
        ("https://a.example/{date}.json", ["https://a.example/2026-01-14.json", "https://a.example/2026-01-15.json"]),
        ("https://a.example/", ["https://a.example/"]),
    ],
)
def test_any_server_is_asked_as_its_url_says(url: str, expected: list[str]) -> None:
    assert [request.url for request in asked("http-json", url=url)] == expected


def test_any_server_may_want_headers_and_a_token() -> None:
    (request,) = asked(
        "http-json", headers={"X-Area": "SE3"}, token_file="key", token_header="X-Api-Key", token_prefix=""
    )
    assert request.headers == {"Accept": "application/json", "X-Area": "SE3", "X-Api-Key": TOKEN}


def test_any_list_is_read_by_its_paths() -> None:
    """Ends at :59:59 are the rule rather than the exception, and a price may be a text, or not there yet."""
    answer = read("http-json", ANSWERS["http-json"].read_text())
    assert rows(answer) == ["13 23:00-23:59:59 0.2451", "14 01:00-01:59:59 -0.005"]
    flat = read(
        "http-json",
        "[[1768345200, 31.5], [1768348800000, 32]]",
        list_path="",
        start_path="0",
        end_path=None,
        price_path="1",
        unit="öre/kWh",
    )
    assert rows(flat) == ["13 23:00 0.315", "14 00:00 0.32"]
    assert flat.currency == "SEK"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!doctype html><html><title>Sign in</title>", "expected JSON, got a page titled 'Sign in'"),
        ("<error/>", "expected JSON, got a page of markup"),
        ("", "expected JSON, got nothing"),
        ("[1e99999999999999999999]", "expected JSON, got '[1e99999999999999999999]'"),
        ('{"result": {"prices": [{"values": [{"amount": 1e999999999999999998}]}]}}', "expected a price as a number, got Decimal('1E+999999999999999998')"),
        ("prices: none", "expected JSON, got 'prices: none'"),
        ("[" * 100_000, "expected JSON, got"),
        ("{}", "expected 'result.prices', got an object without 'result'"),
        ('{"result": {"prices": null}}', "expected a list at 'result.prices', got null"),
        ('{"result": {"prices": [7]}}', "expected 'values.0.amount', got 7 without 'values'"),
        ('{"result": {"prices": [{"values": [{"amount": true}]}]}}', "expected a price as a number, got True"),
        ('{"result": {"prices": [{"values": [{"amount": "a lot"}]}]}}', "expected a price as a number, got 'a lot'"),
        ('{"result": {"prices": [{"values": [{"amount": 1}], "from": "2026-01-14T00:00", "till": ""}]}}', "expected a time with its zone, or Unix time, got ''"),
        ('{"result": {"prices": [{"values": [{"amount": 1}], "from": "2026-01-14T00:00", "till": 1768345200}]}}', "expected a time with its zone, or Unix time, got '2026-01-14T00:00'"),
        ('{"result": {"prices": [{"values": [{"amount": 1}], "from": 1e99, "till": 1768345200}]}}', "expected a time with its zone"),
        ('{"result": {"prices": [{"values": [{"amount": 1}], "from": "9999-12-31T23:59Z", "till": 1768345200}]}}', "expected a time with its zone"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_prices_is_told(text: str, words: str) -> None:
    with pytest.raises(FeedError) as caught:
        read("http-json", text)
    assert words in str(caught.value)


def spoiled(document: Any, chance: random.Random) -> Any:
    """The document with something in it that is of another kind."""
    odd = [
        None,
        True,
        -1,
        10**400,
        1e300,
        "1e999999999999999998",
        "",
        "x",
        [],
        {},
        [[]],
        {"": None},
        1.5,
        "2026-13-01T00:00Z",
    ]
    if chance.random() < 0.03:
        return chance.choice(odd)
    if isinstance(document, dict):
        return {key: spoiled(value, chance) for key, value in document.items() if chance.random() > 0.02}
    if isinstance(document, list):
        return [spoiled(value, chance) for value in document[:8]]
    return document


@pytest.mark.parametrize("kind", [kind for kind in SECTIONS if kind != "entsoe"])
def test_whatever_is_answered_is_read_or_refused_in_words(kind: str) -> None:
    document, refused = json.loads(ANSWERS[kind].read_text()), 0
    for seed in range(400):
        try:
            read(kind, json.dumps(spoiled(document, random.Random(seed))))
        except FeedError:
            refused += 1
    assert 20 < refused < 400


def test_whatever_xml_is_answered_is_read_or_refused_in_words() -> None:
    text, refused = ANSWERS["entsoe"].read_text(), 0
    for seed in range(400):
        chance = random.Random(seed)
        lines = [line for line in text.splitlines() if chance.random() > 0.03]
        at = chance.randrange(len(text))
        for broken in ("\n".join(lines), text[:at] + chance.choice("<>&0x-") + text[at + 1 :]):
            try:
                read("entsoe", broken)
            except FeedError:
                refused += 1
    assert 100 < refused < 800


def test_a_question_of_one_day_asks_for_one_day() -> None:
    question = Question(QUESTION.start, QUESTION.start + timedelta(days=1), BERLIN)
    assert len(asked("nord-pool", question)) == 1
    assert query(asked("energy-charts", question)[0])["end"] == "2026-01-14"
