"""Twisted's TLS transport, with one write to the socket for each write of ours, and with readable reasons for its end."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from ..net.probes import pending
from .failures import TlsFailed, explain
from .sniff import SHOWN
from .verify import quoted

_RECORD = 1 << 14
_READ = 1 << 15
MAX_ANSWERS = 256 << 10
"""How many bytes of TLS's own answers may wait for a peer that does not read."""


class TlsTransport(TLSMemoryBIOProtocol):
    """TLS between a Twisted transport and the protocol above it.

    A write leaves encrypted as one write to the transport below, at once: Twisted's own waits for the next turn of the reactor, and
    then writes each record of 16 KiB alone. ``connectionLost`` of the protocol above gets `TlsFailed` where Twisted would give an
    error of OpenSSL.
    """

    transport: Any
    refused: TlsFailed | None = None
    """Why we refused the peer's certificate."""
    beginning = b""
    """The first bytes from the peer, until the handshake is done."""
    _written = False
    _own = 0
    """Of the bytes that wait below, how many at most were there when the protocol above last wrote."""

    def dataReceived(self, data: bytes) -> None:
        if not self._handshakeDone and len(self.beginning) < SHOWN:
            self.beginning += data[: SHOWN - len(self.beginning)]
        if len(data) <= _RECORD:
            super().dataReceived(data)
            self._check_answers()
            return
        # OpenSSL's buffer for input keeps the size of the largest piece for as long as the connection lives.
        for start in range(0, len(data), _RECORD):
            if self._aborted or self._lostTLSConnection:
                break
            super().dataReceived(data[start : start + _RECORD])
            self._check_answers()

    def abortConnection(self) -> None:
        if self.connected:
            super().abortConnection()

    def failed(self, reason: Failure) -> TlsFailed:
        """Why the connection ended."""
        return self.refused or explain(reason, self.beginning, self._asked())

    def _check_answers(self) -> None:
        """Cut a peer that makes TLS answer (a KeyUpdate costs it 27 bytes, RFC 8446, section 4.6.3) and does not read the answers."""
        queued = pending(self.transport)
        if self._written:
            self._written, self._own = False, queued
        elif queued - self._own <= MAX_ANSWERS:
            self._own = min(self._own, queued)
        elif not self._aborted and not self._lostTLSConnection:
            text = f"made TLS answer (KeyUpdate) and did not read: {queued - self._own} bytes of answers wait, more than {MAX_ANSWERS}"
            self._reason = Failure(TlsFailed("tls_answers_unread", text))
            self.abortConnection()

    def _asked(self) -> str:
        """The name that a client asked for (SNI)."""
        connection = self._tlsConnection
        name = connection.get_servername() if connection is not None else None
        return quoted(name.decode("utf-8", "replace")) if name else ""

    def _write(self, data: bytes) -> None:
        # All writes go through this private method of Twisted's, also those that had to wait for the handshake.
        self._written = True
        if len(data) <= _RECORD or self._lostTLSConnection:
            super()._write(data)
            return
        connection, records, view = self._tlsConnection, [], memoryview(data)
        try:
            while view:
                view = view[connection.send(view[:_RECORD]) :]
                records.append(connection.bio_read(_READ))
        except SSL.Error:
            pass  # Twisted's _write meets the same error at the rest, and ends the connection
        if records:
            self.transport.write(b"".join(records))
        if view:
            super()._write(bytes(view))

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        # Twisted calls this once when TLS ends, with the reason that the protocol above gets.
        super()._tlsShutdownFinished(reason)
        # A producer that was paused by this last write would be resumed in place of the end, and nothing would end the connection.
        self.unregisterProducer()
        if self._reason is not None and self._reason.check(SSL.Error):
            self._reason = Failure(self.failed(self._reason))
