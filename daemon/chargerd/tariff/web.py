"""Asking other people's servers: one request at a time, bounded in time and size, and never a secret in a message.

httpx is imported when the first source is asked, for homes whose prices come from a file do without it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chargerd import __version__
from chargerd.errors import FeedError

if TYPE_CHECKING:
    import httpx

TOTAL_S = 30.0
"""Real seconds for one answer, from looking up the name to the last byte."""
SILENCE_S = 10.0
"""Real seconds in which nothing comes."""
BYTES_MOST = 4_000_000
"""A day of quarter hours has some 20 kB, in XML some 100 kB."""
REDIRECTS_MOST = 3
USER_AGENT = f"chargerd/{__version__} (charging of electric vehicles at home)"
NOT_YET = frozenset({204, 404})
"""Statuses by which many say that a day is not published yet."""
_LIMITED, _UNAVAILABLE = 429, 503
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Request:
    """One question. ``body`` is JSON, and makes it a POST. ``absent`` are the statuses that say "not published yet"."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str | None = None
    absent: frozenset[int] = frozenset({204})
    has_secret: bool = False


class Web:
    """Asks. Made by ``opened``."""

    def __init__(self, client: "httpx.AsyncClient") -> None:
        self._client = client

    async def text(self, request: Request) -> str:
        """Return the answer's text; "" when nothing is published yet. Raises FeedError."""
        host = urlsplit(request.url).hostname or "?"
        try:
            async with asyncio.timeout(TOTAL_S):
                body = await self._body(request, host)
        except TimeoutError as error:
            raise FeedError(f"{host}: expected an answer within {TOTAL_S:g} s, got none") from error
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FeedError(f"{host}: expected text in UTF-8, got other bytes") from error

    async def _body(self, request: Request, host: str) -> bytes:
        import httpx  # noqa: PLC0415 - it is there: the client is one of its

        url = httpx.URL(request.url)
        try:
            for _ in range(REDIRECTS_MOST + 1):
                method = "GET" if request.body is None else "POST"
                asked = self._client.build_request(method, url, headers=dict(request.headers), content=request.body)
                response = await self._client.send(asked, stream=True)
                try:
                    if response.next_request is None:
                        return await _read(response, request, host)
                    url = _redirected(url, response.next_request.url, request, host)
                finally:
                    await response.aclose()
        except httpx.TimeoutException as error:
            raise FeedError(f"{host}: expected an answer, got nothing for {SILENCE_S:g} s") from error
        except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
            raise FeedError(f"{host}: expected an answer, got: {str(error) or type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Their words may quote a header or the URL, in which a secret may stand.
            raise FeedError(f"{host}: expected to ask it, got: {type(error).__name__}") from error
        raise FeedError(f"{host}: expected an answer, got more than {REDIRECTS_MOST} redirects")


@asynccontextmanager
async def opened() -> AsyncIterator[Web]:
    """Yield something to ask with, and close its connections at the end."""
    client = await asyncio.to_thread(_client)
    async with client:
        yield Web(client)


def _client() -> "httpx.AsyncClient":
    import httpx  # noqa: PLC0415 - large, and many homes need none of it

    return httpx.AsyncClient(
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(SILENCE_S),
        limits=httpx.Limits(max_connections=2),
        verify=_trusted(),
    )


def _trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts; where it has none, those that come with httpx."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return ssl.create_default_context()
    import certifi  # noqa: PLC0415 - only where the system has nothing

    return ssl.create_default_context(cafile=certifi.where())


def _redirected(old: "httpx.URL", new: "httpx.URL", request: Request, host: str) -> "httpx.URL":
    if request.body is not None:
        raise FeedError(f"{host}: expected an answer, got a redirect to {new.host}")
    if old.scheme == "https" and new.scheme != "https":
        raise FeedError(f"{host}: expected an answer, got a redirect to {new.host} without TLS")
    if request.has_secret and (old.host, old.port) != (new.host, new.port):
        raise FeedError(f"{host}: expected an answer, got a redirect to {new.host}, which is not given the token")
    return new


async def _read(response: "httpx.Response", request: Request, host: str) -> bytes:
    if response.status_code in request.absent:
        return b""
    if response.status_code != 200:
        raise FeedError(f"{host}: {_status_words(response)}", retry_after_s=_retry_after_s(response))
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FeedError(f"{host}: expected an answer as it is, got one in {response.headers['content-encoding']}")
    found = bytearray()
    async for chunk in response.aiter_raw():
        found += chunk
        if len(found) > BYTES_MOST:
            raise FeedError(f"{host}: expected at most {BYTES_MOST} bytes, got more")
    return bytes(found)


def _status_words(response: "httpx.Response") -> str:
    status = response.status_code
    if status == _LIMITED:
        return "it asks to be asked less often (HTTP 429)"
    if status in _REFUSED:
        return f"expected prices, got HTTP {status}: it refuses the token, or wants one"
    return f"expected prices, got HTTP {status} {response.reason_phrase}".rstrip()


def _retry_after_s(response: "httpx.Response") -> float:
    """The pause that was asked for, in s: RFC 9110, section 10.2.3, a number of seconds or a date."""
    if response.status_code not in {_LIMITED, _UNAVAILABLE}:
        return 0.0
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        pause = parsedate_to_datetime(text) - parsedate_to_datetime(response.headers.get("date", ""))
    except (TypeError, ValueError):
        return 0.0
    return max(pause.total_seconds(), 0.0)
