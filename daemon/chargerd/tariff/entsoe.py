"""Day-ahead prices from the ENTSO-E Transparency Platform: ``documentType=A44``, an XML document.

A document has time series with periods of a resolution, and points by position from 1 on. With ``curveType`` A03 a
point that is missing has the price of the one before it; with A01 it is missing. Where an area has two auctions
(DE-LU), ``classificationSequence_AttributeInstanceComponent.position`` tells them apart, and the first is the coupled
one. No data is an ``Acknowledgement_MarketDocument`` with reason 999.
"""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field

from chargerd.config_problems import unknown
from chargerd.config_types import fault
from chargerd.errors import FeedError
from chargerd.tariff.feed import Answer, Feed, Question, TokenSection, coupled_market, with_query
from chargerd.tariff.money import Unit, number_of
from chargerd.tariff.reading import time_of, unit_told
from chargerd.tariff.slots import Told
from chargerd.tariff.web import Request

URL = "https://web-api.tp.entsoe.eu/api"
AREAS = MappingProxyType(
    {
        "AT": "10YAT-APG------L", "BE": "10YBE----------2", "BG": "10YCA-BULGARIA-R", "CH": "10YCH-SWISSGRIDZ",
        "CZ": "10YCZ-CEPS-----N", "DE-LU": "10Y1001A1001A82H", "DK1": "10YDK-1--------W", "DK2": "10YDK-2--------M",
        "EE": "10Y1001A1001A39I", "ES": "10YES-REE------0", "FI": "10YFI-1--------U", "FR": "10YFR-RTE------C",
        "GR": "10YGR-HTSO-----Y", "HR": "10YHR-HEP------M", "HU": "10YHU-MAVIR----U", "LT": "10YLT-1001A0008Q",
        "LV": "10YLV-1001A00074", "NL": "10YNL----------L", "NO1": "10YNO-1--------2", "NO2": "10YNO-2--------T",
        "NO3": "10YNO-3--------J", "NO4": "10YNO-4--------9", "NO5": "10Y1001A1001A48H", "PL": "10YPL-AREA-----S",
        "PT": "10YPT-REN------W", "RO": "10YRO-TEL------P", "SE1": "10Y1001A1001A44P", "SE2": "10Y1001A1001A45N",
        "SE3": "10Y1001A1001A46L", "SE4": "10Y1001A1001A47J", "SI": "10YSI-ELES-----O", "SK": "10YSK-SEPS-----K",
    }
)  # fmt: skip
"""Bidding zones by their usual names, and their EIC codes."""
_EIC = re.compile(r"[0-9]{2}Y[0-9A-Z-]{12}[0-9A-Z]")
_RESOLUTION = re.compile(r"PT(?:(?P<hours>[0-9]{1,2})H)?(?:(?P<minutes>[0-9]{1,4})M)?")
_NO_DATA = "999"
_POINTS_MOST = 20_000


def _area(value: str) -> str:
    if value not in AREAS and not _EIC.fullmatch(value):
        raise fault(f"expected a bidding zone or its EIC code of 16 characters; {unknown(value, AREAS)}")
    return AREAS.get(value, value)


class EntsoeOptions(TokenSection):
    """The ``[tariff]`` section of day-ahead prices from the ENTSO-E Transparency Platform."""

    kind: Literal["entsoe"]
    area: Annotated[str, AfterValidator(_area)] = Field(description="bidding zone, as DE-LU, or its EIC code")


def _label(options: EntsoeOptions) -> str:
    return f"entsoe {options.area}"


def _requests(options: EntsoeOptions, question: Question) -> Iterator[Request]:
    asked = {
        "securityToken": question.token,
        "documentType": "A44",
        "in_Domain": options.area,
        "out_Domain": options.area,
        "periodStart": f"{question.start.astimezone(UTC):%Y%m%d%H%M}",
        "periodEnd": f"{question.end.astimezone(UTC):%Y%m%d%H%M}",
    }
    yield Request(with_query(options.url or URL, asked), has_secret=True)


def _read(options: EntsoeOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    root = _parsed(text)
    if root.tag == "Acknowledgement_MarketDocument":
        if root.findtext("Reason/code") == _NO_DATA:
            return Answer()
        raise FeedError(f"expected prices, got: {(root.findtext('Reason/text') or 'a refusal')[:200]}")
    if root.tag != "Publication_MarketDocument":
        raise FeedError(f"expected a Publication_MarketDocument, got {root.tag[:60]}")
    series = [found for found in root.iterfind("TimeSeries") if found.findtext("auction.type", "A01") == "A01"]
    first = min((_sequence(one) for one in series), default=1)
    told: list[Told] = []
    currency = "EUR"
    for one in series:
        if _sequence(one) == first:
            unit = _unit(one)
            currency = unit.currency
            fills = one.findtext("curveType") == "A03"
            for period in one.iterfind("Period"):
                told += _points(period, unit, fills=fills)
    return Answer(tuple(told), currency)


def _parsed(text: str) -> ET.Element:
    """Read XML without a document type, whose entities could blow it up; names lose their namespace."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FeedError("expected prices in XML, got a page with a document type")
    try:
        root = ET.fromstring(text)  # noqa: S314 - no entities, see above, and bounded in size
    except (ET.ParseError, ValueError) as error:
        raise FeedError(f"expected prices in XML, got: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _sequence(series: ET.Element) -> int:
    text = series.findtext("classificationSequence_AttributeInstanceComponent.position", "1")
    return int(text) if re.fullmatch("[0-9]{1,4}", text) else 1


def _unit(series: ET.Element) -> Unit:
    return unit_told(f"{series.findtext('currency_Unit.name')}/{series.findtext('price_Measure_Unit.name')}")


def _points(period: ET.Element, unit: Unit, *, fills: bool) -> Iterator[Told]:
    start, end = time_of(period.findtext("timeInterval/start")), time_of(period.findtext("timeInterval/end"))
    step = _step(period.findtext("resolution", ""))
    count = (end - start) // step
    if not 0 < count <= _POINTS_MOST:
        raise FeedError(f"expected a period of 1 to {_POINTS_MOST} points, got {count}")
    prices = dict(_point(point) for point in period.iterfind("Point"))
    known: Decimal | None = None
    for index in range(count):
        known = prices.get(index + 1, known if fills else None)
        if known is not None:
            yield Told(start + index * step, start + (index + 1) * step, unit.per_kwh(known))


def _step(resolution: str) -> timedelta:
    match = _RESOLUTION.fullmatch(resolution)
    step = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0)) if match else timedelta(0)
    if not step:
        raise FeedError(f"expected a resolution as PT15M, got {resolution!r}")
    return step


def _point(point: ET.Element) -> tuple[int, Decimal]:
    position, amount = point.findtext("position", ""), point.findtext("price.amount", "")
    price = number_of(amount)
    if not re.fullmatch("[0-9]{1,6}", position) or price is None:
        raise FeedError(f"expected a position and a price, got {position[:20]!r} and {amount[:20]!r}")
    return int(position), price


FEED = Feed(_label, coupled_market, _requests, _read)
