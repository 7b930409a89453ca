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


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: the bytes from ``start`` to ``end`` of a module become ``after``.

    ``statement`` holds the lines from where its statement begins to where the fault ends: what runs, to run it.
    """

    module: str
    where: str
    line: int
    statement: range
    start: int
    end: int
    before: str
    after: str
    number: int = 1

    @property
    def name(self) -> str:
        """Its name for people and lists; it outlives edits of other functions, and most of its own."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.module} {self.where}: {_one_line(self.before)} -> {_one_line(self.after)}{again}"

    def applied(self, source: str) -> str:
        """The module's source with the fault in it."""
        raw = source.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.end :]).decode()

    def diff(self, source: str) -> str:
        """What it changes, as a diff without context."""
        lines = unified_diff(source.splitlines(), self.applied(source).splitlines(), lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def mutants_of(module: str, source: str, words: Words) -> list[Mutant]:
    """All faults of a module, in the order of its lines."""
    found = {(mutant.start, mutant.end, mutant.after): mutant for mutant in _Finder(module, source, words).all()}
    counts: Counter[str] = Counter()
    numbered = []
    for mutant in sorted(found.values(), key=lambda mutant: (mutant.start, mutant.end)):
        counts[mutant.name] += 1
        numbered.append(replace(mutant, number=counts[mutant.name]))
    return numbered


class _Finder:
    """Walks a module and makes the changes of each node."""

    def __init__(self, module: str, source: str, words: Words) -> None:
        self._module, self._changes, self._raw = module, changes(words), source.encode()
        self._offsets = list(accumulate(map(len, self._raw.splitlines(keepends=True)), initial=0))

    def all(self) -> Iterator[Mutant]:
        yield from self._within(ast.parse(self._raw), (), None)

    def _within(self, node: ast.AST, where: tuple[str, ...], statement: ast.stmt | None) -> Iterator[Mutant]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = (*where, node.name)
        if isinstance(node, ast.stmt):
            statement = node
        if statement is not None:
            for span, after in self._replacements(node):
                yield self._mutant(span, after, where, statement)
        for child in parts(node):
            yield from self._within(child, where, statement)

    def _replacements(self, node: ast.AST) -> Iterator[tuple[Span, str]]:
        change = self._changes.get(type(node))
        if change is not None and isinstance(node, ast.expr | ast.stmt):
            for after in change(node):
                yield self._span(node), after
        match node:
            case ast.If():
                yield self._span(node.test), "True"
                yield self._span(node.test), "False"
            case ast.comprehension():
                yield from ((self._span(condition), "True") for condition in node.ifs)
            case ast.match_case(guard=ast.expr() as guard):
                yield self._span(guard), "True"
            case ast.Call():
                yield from self._fewer_keywords(node)
            case _:
                pass

    def _fewer_keywords(self, node: ast.Call) -> Iterator[tuple[Span, str]]:
        """Leave out each argument that may have a default, up to the next one or back to the last one."""
        given: list[Placed] = [*node.args, *node.keywords]
        spans = [self._span(part) for part in given]
        if len(spans) == 1 and node.keywords:
            yield self._span(node), f"{ast.unparse(node.func)}()"
            return
        for index in range(len(node.args), len(spans)):
            if is_left_alone(node, given[index]):
                continue
            start, end = spans[index]
            is_last = index == len(spans) - 1
            yield (spans[index - 1][1], end) if is_last else (start, spans[index + 1][0]), ""

    def _span(self, node: Placed) -> Span:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = self._offsets[node.lineno - 1], self._offsets[node.end_lineno - 1]
        return start + node.col_offset, end + node.end_col_offset

    def _mutant(self, span: Span, after: str, where: tuple[str, ...], statement: ast.stmt) -> Mutant:
        start, end = span
        return Mutant(
            module=self._module,
            where=".".join(where) or "-",
            line=bisect_right(self._offsets, start),
            statement=range(statement.lineno, bisect_right(self._offsets, end) + 1),
            start=start,
            end=end,
            before=self._raw[start:end].decode(),
            after=after,
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
