# ruff: noqa: E501 - one case per line reads as a table
"""The scanner finds the line of every key, however oddly the document is written."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargerd.config_lines import KeyPath, key_lines, line_of

CASES = [
    pytest.param("a = 1\n\nb = 2", {("a",): 1, ("b",): 3}, id="plain"),
    pytest.param("# [x]\n[a] # [b]\n# c = 1\nd = 1 # e = 2\n", {("a",): 2, ("a", "d"): 4}, id="comments with brackets"),
    pytest.param(
        "[[a]]\nx = 1\n[[a]]\n# no\nx = 2\n[a.b]\ny = 3\n",
        {("a",): 1, ("a", 0): 1, ("a", 0, "x"): 2, ("a", 1): 3, ("a", 1, "x"): 5, ("a", 1, "b"): 6, ("a", 1, "b", "y"): 7},
        id="tables inside an array of tables",
    ),
    pytest.param(
        "[[a]]\n[[a.b]]\nx = 1\n[[a.b]]\n[[a]]\n[[a.b]]\nx = 2\n",
        {
            ("a",): 1,
            ("a", 0): 1,
            ("a", 0, "b"): 2,
            ("a", 0, "b", 0): 2,
            ("a", 0, "b", 0, "x"): 3,
            ("a", 0, "b", 1): 4,
            ("a", 1): 5,
            ("a", 1, "b"): 6,
            ("a", 1, "b", 0): 6,
            ("a", 1, "b", 0, "x"): 7,
        },
        id="arrays of tables in each other",
    ),
    pytest.param(
        'a = """\n[b]\nc = 1\n\\""" # "" """ # d = 1\ne = 2',
        {("a",): 1, ("e",): 5},
        id="multi-line string",
    ),
    pytest.param("a = '''\n\\'''\nb = 1", {("a",): 1, ("b",): 3}, id="literal multi-line string"),
    pytest.param('a = """x"""""\nb = """"""\nc = 1', {("a",): 1, ("b",): 2, ("c",): 3}, id="quotes before the end"),
    pytest.param('a = "]#\\"[" # "\nb = \'#"\\\'\nc = 1', {("a",): 1, ("b",): 2, ("c",): 3}, id="signs in strings"),
    pytest.param(
        "a = [ # one\n  1, # ]\n\n  [2,\n 3], { x = 1, y.z = 2 },\n]\nb = 1",
        {
            ("a",): 1,
            ("a", 0): 2,
            ("a", 1): 4,
            ("a", 1, 0): 4,
            ("a", 1, 1): 5,
            ("a", 2): 5,
            ("a", 2, "x"): 5,
            ("a", 2, "y"): 5,
            ("a", 2, "y", "z"): 5,
            ("b",): 7,
        },
        id="multi-line array",
    ),
    pytest.param(
        "a . \"b.c\" . 'd' = 1\n[ x . \"y\\u0041\" ]\n\"\" = 2",
        {("a",): 1, ("a", "b.c"): 1, ("a", "b.c", "d"): 1, ("x",): 2, ("x", "yA"): 2, ("x", "yA", ""): 3},
        id="dotted and quoted keys",
    ),
    pytest.param(
        "[a.b]\nx = 1\n[a]\ny = 2",
        {("a",): 3, ("a", "b"): 1, ("a", "b", "x"): 2, ("a", "y"): 4},
        id="a header after that of an inner table",
    ),
    pytest.param("a = {}\nb = []\nc = { d = [] , e = '}' }\n", {("a",): 1, ("b",): 2, ("c",): 3, ("c", "d"): 3, ("c", "e"): 3}, id="empty"),
    pytest.param("a = 1979-05-27 07:32:00Z # x\r\nb = -1e3\r\n", {("a",): 1, ("b",): 2}, id="carriage returns and dates"),
    pytest.param("", {}, id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_every_key_has_its_line(text: str, expected: dict[KeyPath, int]) -> None:
    assert key_lines(text) == expected
    assert set(expected) == set(paths(tomllib.loads(text))), "the case itself names every key"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param(("a", "b"), 2, id="is there"),
        pytest.param(("a", "c"), 1, id="missing key of a table"),
        pytest.param(("x", 3, "y"), 1, id="missing table"),
    ],
)
def test_what_is_not_there_has_the_line_of_what_is_around_it(path: KeyPath, line: int) -> None:
    assert line_of(key_lines("[a]\nb = 1\n"), path) == line


def paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        found += paths(child, (*path, key))
    return found


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


KEYS = st.one_of(st.sampled_from("abc"), st.text(alphabet='ab."#[]=\\\n', max_size=3))
LEAVES = st.one_of(
    st.integers(-9, 9).map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(alphabet="a\"'#[]{}=,\\\n ", max_size=8).map(quoted),
    st.sampled_from(["'''\n[[a]]\n'''", '"""\n"a" = 1 # \\"""\n"""', "1979-05-27T07:32:00Z", "inf", '"""a"""""']),
)
SPACE = st.sampled_from(["", " ", "\t"])
BREAK = st.sampled_from(["", " ", "\n", " # ]}\n", "\n\n  "])


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    shape: str = draw(st.sampled_from(["leaf", "leaf", "array", "table"])) if depth else "leaf"
    if shape == "leaf":
        return draw(LEAVES)
    if shape == "array":
        items = [draw(BREAK) + draw(values(depth - 1)) + draw(BREAK) for _ in range(draw(st.integers(0, 3)))]
        comma = draw(st.sampled_from(["", ","])) if items else ""
        return "[" + ",".join(items) + comma + draw(BREAK) + "]"
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    pairs = [f"{draw(SPACE)}{quoted(key)}{draw(SPACE)}={draw(SPACE)}{draw(values(depth - 1))}" for key in keys]
    return "{" + ",".join(pairs) + "}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for number in range(draw(st.integers(0, 4))):
        header = draw(st.sampled_from(["", f"[t{number}]", "[[list]]", f"[t{number}.x]", "[ [list] ]"]))
        lines += [header if header != "[ [list] ]" else "[[ list ]] # [x]"]
        for index, key in enumerate(draw(st.lists(KEYS, max_size=3, unique=True))):
            name = quoted(f"{key}{number}{index}")
            lines.append(
                f"{name}{draw(SPACE)}={draw(SPACE)}{draw(values())}{draw(st.sampled_from(['', ' # [x] y = 1']))}"
            )
    return "\n".join(lines)


@settings(deadline=None)
@given(text=documents())
def test_any_document_has_the_same_keys_as_the_parser_finds(text: str) -> None:
    lines = key_lines(text)
    assert set(lines) == set(paths(tomllib.loads(text)))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
