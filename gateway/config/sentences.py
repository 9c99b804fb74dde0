"""Error texts for the operator, in place of pydantic's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic.fields import FieldInfo

from .fields import choices, written

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST = 60
_NEAR = 0.7

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
    """Our text for an error of pydantic. ``text`` is what the user wrote. The text of a part's own validator is kept."""
    context = error.get("ctx", {})
    if "error" in context:
        return str(context["error"])
    if field is not None and (allowed := choices(field)):
        return one_of(text, map(str, allowed))
    pattern = _TEXTS.get(error["type"])
    if pattern is None:
        return f"{quote(text)} is not {written(field).words if field else 'understood'}"
    if context.get("min_length") == 1:
        return "has no value"
    bound = next((context[limit] for limit in ("ge", "gt", "le", "lt") if limit in context), None)
    if bound is not None and field is not None:
        bound = written(field).text(bound)
    return pattern.format(name=name, given=shorten(text), quoted=quote(text), bound=bound, **context)


def one_of(word: str, words: Iterable[str], *, near: str | None = "") -> str:
    """``'x' is not one of a, b, c (did you mean 'a'?)``. ``near`` is the word to suggest; "" searches for one, None suggests none."""
    allowed = list(words)
    hint = f" (did you mean {near!r}?)" if near else did_you_mean(word, allowed) if near is not None else ""
    return f"{quote(word)} is not one of {', '.join(allowed)}{hint}"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`` (did you mean 'meter'?)``, or "" if no word is similar."""
    near = nearest(word, words)
    return f" (did you mean {near!r}?)" if near else ""


def nearest(word: str, words: Iterable[str]) -> str:
    """The most similar of the words, else the only one that begins with ``word``, else ""."""
    word, known = word[:_LONGEST], list(words)
    begun = [each for each in known if len(word) > 2 and each.startswith(word)]
    near = (each for each in difflib.get_close_matches(word, known) if _is_near(word, each))
    return next(near, begun[0] if len(begun) == 1 else "")


def _is_near(word: str, other: str) -> bool:
    """Whether two words are similar: one letter differs, the letters are the same in another order, or most of the text agrees."""
    if sorted(word) == sorted(other) or (len(word) == len(other) and sum(a != b for a, b in zip(word, other, strict=True)) == 1):
        return True
    return difflib.SequenceMatcher(None, word, other).ratio() >= _NEAR


def quote(text: str) -> str:
    return repr(shorten(text))


def shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
