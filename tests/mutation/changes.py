"""What may be wrong with a piece of syntax: for each kind of node the texts that replace it, one fault each.

Only changes that mean something are made: not to annotations, decorators, docstrings, assertions or wording inside an
f-string. Where two changes would always be noticed by the same test, only the one that is harder to notice is made.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
}
_OPPOSITE = {"min": "max", "max": "min", "any": "all", "all": "any"}
_BARE = (ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Tuple, ast.List)
"""What may stand anywhere without parentheses."""

Changes = dict[type[ast.AST], Callable[[Any], Iterable[str]]]


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of the whole code: functions that return what they take first, and the members of enums."""

    passing: frozenset[str]
    enums: dict[str, tuple[str, ...]]


def words_of(sources: Iterable[str]) -> Words:
    """Read the functions and enums of all modules."""
    passing, enums = {"replace"}, {}
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.args.args and node.returns is not None:
                taken = node.args.args[0].annotation
                if taken is not None and ast.unparse(taken) == ast.unparse(node.returns):
                    passing.add(node.name)
            elif isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
                targets = [part.targets[0] for part in node.body if isinstance(part, ast.Assign)]
                enums[node.name] = tuple(target.id for target in targets if isinstance(target, ast.Name))
    return Words(frozenset(passing), enums)


def changes(words: Words) -> Changes:
    """For each kind of node, what makes its replacements."""
    return {
        ast.Compare: _compared,
        ast.BoolOp: _operand_dropped,
        ast.BinOp: _calculated,
        ast.UnaryOp: _bare,
        ast.Constant: _other_constant,
        ast.JoinedStr: lambda node: ('""',),
        ast.IfExp: lambda node: (_text(node.body), _text(node.orelse)),
        ast.Call: partial(_called, words),
        ast.Attribute: partial(_other_member, words),
        ast.Assign: _assignment_dropped,
        ast.AugAssign: lambda node: ("pass",),
        ast.Continue: lambda node: ("pass",),
        ast.Break: lambda node: ("pass",),
        ast.Expr: lambda node: ("pass",),
    }


def parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node that may be changed: nothing that is only for readers, type checkers or our own bugs."""
    if isinstance(node, ast.JoinedStr):
        return
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "bases"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not is_left_alone(node, child):
                yield child


def is_left_alone(parent: ast.AST, node: ast.AST) -> bool:
    """Tell whether a part is not to be changed."""
    match parent, node:
        case _, ast.Assert() | ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case _, ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))) | ast.Call(func=ast.Name(id="NewType")):
            return True
        case _, ast.keyword(arg="strict"):
            return True
        case ast.Compare(), ast.Constant(value=int()):
            return True  # The comparison itself moves by one.
        case ast.ClassDef(), ast.Assign(value=ast.Constant(value=str())) | ast.AnnAssign(
            value=ast.Constant(value=str())
        ):
            return True  # How a member of an enum or the kind of an event is spelled: for those who read documents.
        case _:
            return False


def _text(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, _BARE) else f"({ast.unparse(node)})"


def _compared(node: ast.Compare) -> Iterator[str]:
    for index, op in enumerate(node.ops):
        ops = [*node.ops[:index], _COMPARED[type(op)](), *node.ops[index + 1 :]]
        yield ast.unparse(ast.Compare(node.left, ops, node.comparators))


def _operand_dropped(node: ast.BoolOp) -> Iterator[str]:
    for index in range(len(node.values)):
        rest = node.values[:index] + node.values[index + 1 :]
        yield _text(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))


def _calculated(node: ast.BinOp) -> Iterator[str]:
    other = _CALCULATED.get(type(node.op))
    if other is not None:
        yield f"({ast.unparse(ast.BinOp(node.left, other(), node.right))})"


def _bare(node: ast.UnaryOp) -> Iterator[str]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield _text(node.operand)


def _other_constant(node: ast.Constant) -> Iterator[str]:
    match node.value:
        case bool():
            yield str(not node.value)
        case int():
            yield str(node.value + 1)
        case float():
            yield f"{node.value * 1.1:.12g}" if node.value else "1.0"
        case str():
            yield '""' if node.value else '"mutant"'
        case _:
            pass


def _called(words: Words, node: ast.Call) -> Iterator[str]:
    """Leave out a call that hands on what it takes; take the other end of a pair."""
    name = ast.unparse(node.func).rpartition(".")[2]
    if name in words.passing and node.args:
        yield _text(node.args[0])
    if name in _OPPOSITE:
        yield ast.unparse(ast.Call(ast.Name(_OPPOSITE[name]), node.args, node.keywords))
    if name in {"min", "max"} and len(node.args) > 1:
        yield from (_text(arg) for arg in node.args)


def _other_member(words: Words, node: ast.Attribute) -> Iterator[str]:
    """Take the next member of an enum."""
    members = words.enums.get(ast.unparse(node.value), ())
    if node.attr in members:
        following = dict(pairwise((*members, members[0])))
        yield f"{ast.unparse(node.value)}.{following[node.attr]}"


def _assignment_dropped(node: ast.Assign) -> Iterator[str]:
    """A name that becomes something made of itself: leave it as it was. A part of something: leave it too."""
    (target, *_) = node.targets
    read = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    if isinstance(target, ast.Subscript | ast.Attribute) or (isinstance(target, ast.Name) and target.id in read):
        yield "pass"
