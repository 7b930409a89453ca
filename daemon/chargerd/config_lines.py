"""Where each key of a TOML document stands.

The standard library's parser gives values and no positions. This scanner reads a document that the parser has
already accepted, so it need not judge: it skips values, follows tables and keys, and notes their lines.
"""

import tomllib
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""Keys of tables and indexes of arrays from the root, for example ``("charger", 0, "max_a")``."""


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """Return the line, counted from 1, of every table, key and array element of a valid TOML document."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of a key, or of the nearest table around it that is written down."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[KeyPath, int] = {}
        self._tables_in_array: dict[KeyPath, int] = {}

    def scan(self) -> Mapping[KeyPath, int]:
        table: KeyPath = ()
        self._skip_blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_blank()
        return self._lines

    def _header(self) -> KeyPath:
        """Read ``[a.b]`` or ``[[a.b]]`` and return the path of the table that it opens."""
        line = self._line
        is_array = self._text.startswith("[[", self._at)
        self._advance(2 if is_array else 1)
        *parents, last = self._key()
        self._advance(2 if is_array else 1)
        path: KeyPath = ()
        for key in parents:
            path = self._inside((*path, key), line)
        path = (*path, last)
        if not is_array:
            # A header deeper inside may have named the table before; its own header says more.
            self._lines[path] = line
            return path
        index = self._tables_in_array.get(path, -1) + 1
        self._tables_in_array[path] = index
        self._lines.setdefault(path, line)
        self._lines[*path, index] = line
        return (*path, index)

    def _inside(self, path: KeyPath, line: int) -> KeyPath:
        """Return the table that a key in a header leads to: for an array of tables, its last one."""
        self._lines.setdefault(path, line)
        return (*path, self._tables_in_array[path]) if path in self._tables_in_array else path

    def _pair(self, table: KeyPath) -> None:
        line = self._line
        path = table
        for key in self._key():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._advance(1)  # the equals sign
        self._skip_spaces()
        self._value(path)

    def _key(self) -> list[str]:
        """Read a dotted key up to the sign that ends it."""
        keys = []
        while True:
            self._skip_spaces()
            start = self._at
            if self._text[start] in "\"'":
                self._string()
                # The parser knows the escapes.
                (key,) = tomllib.loads(f"{self._text[start : self._at]} = 0")
            else:
                while self._text[self._at] not in " \t.=]":
                    self._advance(1)
                key = self._text[start : self._at]
            keys.append(key)
            self._skip_spaces()
            if self._text[self._at] != ".":
                return keys
            self._advance(1)

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._advance(1)

    def _array(self, path: KeyPath) -> None:
        self._advance(1)
        self._skip_blank()
        index = 0
        while self._text[self._at] != "]":
            self._lines[*path, index] = self._line
            self._value((*path, index))
            index += 1
            self._skip_blank()
            if self._text[self._at] == ",":
                self._advance(1)
                self._skip_blank()
        self._advance(1)

    def _inline_table(self, path: KeyPath) -> None:
        self._advance(1)
        self._skip_blank()
        while self._text[self._at] != "}":
            self._pair(path)
            self._skip_blank()
            if self._text[self._at] == ",":
                self._advance(1)
                self._skip_blank()
        self._advance(1)

    def _string(self) -> None:
        quote = self._text[self._at]
        end = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._advance(len(end))
        while not self._text.startswith(end, self._at):
            self._advance(2 if quote == '"' and self._text[self._at] == "\\" else 1)
        self._advance(len(end))
        # A multi-line string may end in one or two more quotes, which belong to it.
        while len(end) == 3 and self._text.startswith(quote, self._at):
            self._advance(1)

    def _skip_spaces(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._advance(1)

    def _skip_blank(self) -> None:
        """Skip spaces, comments and line ends."""
        while self._at < len(self._text) and self._text[self._at] in " \t\n#":
            if self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                self._advance(1)

    def _advance(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count
