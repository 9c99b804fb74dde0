"""What the annotations of an options class say about a field, for the INI reader, the error texts and the reference page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from .. import registry
from ..options import Address, Options, Part, Written


def part_kind(field: FieldInfo) -> str | None:
    """``framing`` or ``codec`` where the field's value names such a part, whose options are the dotted keys below; else None."""
    return next((mark.kind for mark in field.metadata if isinstance(mark, Part)), None)


def nested(field: FieldInfo) -> type[Options] | None:
    """The class of the dotted keys below a field that takes no value itself, as ``outbox.bytes``; else None."""
    if part_kind(field):
        return None
    if isinstance(field.default, Options):
        return type(field.default)
    return next((type_ for type_ in _types(field.annotation) if isinstance(type_, type) and issubclass(type_, Options)), None)


def choices(field: FieldInfo) -> tuple[Any, ...]:
    """The values of an enumeration; empty for any other field."""
    return next((get_args(type_) for type_ in _types(field.annotation) if get_origin(type_) is Literal), ())


def takes_text(field: FieldInfo) -> bool:
    """Whether the value is text, taken as written."""
    return str in _types(field.annotation)


def takes_bytes(field: FieldInfo) -> bool:
    """Whether the value is bytes, written with escapes."""
    return bytes in _types(field.annotation)


def takes_address(field: FieldInfo) -> bool:
    """Whether the value is ``HOST:PORT``."""
    return Address in _types(field.annotation)


def written(field: FieldInfo) -> Written:
    """How the field's values are written in the INI file; raises TypeError for a type that `gateway.options` does not have."""
    if kind := part_kind(field):
        return Written(either(registry.names(kind)), registry.kind_name)
    if values := choices(field):
        return Written(either([str(value) for value in values]))
    known = [*field.metadata, *_types(field.annotation)]
    if mark := next((mark for mark in known if isinstance(mark, Written)), None):
        return mark
    if takes_text(field):
        return Written("text")
    raise TypeError(f"{field.annotation}: not a type that an INI file can hold: use one of gateway.options")


def either(words: list[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _types(annotation: Any) -> Iterator[Any]:
    """The annotation and, at any depth, what it consists of: members of unions and tuples, and what ``Annotated`` adds."""
    yield annotation
    if get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _types(part)
