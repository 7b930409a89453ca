"""Pieces of a file: what a power cut leaves of them, and how many are kept."""

import gzip
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from chargerd.core.ids import ChargerId
from chargerd.recording import files
from chargerd.recording.files import BYTES_MAX, ROOM, append, path_of, prune, read

TODAY = date(2026, 11, 25)
PIECES = (["first", "second"], ["third"], ["fourth", "fifth"])
WHOLE = [line.encode() for piece in PIECES for line in piece]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_of(tmp_path, ChargerId("garage"), TODAY)


def sizes(path: Path) -> list[int]:
    """Write the pieces; return how long the file was after each."""
    found = []
    for piece in PIECES:
        append(path, piece)
        found.append(path.stat().st_size)
    return found


def test_a_file_is_named_after_its_charger_and_day(path: Path) -> None:
    assert path.name == "garage-2026-11-25.jsonl.gz"


def test_pieces_are_one_text_for_every_tool(path: Path) -> None:
    sizes(path)
    assert gzip.decompress(path.read_bytes()).splitlines() == WHOLE == list(read(path))


def test_a_file_is_not_for_everybody(path: Path) -> None:
    append(path, ["first"])
    assert path.stat().st_mode & 0o007 == 0


def test_a_text_that_was_unpacked_is_read_too(tmp_path: Path) -> None:
    plain = tmp_path / "report.jsonl"
    plain.write_bytes(b"first\nsecond\n\nthird\nfourth\nfifth")
    assert list(read(plain)) == WHOLE


def test_a_file_that_somebody_packed_again_is_read_too(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\n".join(WHOLE)))
    assert list(read(path)) == WHOLE


def test_nothing_is_no_line(path: Path) -> None:
    path.touch()
    assert list(read(path)) == []


def test_wherever_the_last_piece_is_cut_off_the_others_are_read(path: Path) -> None:
    _, second, third = sizes(path)
    whole = path.read_bytes()
    for end in range(second + 1, third):
        path.write_bytes(whole[:end])
        assert list(read(path)) == [b"first", b"second", b"third", None], end


def test_what_was_written_after_a_torn_piece_is_found(path: Path) -> None:
    first, second, _ = sizes(path)
    whole = path.read_bytes()
    for end in range(first + 1, second):
        path.write_bytes(whole[:end] + whole[second:])
        assert list(read(path)) == [b"first", b"second", None, b"fourth", b"fifth"], end


def test_zeros_in_place_of_a_piece_are_passed_over(path: Path) -> None:
    first, second, _ = sizes(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:first] + bytes(second - first) + whole[second:] + bytes(4096))
    assert list(read(path)) == [b"first", b"second", None, b"fourth", b"fifth", None]


def test_a_large_piece_is_read_in_parts(path: Path) -> None:
    lines = [f"{number * 7919 % 1000003}" for number in range(60_000)]
    append(path, lines)
    append(path, ["last"])
    assert path.stat().st_size > files._CHUNK
    assert list(read(path)) == [line.encode() for line in [*lines, "last"]]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse to write more, as a full disk does: in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_piece_that_does_not_fit_leaves_the_file_as_it_was(path: Path) -> None:
    append(path, ["first"])
    before = path.read_bytes()
    with files_of_at_most(len(before) + 10), pytest.raises(OSError, match="File too large"):
        append(path, ["second"] * 100)
    assert path.read_bytes() == before


def filled(folder: Path, charger: str, days_ago: int, size: int) -> Path:
    path = path_of(folder, ChargerId(charger), TODAY - timedelta(days=days_ago))
    path.write_bytes(bytes(size))
    return path


def test_three_days_are_kept(tmp_path: Path) -> None:
    made = [filled(tmp_path, charger, days, 10) for charger in ("a", "b") for days in range(5)]
    prune(tmp_path, TODAY)
    kept = {path for path in made if path.exists()}
    assert {path.name[2:12] for path in kept} == {"2026-11-25", "2026-11-24", "2026-11-23"}
    assert len(kept) == 6


def test_when_all_are_too_much_the_oldest_go_first(tmp_path: Path) -> None:
    part = BYTES_MAX // 4
    old, older, new = filled(tmp_path, "b", 1, part), filled(tmp_path, "a", 2, part), filled(tmp_path, "a", 0, part)
    newest = filled(tmp_path, "b", 0, part - ROOM)
    prune(tmp_path, TODAY)
    assert older.exists(), "all of them fit"
    newest.write_bytes(bytes(part - ROOM + 1))
    prune(tmp_path, TODAY)
    assert [path.exists() for path in (older, old, new, newest)] == [False, True, True, True]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("notes.txt", "a-2020-13-99.jsonl.gz", "a-2020-01-01.jsonl")]
    for other in others:
        other.touch()
    prune(tmp_path, TODAY)
    assert all(other.exists() for other in others)
