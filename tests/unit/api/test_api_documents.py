"""The models keep a session document as it was written, and refuse what is none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chargerd.api.documents import CurrentSession, SettledSession, dump_session, parse_session

EXAMPLES = [Path(__file__).parent / "examples" / f"{number}.json" for number in range(1, 8)]


def load(number: int) -> dict[str, Any]:
    return json.loads(EXAMPLES[number - 1].read_text())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_written_as_it_was_read(path: Path) -> None:
    compact = re.sub(r"\s", "", path.read_text())
    assert dump_session(parse_session(path.read_text())) == compact


@pytest.mark.parametrize(
    ("number", "spelling"),
    [(6, '"kwhSum":0,'), (3, '"kwh":11.0}'), (1, '"batteryReserve":20,'), (2, '"kwhSum":12.4,')],
)
def test_a_number_keeps_its_spelling(number: int, spelling: str) -> None:
    assert spelling in dump_session(parse_session(EXAMPLES[number - 1].read_text()))


@pytest.mark.parametrize(("number", "kind"), [(1, CurrentSession), (2, CurrentSession), (3, SettledSession)])
def test_the_state_tells_a_current_from_a_settled_session(number: int, kind: type) -> None:
    assert isinstance(parse_session(EXAMPLES[number - 1].read_text()), kind)


def test_missing_capabilities_are_named_with_that_error_only() -> None:
    document = load(1)
    document["error"]["latest"] = {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["chargeState"]}
    assert dump_session(parse_session(json.dumps(document))) == json.dumps(document, separators=(",", ":"))
    document["error"]["latest"] = {"type": "START_FAIL", "missingCapabilities": []}
    with pytest.raises(ValueError, match="missingCapabilities"):
        parse_session(json.dumps(document))


@pytest.mark.parametrize(
    ("number", "path", "value"),
    [
        (1, ("id",), "c3d4e5f6-a7b8-4012-9def-012345678902"),
        (1, ("state",), "ACTIVE"),
        (1, ("policyId",), None),
        (1, ("pluggedOutAt",), "2025-06-10T22:15:00Z"),
        (1, ("extra",), 1),
        (2, ("pluggedInAt",), "2025-06-10T22:15:00+00:00"),
        (2, ("statistics", "aggregated", "batteryTo"), 52.5),
        (2, ("statistics", "aggregated", "batteryTo"), 101),
        (2, ("statistics", "aggregated", "kwhSum"), "12.4"),
        (2, ("statistics", "aggregated", "kwhSum"), True),
        (2, ("outcome", "latest", "state"), "MAYBE"),
        (4, ("target", "latest", "readyBy"), None),
        (5, ("target", "latest", "type"), "IMMEDIATE_START"),
        (5, ("target", "latest", "id"), 0),
        (3, ("state",), "UPCOMING"),
    ],
)
def test_what_breaks_the_shape_is_refused(number: int, path: tuple[str, ...], value: Any) -> None:
    document = load(number)
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(ValueError, match=r"validation error"):
        parse_session(json.dumps(document))


@pytest.mark.parametrize("key", list(load(3)))
def test_no_key_may_be_left_out(key: str) -> None:
    document = load(3)
    del document[key]
    with pytest.raises(ValueError, match=key if key != "state" else "discriminator"):
        parse_session(json.dumps(document))
