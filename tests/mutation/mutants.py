"""Where faults are put in: each is a replacement in the text of a module, so that the rest stays as it was written."""

import ast
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from itertools import accumulate
from typing import TypeAlias

from tests.mutation.changes import Words, changes, is_left_alone, parts

Span: TypeAlias = tuple[int, int]
"""From and to, in bytes of a source."""
Placed: TypeAlias = ast.expr | ast.stmt | ast.keyword
"""What has a place in a source."""


class Text:
    """A module's source, in bytes as the parser counts."""

    def __init__(self, source: str) -> None:
        self.raw = source.encode()
        self._offsets = list(accumulate(map(len, self.raw.splitlines(keepends=True)), initial=0))

    def span(self, node: Placed) -> Span:
        """Where a node stands."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = self._offsets[node.lineno - 1], self._offsets[node.end_lineno - 1]
        return start + node.col_offset, end + node.end_col_offset

    def line(self, offset: int) -> int:
        """The number of a line, the first is 1."""
        return bisect_right(self._offsets, offset)

    def replaced(self, within: Span, span: Span, after: str) -> str:
        """A piece of the source with a smaller piece replaced."""
        return (self.raw[within[0] : span[0]] + after.encode() + self.raw[span[1] : within[1]]).decode()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: a span of a module becomes ``after``.

    ``value`` is the expression that has another value then, as it stands and with the fault; None where it is no
    expression that changes. ``statement`` is where the statement around it begins.
    """

    module: str
    where: str
    line: int
    span: Span
    before: str
    after: str
    statement: int
    value: tuple[Span, str] | None
    number: int = 1

    @property
    def name(self) -> str:
        """Its name for people and lists; it outlives edits of other functions, and most of its own."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.module} {self.where}: {_one_line(self.before)} -> {_one_line(self.after)}{again}"

    def applied(self, source: str) -> str:
        """The module's source with the fault in it."""
        text = Text(source)
        return text.replaced((0, len(text.raw)), self.span, self.after)

    def diff(self, source: str) -> str:
        """What it changes, as a diff without context."""
        lines = unified_diff(source.splitlines(), self.applied(source).splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def mutants_of(module: str, source: str, words: Words) -> list[Mutant]:
    """All faults of a module, in the order of its lines."""
    found = {(mutant.span, mutant.after): mutant for mutant in _Finder(module, source, words).all()}
    counts: Counter[str] = Counter()
    numbered = []
    for mutant in sorted(found.values(), key=lambda mutant: mutant.span):
        counts[mutant.name] += 1
        numbered.append(replace(mutant, number=counts[mutant.name]))
    return numbered


class _Finder:
    """Walks a module and makes the changes of each node."""

    def __init__(self, module: str, source: str, words: Words) -> None:
        self._module, self._text, self._changes = module, Text(source), changes(words)

    def all(self) -> Iterator[Mutant]:
        yield from self._within(ast.parse(self._text.raw), (), None)

    def _within(self, node: ast.AST, where: tuple[str, ...], statement: ast.stmt | None) -> Iterator[Mutant]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = (*where, node.name)
        if isinstance(node, ast.stmt):
            statement = node
        if statement is not None:
            for changed, span, after in self._replacements(node):
                yield self._mutant(changed, span, after, where, statement)
        for child in parts(node):
            yield from self._within(child, where, statement)

    def _replacements(self, node: ast.AST) -> Iterator[tuple[Placed, Span, str]]:
        change = self._changes.get(type(node))
        if change is not None and isinstance(node, ast.expr | ast.stmt):
            for after in change(node):
                yield node, self._text.span(node), after
        match node:
            case ast.If(test=test):
                yield test, self._text.span(test), "True"
                yield test, self._text.span(test), "False"
            case ast.comprehension():
                yield from ((condition, self._text.span(condition), "True") for condition in node.ifs)
            case ast.match_case(guard=ast.expr() as guard):
                yield guard, self._text.span(guard), "True"
            case ast.Call():
                yield from ((node, span, after) for span, after in self._fewer_keywords(node))
            case _:
                pass

    def _fewer_keywords(self, node: ast.Call) -> Iterator[tuple[Span, str]]:
        """Leave out each argument that may have a default, up to the next one or back to the last one."""
        given: list[Placed] = [*node.args, *node.keywords]
        spans = [self._text.span(part) for part in given]
        if len(spans) == 1 and node.keywords:
            yield self._text.span(node), f"{ast.unparse(node.func)}()"
            return
        for index in range(len(node.args), len(spans)):
            if is_left_alone(node, given[index]):
                continue
            start, end = spans[index]
            is_last = index == len(spans) - 1
            yield (spans[index - 1][1], end) if is_last else (start, spans[index + 1][0]), ""

    def _mutant(self, node: Placed, span: Span, after: str, where: tuple[str, ...], statement: ast.stmt) -> Mutant:
        whole = self._text.span(node)
        return Mutant(
            module=self._module,
            where=".".join(where) or "-",
            line=self._text.line(span[0]),
            span=span,
            before=self._text.raw[span[0] : span[1]].decode(),
            after=after,
            statement=self._text.span(statement)[0],
            value=(whole, self._text.replaced(whole, span, after)) if isinstance(node, ast.expr) else None,
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
