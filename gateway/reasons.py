"""Why a connection ended or could not be made, in words for the log."""

from __future__ import annotations

from twisted.internet import error
from twisted.python.failure import Failure

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (error.ConnectionDone, "closed by the peer"),
    (error.ConnectionAborted, "cut"),
    (error.ConnectionRefusedError, "connection refused"),
    (error.TimeoutError, "no answer in time"),
    (error.NoRouteError, "no route to it"),
)


def in_words(reason: Failure) -> str:
    """A short text for what Twisted says at length; for errors of others their own text."""
    value = reason.value
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    if type(value) is error.ConnectionLost:
        return "lost: reset, or gone without a word"
    return reason.getErrorMessage().strip() or type(value).__name__
