"""The faults of mutation testing: what is changed, what is left alone, and which tests are asked."""

import pytest
from tests.mutation.changes import Words, words_of
from tests.mutation.mutants import mutants_of
from tests.mutation.watch import ON_IMPORT, Watch, watched

WORDS = Words(passing=frozenset({"replace"}), enums={"Want": ("FREE", "CHARGE", "HOLD")})


def faults(source: str) -> list[str]:
    return [mutant.applied(source) for mutant in mutants_of("m.py", source, WORDS)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("x = a < b", ["x = a <= b"], id="border-of-a-comparison"),
        pytest.param("x = a <= 5", ["x = a < 5"], id="whole-number-moves-with-its-comparison"),
        pytest.param("x = a is b", ["x = a is not b"], id="identity"),
        pytest.param("x = a and b and c", ["x = (b and c)", "x = (a and c)", "x = (a and b)"], id="conditions"),
        pytest.param("x = not a", ["x = a"], id="negation"),
        pytest.param("x = a + b", ["x = (a - b)"], id="arithmetic"),
        pytest.param("x = 5", ["x = 6"], id="whole-number"),
        pytest.param("x = 0.5", ["x = 0.55"], id="number"),
        pytest.param("x = True", ["x = False"], id="flag"),
        pytest.param("x = 'é', 'b'", ["x = \"\", 'b'", "x = 'é', \"\""], id="words-after-wide-letters"),
        pytest.param("x = f'{a + 1}'", ['x = ""'], id="wording-as-a-whole"),
        pytest.param("x = Want.HOLD", ["x = Want.FREE"], id="next-member-of-an-enum"),
        pytest.param("x = max(a, b)", ["x = min(a, b)", "x = a", "x = b"], id="larger-of-two"),
        pytest.param("x = a if b else c", ["x = a", "x = c"], id="either-arm"),
        pytest.param("if a:\n    f()", ["if True:\n    f()", "if False:\n    f()", "if a:\n    pass"], id="branch"),
        pytest.param("x = [a for a in b if a]", ["x = [a for a in b if True]"], id="filter"),
        pytest.param("x = f(x)", ["pass"], id="step-left-out"),
        pytest.param("x += a", ["pass"], id="sum-left-out"),
        pytest.param(
            "x = replace(y, a=b,\n    c=d)",
            ["x = y", "x = replace(y, c=d)", "x = replace(y, a=b)"],
            id="call-or-field-left-out",
        ),
        pytest.param("x = f(a=b)", ["x = f()"], id="only-argument-left-out"),
    ],
)
def test_puts_in_one_fault_at_a_time(source: str, expected: list[str]) -> None:
    assert faults(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('"""Words."""', id="docstring"),
        pytest.param("@dataclass(frozen=True)\nclass A:\n    a: Literal['b']", id="decorator-and-annotation"),
        pytest.param("assert a < b", id="assertion"),
        pytest.param("assert_never(a)", id="impossible-arm"),
        pytest.param("A = NewType('A', str)", id="name-of-a-type"),
        pytest.param("class A(StrEnum):\n    B = 'b'", id="spelling-of-a-member"),
        pytest.param("x = zip(a, b, strict=True)", id="check-of-our-own"),
    ],
)
def test_leaves_alone_what_no_test_could_notice(source: str) -> None:
    assert faults(source) == []


def test_equal_faults_of_one_function_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in mutants_of("m.py", "def f():\n    return 1, 1", WORDS)]
    assert names == ["m.py f: 1 -> 2", "m.py f: 1 -> 2 (2)"]


def test_a_fault_is_shown_as_the_lines_that_it_changes() -> None:
    source = "a = b\nc = d < e\n"
    (mutant,) = mutants_of("m.py", source, WORDS)
    assert mutant.line == 2
    assert mutant.diff(source) == "-c = d < e\n+c = d <= e"


def test_knows_functions_that_return_what_they_take_and_the_members_of_enums() -> None:
    words = words_of(
        ["def f(a: A, b: B) -> A: ...\ndef g(a: A) -> B: ...", "class E(StrEnum):\n    X = 'x'\n    Y = 'y'"]
    )
    assert words.passing == {"replace", "f"}
    assert words.enums == {"E": ("X", "Y")}


def watch_of(source: str, **calls: tuple[int, int]) -> dict[str, set[str]]:
    """For each fault of a source, the calls of its ``f`` in which it made a difference."""
    mutants = mutants_of("m.py", source, WORDS)
    watch = Watch()
    module = watch.names()
    exec(watched(source, dict(enumerate(mutants))), module)
    for test, args in calls.items():
        watch.begin(test)
        module["f"](*args)
    return {mutant.after: watch.different[number] for number, mutant in enumerate(mutants)}


def test_a_fault_is_put_to_the_tests_in_which_its_value_differs() -> None:
    found = watch_of("def f(a, b):\n    return a < b and a > 1", far=(0, 5), equal=(3, 3), near=(2, 3))
    assert found == {"(a > 1)": {"equal"}, "(a < b)": {"far"}, "a <= b": {"equal"}, "a >= 1": set()}


def test_a_fault_that_is_no_expression_is_put_to_the_tests_that_run_it() -> None:
    assert watch_of("def f(a, b):\n    if a:\n        b += 1", yes=(1, 0), no=(0, 0))["pass"] == {"yes"}


def test_a_fault_that_runs_on_import_is_put_to_all_tests() -> None:
    assert watch_of("LIMIT = 5\n\n\ndef f(a, b): ...", any=(0, 0))["6"] == {ON_IMPORT}
