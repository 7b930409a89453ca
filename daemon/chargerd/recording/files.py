"""The files of a recording: appended piece by piece, few and small, and readable after a power cut.

Each piece is one gzip member, which ``zcat`` and every other tool read as one text. A power cut may leave a piece in
halves, or zeros where one was to be; the reader passes over it and finds the next.
"""

import contextlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from chargerd.core.ids import ChargerId

DAYS = 3
"""Days that are kept, today among them."""
BYTES_MAX = 8 * 2**20
"""What all files together may take."""
ROOM = 2**18
"""What is left free under ``BYTES_MAX`` for the next piece."""

_NAME = re.compile(r".+-(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.jsonl\.gz")
_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
"""How every piece begins that ``append`` wrote: deflate, no name, no time."""
_CHUNK = 2**16


def path_of(folder: Path, charger_id: ChargerId, day: date) -> Path:
    """Return the file of a charger's day."""
    return folder / f"{charger_id}-{day.isoformat()}.jsonl.gz"


def append(path: Path, lines: Iterable[str]) -> None:
    """Write lines behind those that are there, as one piece. Raises OSError; then the file is as it was."""
    piece = memoryview(zlib.compress("".join(f"{line}\n" for line in lines).encode("ascii"), 9, wbits=_GZIP))
    # Not for everybody's eyes: it holds card numbers.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    with os.fdopen(handle, "ab", buffering=0) as file:
        size = file.tell()
        try:
            while piece:
                piece = piece[file.write(piece) :]
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise


def prune(folder: Path, today: date) -> None:
    """Remove the days that are too old, then the oldest files until there is room. Raises OSError."""
    kept: list[tuple[date, Path, int]] = []
    for day, path in sorted(_recordings(folder)):
        if day <= today - timedelta(days=DAYS):
            path.unlink()
        else:
            kept.append((day, path, path.stat().st_size))
    size = sum(size for *_, size in kept)
    for _, path, taken in kept:
        if size <= BYTES_MAX - ROOM:
            return
        path.unlink()
        size -= taken


def read(path: Path) -> Iterator[bytes | None]:
    """Give the lines of a file, compressed or not; None where a piece cannot be read. Raises OSError."""
    data = path.read_bytes()
    pieces = _pieces(memoryview(data)) if data.startswith(_MAGIC) else iter([data])
    for piece in pieces:
        if piece is None:
            yield None
        else:
            yield from (line for line in piece.split(b"\n") if line.strip())


def _recordings(folder: Path) -> Iterator[tuple[date, Path]]:
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match is not None:
            with contextlib.suppress(ValueError):
                yield date.fromisoformat(match["day"]), path


def _pieces(data: memoryview) -> Iterator[bytes | None]:
    """Decompress member by member. After one that is broken the next is looked for by its first bytes."""
    whole = bytes(data)
    at = 0
    while at < len(data):
        piece, end = _piece(data, at)
        yield piece
        if piece is None:
            end = whole.find(_HEADER, at + 1)
            if end < 0:
                return
        at = end


def _piece(data: memoryview, start: int) -> tuple[bytes | None, int]:
    """Return one member and where it ends; None when it is broken."""
    unzip = zlib.decompressobj(wbits=_GZIP)
    text = bytearray()
    at = start
    while at < len(data) and not unzip.eof:
        chunk = data[at : at + _CHUNK]
        try:
            text += unzip.decompress(chunk)
        except zlib.error:
            return None, start
        at += len(chunk)
    return (bytes(text), at - len(unzip.unused_data)) if unzip.eof else (None, start)
