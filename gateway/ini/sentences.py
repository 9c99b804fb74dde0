"""What is wrong with a value, in sentences for the field engineer: pydantic's own errors never reach a terminal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic.fields import FieldInfo

from ..options import write_escaped
from .fields import choices, takes_bytes, takes_text, written

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST = 60
_NEAR = 0.7

_QUOTED = re.compile(r"(['\"]).*\1")
_SHELL = re.compile(r"~[\w-]*/|\$(?:HOME|USER|PWD)\b|\$\{")
_HEX = re.compile(r"0[xX][0-9A-Fa-f]{2}(?:[ ,]*0[xX][0-9A-Fa-f]{2})*")
_NAMED = {
    "NUL": 0,
    "SOH": 1,
    "STX": 2,
    "ETX": 3,
    "EOT": 4,
    "ENQ": 5,
    "ACK": 6,
    "TAB": 9,
    "LF": 10,
    "CR": 13,
    "NAK": 21,
    "ETB": 23,
    "ESC": 27,
}

_TEXTS = {
    "missing": '"{name}" is required',
    "greater_than_equal": "{given} is less than {bound}",
    "greater_than": "{given} is not greater than {bound}",
    "less_than_equal": "{given} is more than {bound}",
    "less_than": "{given} is not less than {bound}",
    "finite_number": "{given} is not a finite number",
    "string_too_short": "{quoted} has fewer than {min_length} characters",
    "string_too_long": "{quoted} has more than {max_length} characters",
    "bytes_too_short": "{quoted} has fewer than {min_length} bytes",
    "bytes_too_long": "{quoted} has more than {max_length} bytes",
    "too_short": "{quoted} has fewer than {min_length} entries",
    "too_long": "{quoted} has more than {max_length} entries",
    "string_pattern_mismatch": "{quoted} does not match {pattern}",
    "extra_forbidden": "unknown option",
}


def sentence(error: ErrorDetails, name: str, field: FieldInfo | None, text: str) -> str:
    """One of pydantic's errors in our words. ``text`` is what the user wrote; texts of a part's own validators stay as they are."""
    context = error.get("ctx", {})
    if "error" in context:
        return str(context["error"])
    if field is not None and (allowed := choices(field)):
        return one_of(text, map(str, allowed))
    pattern = _TEXTS.get(error["type"])
    if pattern is None:
        return f"{quote(text)} is not {written(field).words if field else 'understood'}"
    bound = next((context[limit] for limit in ("ge", "gt", "le", "lt") if limit in context), None)
    if bound is not None and field is not None:
        bound = written(field).text(bound)
    return pattern.format(name=name, given=shorten(text), quoted=quote(text), bound=bound, **context)


def miswritten(value: str, field: FieldInfo) -> str:
    """What is wrong with the value of a field of text or bytes, and what to write; empty where nothing is."""
    if takes_text(field):
        if not value:
            return "has no value"
        if _QUOTED.fullmatch(value):
            return f"the quotes in {quote(value)} would be part of the value: write it without"
        if _SHELL.match(value):
            return f"{quote(value)}: ~ and $NAME are not filled in here: write the whole path"
    if takes_bytes(field) and (meant := _bytes(value)):
        return f"{quote(value)} would be these characters themselves: bytes are written {write_escaped(meant)}"
    return ""


def hint(value: str, key: str) -> str:
    """What may explain why a value was refused, to go behind the refusal."""
    if re.search(r"[ \t]#", value):
        return " (a comment behind a value begins with ;)"
    if key in ("listen", "connect") and re.match(r"\.{0,2}/", value):
        return " (for a UNIX socket: transport = unix)"
    return ""


def _bytes(value: str) -> bytes:
    if _HEX.fullmatch(value):
        return bytes(int(digits, 16) for digits in re.findall(r"0[xX](..)", value))
    if value in ("CRLF", "CR LF"):
        return b"\r\n"
    return bytes([_NAMED[value]]) if value in _NAMED else b""


def one_of(word: str, words: Iterable[str]) -> str:
    """``'x' is not one of a, b, c (did you mean 'a'?)``."""
    allowed = list(words)
    return f"{quote(word)} is not one of {', '.join(allowed)}{did_you_mean(word, allowed)}"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`` (did you mean 'meter'?)``, or nothing where no word is near."""
    near = nearest(word, words)
    return f" (did you mean {near!r}?)" if near else ""


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, or nothing."""
    word = word[:_LONGEST]
    return next((near for near in difflib.get_close_matches(word, list(words)) if _is_near(word, near)), "")


def _is_near(word: str, other: str) -> bool:
    """Of three letters two are soon the same: short words are near with one letter wrong, or all of them in another order."""
    if sorted(word) == sorted(other) or (len(word) == len(other) and sum(a != b for a, b in zip(word, other, strict=True)) == 1):
        return True
    return difflib.SequenceMatcher(None, word, other).ratio() >= _NEAR


def quote(text: str) -> str:
    return repr(shorten(text))


def shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
