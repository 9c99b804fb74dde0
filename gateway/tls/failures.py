"""Why TLS failed: a named event, and a sentence for the log."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.internet.error import ConnectionClosed, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from ..errors import WireError
from .sniff import describe


class TlsFailed(WireError, ConnectionLost):  # noqa: N818 (an event, in the past tense)
    """TLS ended a connection, or never began. ``event`` is a counter's name, ``text`` a sentence for the log.

    It is a ConnectionLost, so code that expects the end of a connection expects this one too.
    """

    def __init__(self, event: str, text: str) -> None:
        super().__init__(event, text)
        self.event = event
        self.text = text

    def __str__(self) -> str:
        return f"{self.event}: {self.text}"


HANDSHAKE_FAILED = "tls_handshake_failed"
REFUSED_BY_PEER = "tls_refused_by_peer"
NOT_TLS = "not_tls"

# What the peer's alert (RFC 8446, section 6.2) means for us; OpenSSL writes "tlsv1 alert unknown ca" and the like.
_ALERTS = {
    "unknown ca": "it does not trust the CA that signed our certificate",
    "bad certificate": "it does not accept our certificate",
    "certificate unknown": "it does not accept our certificate",
    "unsupported certificate": "it does not accept our kind of certificate",
    "certificate expired": "it finds our certificate expired: renew it, or is one of the clocks wrong?",
    "certificate revoked": "our certificate has been revoked: get a new one",
    "certificate required": "it requires a client certificate: set certificate and private_key",
    "protocol version": "it allows no TLS version that we allow (see minimum)",
    "handshake failure": "we have no cipher in common, or it requires a client certificate",
    "unrecognized name": "it serves no such name: check server_name",
    "no application protocol": "it speaks none of the protocols that we offered (ALPN)",
    "internal error": "it does not accept our certificate (the name in it, perhaps), or has a fault of its own",
    "bad record mac": "what we sent was damaged on its way",
    "decrypt error": "what we sent was damaged on its way, or our key does not match our certificate",
}

# What OpenSSL writes about the peer's bytes, and the event and text for it. The first row with a phrase of its counts.
_REASONS = (
    (("http request", "wrong version number", "packet length too long", "unknown protocol", "bad record type"), NOT_TLS, ""),
    (
        ("unsupported protocol", "version too low", "wrong ssl version", "unsupported ssl version", "protocol is shutdown"),
        HANDSHAKE_FAILED,
        "offers only TLS versions below our minimum (see minimum)",
    ),
    (("no shared cipher", "no suitable", "no shared signature"), HANDSHAKE_FAILED, "has no cipher or signature in common with us"),
    (
        ("peer did not return a certificate",),
        "client_certificate_missing",
        "sent no client certificate, and client_certificates = required",
    ),
    (("bad record mac", "decryption failed", "decrypt error"), "tls_damaged", "sent a record that was damaged on its way"),
    (("unexpected eof",), HANDSHAKE_FAILED, "closed the connection during the handshake"),
)


def explain(reason: Failure, beginning: bytes = b"", asked: str = "") -> TlsFailed:
    """Describe why a connection ended, during its handshake or later.

    ``beginning``: the first bytes that the peer sent. ``asked``: the name that the client asked for (SNI), quoted.
    """
    error = reason.value
    if isinstance(error, TlsFailed):
        return error
    if isinstance(error, SSL.Error):
        return _explain_openssl(_words(error), beginning, asked)
    if isinstance(error, ConnectionClosed):
        ended = "closed" if reason.check(ConnectionDone) else "lost"
        return TlsFailed(HANDSHAKE_FAILED, f"the connection was {ended} during the handshake; the peer {describe(beginning)}")
    return TlsFailed(HANDSHAKE_FAILED, f"{type(error).__name__}: {error}")


def _words(error: SSL.Error) -> str:
    """OpenSSL's own words for what is in its error queue, outermost last."""
    if isinstance(error, SSL.SysCallError):
        return str(error.args[-1]).lower()
    queue = error.args[0] if error.args else ()
    return "; ".join(entry[-1] for entry in queue).lower() or "unexpected eof"


def _explain_openssl(words: str, beginning: bytes, asked: str) -> TlsFailed:
    if " alert " in words:
        name = words.partition(" alert ")[2].partition(";")[0]
        meaning = _ALERTS.get(name)
        text = f"sent the alert {name!r}" + (f": {meaning}" if meaning else "")
        return TlsFailed(REFUSED_BY_PEER, text + (f" (name asked for: {asked})" if asked else ""))
    for known, event, text in _REASONS:
        if any(phrase in words for phrase in known):
            return TlsFailed(event, text or describe(beginning))
    return TlsFailed(HANDSHAKE_FAILED, words)
