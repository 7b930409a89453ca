"""The tables of conformance cases in docs/ocpp.md tell the truth."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "ocpp.md").read_text()
FILES = ("test_octt_16.py", "test_octt_201.py", "test_octt_by_hand.py", "test_octt_security.py")
CASES = ROOT / "tests" / "contract"

_ROW = re.compile(r"^\| (?P<cases>(?:TC_|smart)[^|]*) \| (?P<purpose>[^|]+) \| (?P<state>[^|]+) \|$", re.MULTILINE)
_CASE = re.compile(r"TC_[0-9A-Z_]*[0-9]")
_TEST = re.compile(r"`(test_\w+)`")


def rows() -> list[tuple[str, str]]:
    return [(row["cases"], row["state"]) for row in _ROW.finditer(PAGE)]


def written() -> set[str]:
    """The names of the tests that show a case."""
    texts = [(CASES / file).read_text() for file in FILES]
    return {name for text in texts for name in re.findall(r"^async def (test_tc_\w+)", text, re.MULTILINE)}


def test_each_row_names_its_tests_or_says_why_there_is_none() -> None:
    assert len(rows()) > 80
    assert len([line for line in PAGE.splitlines() if line.startswith("| TC_")]) == len(rows()) - 1
    for cases, state in rows():
        said = state.startswith(("not yet: ", "not applicable: "))
        assert said or all(map(_TEST.fullmatch, state.split(", "))), f"{cases}: {state}"


def test_each_named_test_exists_and_each_test_of_a_case_is_named() -> None:
    assert {name for _, state in rows() for name in _TEST.findall(state)} == written()


def test_no_case_is_listed_twice() -> None:
    shown = [case for cases, _ in rows() for case in _CASE.findall(cases)]
    assert {case for case in shown if shown.count(case) > 1} == set()
    assert len(shown) > 200


def test_each_case_that_is_shown_is_spelled_out_in_its_tests() -> None:
    text = "".join((CASES / file).read_text() for file in FILES).upper()
    shown = [case for cases, state in rows() if "`" in state for case in _CASE.findall(cases)]
    assert [case for case in shown if case not in text] == []
