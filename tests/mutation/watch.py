"""Which tests could notice a fault: those in which the faulty expression ever has another value than the right one.

The core is pure, so a fault whose values are the right ones throughout a test changes nothing in it. All faults are
watched in one run of the tests: each expression is evaluated as it stands and with each of its faults, and the right
value is gone on with. Of a fault that is no expression, or runs on import, only that it ran is known.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import CodeType

from tests.mutation.mutants import Mutant, Span, Text

ON_IMPORT = ""
"""The name of no test: what happens under it may matter to all."""
_CHANGING = {"append", "add", "extend", "insert", "pop", "remove", "setdefault", "sort", "update"}
"""Methods that change what they are called on."""
_VALUE, _RAN = "_watched_value", "_watched_ran"


class Watch:
    """Notes for each fault, by its number, the tests in which it made a difference."""

    def __init__(self) -> None:
        self.different: dict[int, set[str]] = defaultdict(set)
        self._test = ON_IMPORT
        self._done: set[int] = set()
        self._busy = False

    def begin(self, test: str) -> None:
        """From now on it is this test that runs."""
        self._test = test
        self._done.clear()

    def names(self) -> dict[str, object]:
        """What watched code calls."""
        return {_VALUE: self._value, _RAN: self._ran}

    def _ran(self, *numbers: int) -> None:
        for number in numbers:
            self.different[number].add(self._test)

    def _value(self, numbers: tuple[int, ...], right: Callable[[], object], *faulty: Callable[[], object]) -> object:
        value = right()
        if self._busy or self._done.issuperset(numbers):
            return value
        self._busy = True
        for number, other in zip(numbers, faulty, strict=True):
            if number not in self._done and _differs(value, other):
                self._done.add(number)
                self._ran(number)
        self._busy = False
        return value


def _differs(value: object, other: Callable[[], object]) -> bool:
    try:
        found = other()
        if isinstance(value, list | dict | set):
            return found is not value  # It may be filled later.
        return found is not value and (type(found) is not type(value) or bool(found != value))
    except Exception:  # noqa: BLE001 - whatever it is, the right value raised nothing
        return True


def watched(source: str, mutants: dict[int, Mutant]) -> CodeType:
    """A module's code that tells a ``Watch``, under the names it has for it, of its faults."""
    text, tree = Text(source), ast.parse(source)
    places = {text.span(node) for function in _functions(tree) for node in _expressions(function.body)}
    values: dict[Span, list[tuple[int, str]]] = defaultdict(list)
    runs: dict[int, list[int]] = defaultdict(list)
    for number, mutant in mutants.items():
        if mutant.value is not None and mutant.value[0] in places:
            values[mutant.value[0]].append((number, mutant.value[1]))
        else:
            runs[mutant.statement].append(number)
    _Watched(text, values, runs).generic_visit(tree)
    return compile(ast.fix_missing_locations(tree), "<watched>", "exec")


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions and methods, not those inside of others."""
    for node in tree.body:
        yield from (part for part in [node, *getattr(node, "body", ())] if isinstance(part, ast.FunctionDef))


def _expressions(nodes: list[ast.stmt]) -> Iterator[ast.expr]:
    """All that can be evaluated twice: no patterns, targets, parts of f-strings, nor what does more than that."""
    stack: list[ast.AST] = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.expr) and not any(_does_more(part) for part in ast.walk(node)):
            yield node
        if isinstance(node, ast.Expr):
            stack.extend(ast.iter_child_nodes(node.value))
        elif not isinstance(node, ast.JoinedStr | ast.pattern):
            stack.extend(ast.iter_child_nodes(node))


def _does_more(node: ast.AST) -> bool:
    match node:
        case ast.NamedExpr() | ast.Yield() | ast.YieldFrom() | ast.Store() | ast.Del():
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _CHANGING
        case _:
            return False


class _Watched(ast.NodeTransformer):
    """Puts the calls to a ``Watch`` in."""

    def __init__(self, text: Text, values: dict[Span, list[tuple[int, str]]], runs: dict[int, list[int]]) -> None:
        self._text, self._values, self._runs = text, values, runs

    def visit(self, node: ast.AST) -> ast.AST | list[ast.AST]:
        if isinstance(node, ast.pattern):
            return node
        faults = self._values.pop(self._text.span(node), None) if isinstance(node, ast.expr) else None
        seen = node if isinstance(node, ast.JoinedStr) else self.generic_visit(node)
        if faults is not None and isinstance(seen, ast.expr):
            numbers = ast.Tuple([ast.Constant(number) for number, _ in faults], ast.Load())
            others = [ast.parse(f"({faulty})", mode="eval").body for _, faulty in faults]
            return _call(_VALUE, [numbers, *(_lambda(body) for body in (seen, *others))])
        if isinstance(node, ast.stmt) and (numbers_ran := self._runs.pop(self._text.span(node)[0], None)):
            return [ast.Expr(_call(_RAN, [ast.Constant(number) for number in numbers_ran])), seen]
        return seen


def _call(name: str, args: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), args, [])


def _lambda(body: ast.expr) -> ast.Lambda:
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Lambda(nothing, body)
