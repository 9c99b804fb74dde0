"""Makes the options of a part from the keys of a section: loads named parts, nests dotted keys, collects errors with their lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from .. import registry
from ..codecs import CodecOptions
from ..errors import ConfigError
from ..framing import FramingOptions
from ..options import Options
from .fields import choices, either, nested, part_kind
from .ini import Entry, Section
from .miswritten import hint, miswritten, not_a_comment, uncommented
from .sentences import did_you_mean, nearest, one_of, quote, sentence, shorten

_COMMON: dict[str, type[Options]] = {"framing": FramingOptions, "codec": CodecOptions}
"""The options that all parts of a kind have."""
_Known = Callable[[], list[str]]
"""Gives the keys that a section may have; asked only for one that it may not."""


class Reading:
    """Reads one section, and adds every mistake to ``errors``.

    ``absolute`` makes the paths in the section absolute; ``elsewhere`` gives the place of a key that the section does not know, or "".
    """

    def __init__(
        self,
        section: Section,
        file: str,
        absolute: Callable[[str], str],
        errors: list[ConfigError],
        elsewhere: Callable[[str], str] = lambda key: "",
    ) -> None:
        self._section = section
        self._file = file
        self._absolute = absolute
        self._errors = errors
        self.elsewhere = elsewhere

    def of(self, section: Section) -> Reading:
        """A reading that differs only in its section, as after a correction of its keys."""
        return Reading(section, self._file, self._absolute, self._errors, self.elsewhere)

    def uncommented(self) -> Section:
        """The section without comments that begin with #; refuses each value that has one."""
        entries = dict(self._section.entries)
        for key, entry in entries.items():
            meant = uncommented(entry.value)
            if meant != entry.value:
                self.refuse(not_a_comment(key, entry.value), key)
                entries[key] = entry._replace(value=meant)
        return self._section._replace(entries=entries)

    def refuse(self, message: str, key: str = "", line: int = 0) -> None:
        """Add an error, by default at the line of the key, or of the section if the key is not there."""
        entry = self._section.entries.get(key)
        place = line or (entry.line if entry else self._section.line)
        self._errors.append(ConfigError(message, file=self._file, line=place, section=self._section.name, key=shorten(key)))

    def refuse_all(self, messages: list[str], options: type[Options]) -> None:
        """Add errors that a part found in the section as a whole; ``key: message`` gets the line of the key."""
        for message in messages:
            key, text = _addressed(message, options)
            self.refuse(text, key, line=_line_named_in(message, self._section.entries, self._section.line))

    def options(self, cls: type[Options], *, own: tuple[str, ...] = (), parts: Mapping[str, str] | None = None) -> Options | None:
        """The options of class ``cls`` in the section, or None if any of them is wrong.

        ``own`` names keys to leave out; ``parts`` gives the part to use where the section names none, as ``{"codec": "text"}``.
        """
        entries = {key: entry for key, entry in self._section.entries.items() if key not in own}

        @cache
        def known() -> list[str]:
            return [*own, *self._keys(cls, entries, parts or {})]

        return self._fill(cls, entries, "", self._section.line, parts or {}, known)

    def _fill(
        self,
        cls: type[Options],
        entries: Mapping[str, Entry],
        prefix: str,
        line: int,
        parts: Mapping[str, str],
        known: _Known,
    ) -> Options | None:
        before = len(self._errors)
        values: dict[str, Any] = {}
        failed: set[str] = set()
        below: dict[str, dict[str, Entry]] = {}
        for key, entry in entries.items():
            head, dot, tail = key.partition(".")
            field = cls.model_fields.get(head)
            if field is None or (dot and not (part_kind(field) or nested(field))):
                self.refuse(f"unknown option{self._suggestion(prefix + key, known)}", prefix + key, entry.line)
            elif dot:
                below.setdefault(head, {})[tail] = entry
            elif inner := nested(field):
                keys = either([f"{prefix}{head}.{name}" for name in inner.model_fields])
                self.refuse(f"takes no value itself: write {keys}", prefix + key, entry.line)
            elif wrong := miswritten(entry.value, field, head):
                failed.add(head)
                self.refuse(wrong, prefix + key, entry.line)
            else:
                values[head] = next((value for value in choices(field) if str(value) == entry.value), entry.value)
        for head, field in cls.model_fields.items():
            children, found = below.get(head, {}), None
            if kind := part_kind(field):
                name = values.pop(head, parts.get(kind))
                found = self._part(kind, head, name, entries, children, prefix, line, known)
                if found is None and (name is not None or children):
                    failed.add(head)
            elif children and (inner := nested(field)):
                found = self._fill(inner, children, f"{prefix}{head}.", line, {}, known)
                if found is None:
                    failed.add(head)
                elif isinstance(field.default, Options):
                    found = field.default.model_copy(update={name: getattr(found, name) for name in found.model_fields_set})
            if found is not None:
                values[head] = found
        options = self._validate(cls, values, failed, entries, prefix, line)
        return options if len(self._errors) == before else None

    def _part(
        self,
        kind: str,
        head: str,
        name: str | None,
        entries: Mapping[str, Entry],
        below: Mapping[str, Entry],
        prefix: str,
        line: int,
        known: _Known,
    ) -> Options | None:
        """The options of the named part; None if there is no such part, or an option is wrong."""
        if name is None:
            for tail, entry in below.items():
                self.refuse(f"needs {prefix}{head} = NAME in the same section", f"{prefix}{head}.{tail}", entry.line)
            return None
        place = entries[head].line if head in entries else line
        try:
            cls = _options_class(kind, name)
        except ConfigError as error:
            self.refuse(error.message, prefix + head, place)
            self._fill_unknown(kind, name, below, f"{prefix}{head}.", place, known)
            return None
        return self._fill(cls, below, f"{prefix}{head}.", place, {}, known)

    def _fill_unknown(self, kind: str, name: str, below: Mapping[str, Entry], prefix: str, line: int, known: _Known) -> None:
        """Check the options of a part that does not exist as those of the nearest name, else as those that all of its kind have."""
        near = nearest(name, registry.names(kind))
        try:
            cls = _options_class(kind, near) if near else _COMMON[kind]
        except (ConfigError, KeyError):
            return
        if shared := {key: entry for key, entry in below.items() if key in cls.model_fields}:
            self._fill(cls, shared, prefix, line, {}, known)

    def _validate(
        self, cls: type[Options], values: dict[str, Any], failed: set[str], entries: Mapping[str, Entry], prefix: str, line: int
    ) -> Options | None:
        """The options made of these values, or None; ``failed`` names the fields that already have an error."""
        try:
            return cls.model_validate(values, context={"absolute": self._absolute})
        except ValidationError as error:
            for found in error.errors(include_url=False):
                name = str(found["loc"][0]) if found["loc"] else ""
                if name in failed or (failed and not name):  # a conflict may be due to an error that was added before
                    continue
                failed.add(name)
                entry = entries.get(name)
                text = sentence(found, name, cls.model_fields.get(name), entry.value if entry else str(found["input"]))
                if entry:
                    text += hint(entry.value, name)
                place = entry.line if entry else line
                if not name:
                    place = _line_named_in(text, entries, line)
                    name, text = _addressed(text, cls)
                self.refuse(text, prefix + name if name else prefix.rstrip("."), place)
            return None

    @staticmethod
    def _keys(options: type[Options], entries: Mapping[str, Entry], parts: Mapping[str, str]) -> Iterator[str]:
        """All keys that the section may have, those of the parts that it names included."""
        for name, field in options.model_fields.items():
            kind, inner = part_kind(field), nested(field)
            if not inner:
                yield name
            chosen = entries[name].value if name in entries else parts.get(kind or "", "")
            if kind and chosen in registry.names(kind):
                inner = _options_class(kind, chosen)
            if inner:
                yield from (f"{name}.{below}" for below in inner.model_fields)

    def _suggestion(self, key: str, known: _Known) -> str:
        """A hint for an unknown key: the same word below a prefix, the place that it belongs to, a similar key, or those beside it."""
        words = known()
        if moved := next((word for word in words if word.rpartition(".")[2] == key), None):
            return f" (did you mean {moved!r}?)"
        place = self.elsewhere(key)
        if place:
            return f" here: {shorten(key)} {place}"
        prefix = key.rpartition(".")[0]
        beside = [word for word in words if prefix and word.rpartition(".")[0] == prefix]
        return did_you_mean(key, words) or (f": write {either(beside)}" if beside else "")


def _addressed(message: str, options: type[Options]) -> tuple[str, str]:
    """Key and text of ``key: text``; the key is "" if the message is not about a single one."""
    key, colon, text = message.partition(": ")
    return (key, text) if colon and key in options.model_fields else ("", message)


def _line_named_in(message: str, entries: Mapping[str, Entry], line: int) -> int:
    """The line of the first key that the message names; ``line`` if it names none."""
    words = re.findall(r"[A-Za-z_][\w.-]*", message)
    return next((entries[word].line for word in words if word in entries), line)


def _options_class(kind: str, name: str) -> type[Options]:
    """The options class of a part; raises ConfigError if there is no such part, or it needs a library that is not installed."""
    module = load_part(kind, name)
    options: type[Options] = module.Options
    return options


def load_part(kind: str, name: str) -> Any:
    """The module of a part, as `registry.load` gives it; raises ConfigError with a text for the operator."""
    try:
        return registry.load(kind, name)
    except KeyError:
        raise ConfigError(one_of_parts(kind, name)) from None
    except ImportError as error:
        raise ConfigError(f"{kind} {quote(name)} needs a library that is not installed: {error}") from error


def one_of_parts(kind: str, name: str, near: str = "") -> str:
    """The error text for an unknown part: lists the known ones, and suggests ``near``, a similar name, or a part of another kind."""
    other = next((other for other in ("framing", "codec", "transport") if name in registry.names(other)), "")
    if other:
        return f"{one_of(name, registry.names(kind), near=None)} ({name} is a {other}: write {other} = {name})"
    return one_of(name, registry.names(kind), near=near)
