"""Reads an INI file into sections, keys and values, each with its line. It does not know what they mean.

The rules (narrower than configparser's, which drops lines and letter case, and lets one section leak into the others):

- ``[section]`` and ``key = value`` begin in the first column; ``=`` only; keys are case-sensitive; nothing is interpolated.
- A line whose first character is ``;`` or ``#`` is a comment. In a value an unescaped ``;`` after a blank and outside quotes begins one.
- ``\\;`` gives ``;``, except behind another backslash: ``\\\\;`` stays, for byte values. All else is literal here, quotes too.
- An indented line continues the value above it, joined by one blank. One that looks like ``key = value`` or ``[section]`` is an error.
- The same section twice, the same key twice in a section, and ``[DEFAULT]`` are errors.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from ..errors import ConfigError

LARGEST = 1 << 20
"""The most bytes that a file may have."""
MOST_ERRORS = 200
"""Reading stops after so many errors: this is some other kind of file."""

_BLANKS = " \t"
_HEADER = re.compile(r"\[([^\[\]]*)\][ \t]*(?:;.*)?")
_COMMENTED_HEADER = re.compile(r"\[([^\[\]]*[^\[\]\s][^\[\]]*)\][ \t]*#.*")
_LOOKS_LIKE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*[ \t]*=")
_WITH_COLON = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*:[ \t]*(.*)")
_ESCAPED_OR_QUOTED_OR_COMMENT = re.compile(r"""\\.|"[^"]*"|'[^']*'|(?<=[ \t])(;)""")
_ESCAPED_SEMICOLON = re.compile(r"(?<!\\)((?:\\\\)*)\\;")


class Entry(NamedTuple):
    """``key = value``, and the line of the key. The value has no comments and no blanks around it; continuation lines are joined."""

    key: str
    value: str
    line: int


class Section(NamedTuple):
    """``[name]``, its line, and its entries by key, in the file's order."""

    name: str
    line: int
    entries: dict[str, Entry]


def read(data: bytes, file: str) -> tuple[list[Section], list[ConfigError]]:
    """The sections in the bytes of a file, and every mistake in its form. Raises nothing; ``file`` is the name to show in errors."""
    try:
        text = _decode(data, file)
    except ConfigError as error:
        return [], [error]
    parser = _Parser(file)
    for number, line in enumerate(text.split("\n"), 1):
        parser.take(line.removesuffix("\r"), number)
        if len(parser.errors) >= MOST_ERRORS:
            parser.errors.append(ConfigError("too many errors: is this an INI file? The rest was not read", file=file, line=number))
            break
    parser.close_value()
    return list(parser.sections.values()), parser.errors


def _decode(data: bytes, file: str) -> str:
    if len(data) > LARGEST:
        raise ConfigError(f"larger than {LARGEST >> 20} MiB: this is not a configuration", file=file)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError("this is UTF-16: save it as UTF-8", file=file, line=1)
    data = data.removeprefix(codecs.BOM_UTF8)
    if b"\0" in data:
        raise ConfigError("holds a NUL byte: this is not a text file", file=file, line=_line(data, data.index(b"\0")))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        reason = f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise ConfigError(reason, file=file, line=_line(data, error.start)) from None


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


class _Parser:
    """What has been read so far: `take` reads one more line, `close_value` ends the last value."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.sections: dict[str, Section] = {}
        self.errors: list[ConfigError] = []
        self._section: Section | None = None
        self._key = ""
        self._line = 0
        self._pieces: list[str] = []

    def take(self, line: str, number: int) -> None:
        bare = line.strip(_BLANKS)
        strange = next((char for char in line if (char < " " and char != "\t") or char == "\x7f"), None)
        if strange is not None:
            self._refuse(number, f"holds the control character {strange!r}")
        elif not bare or bare[0] in ";#":
            return
        elif line[0] in _BLANKS:
            self._continue(bare, number)
        elif line[0] == "[":
            self._open(line, number)
        else:
            self._assign(line, number)

    def close_value(self) -> None:
        if self._key and self._section is not None:
            value = " ".join(piece for piece in self._pieces if piece)
            self._section.entries[self._key] = Entry(self._key, value, self._line)
        self._key = ""

    def _refuse(self, number: int, message: str, key: str = "") -> None:
        section = self._section.name if self._section else ""
        self.errors.append(ConfigError(message, file=self.file, line=number, section=section, key=key))

    def _open(self, line: str, number: int) -> None:
        self.close_value()
        self._section = None
        header = _HEADER.fullmatch(line)
        if header is None and (commented := _COMMENTED_HEADER.fullmatch(line)):
            self._refuse(number, f"{_short(line)}: a comment behind a section begins with ;")
            header = commented
        name = " ".join(header.group(1).split()) if header else ""
        if not name:
            self._refuse(number, f"{_short(line)} is not a section: write [NAME], alone on its line")
        self._section = Section(name or "?", number, {})
        if name == "DEFAULT":
            self._refuse(number, "defaults are not supported: write the key into each section that needs it")
        elif name in self.sections:
            self._refuse(number, f"this section is already there, on line {self.sections[name].line}: join the two, or rename one")
        elif name:
            self.sections[name] = self._section

    def _assign(self, line: str, number: int) -> None:
        self.close_value()
        key, equals, value = line.partition("=")
        key = key.rstrip(_BLANKS)
        if not equals:
            colon = _WITH_COLON.fullmatch(line)
            hint = f": write {_shorten(f'{colon.group(1)} = {colon.group(2)}')}" if colon else ": write KEY = VALUE, [SECTION] or ; COMMENT"
            self._refuse(number, f"{_short(line)} is not understood{hint}")
        elif not key:
            self._refuse(number, "no key before the =: write KEY = VALUE")
        elif self._section is None:
            self._refuse(number, "a key before the first section: write [NAME] above it", _shorten(key))
        elif key in self._section.entries:
            self._refuse(number, f"given twice, first on line {self._section.entries[key].line}", _shorten(key))
        else:
            self._key, self._line, self._pieces = key, number, [_value(value)]

    def _continue(self, bare: str, number: int) -> None:
        if _LOOKS_LIKE_KEY.match(bare):
            self._refuse(number, f"{_short(bare)} is indented, so it would belong to the value above: begin a key in the first column")
        elif _HEADER.fullmatch(bare):
            self._refuse(number, f"{_short(bare)} is indented, so it would belong to the value above: begin a section in the first column")
        elif not self._key:
            self._refuse(number, f"{_short(bare)} is indented, but there is no value above that it could continue")
        else:
            self._pieces.append(_value(bare))


def _value(text: str) -> str:
    """The value in the text behind ``=``: without comment and blanks around it, and with ``\\;`` replaced by ``;``."""
    for found in _ESCAPED_OR_QUOTED_OR_COMMENT.finditer(text):
        if found.group(1):
            text = text[: found.start()]
            break
    return _ESCAPED_SEMICOLON.sub(r"\1;", text.strip(_BLANKS))


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _short(text: str) -> str:
    return repr(_shorten(text))
