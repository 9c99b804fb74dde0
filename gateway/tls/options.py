"""The options of a ``[tls NAME]`` section. Without OpenSSL: `contexts` makes use of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from ..options import Duration, FilePath, Networks, Options, SecretRef, YesNo

Role = Literal["server", "client", "both"]


class TlsOptions(Options):
    """TLS of a listener, or towards a server."""

    certificate: FilePath | None = Field(None, description="our certificate, and behind it those of its issuers, as a PEM file")
    private_key: FilePath | None = Field(None, description="the certificate's key, as a PEM file that only its owner can read")
    passphrase: SecretRef | None = Field(None, description="what the key is encrypted with: file:PATH or env:NAME")
    ca: FilePath | None = Field(
        None, description="the CAs that we trust, as a PEM file; for a client the default is those of the system, for a server nobody"
    )
    client_certificates: Literal["none", "optional", "required"] = Field(
        "none", description="whether a server asks its clients for a certificate of one of the CAs in ca"
    )
    minimum: Literal["1.2", "1.3"] = Field("1.2", description="the oldest version of TLS that is allowed")
    server_name: str | None = Field(
        None, description="for a client: the name to ask for, and to find in the server's certificate (default: the host in connect)"
    )
    verify: Literal["yes", "ca-only", "no"] = Field(
        "yes",
        description="for a client: check the server's certificate and its name (yes), its certificate only (ca-only), nothing (no: unsafe)",
    )
    fallback: Literal["never", "allowlist", "any"] = Field(
        "never", description="for a listener: who may speak plain text instead of TLS: nobody, those in fallback_from, anybody (unsafe)"
    )
    fallback_from: Networks = Field((), description="networks whose clients may speak plain text, with fallback = allowlist")
    first_byte_timeout: Duration = Field(
        5.0, gt=0, description="where plain text is allowed: how long to wait for the bytes that tell whether a client speaks TLS"
    )
    silent_is_plain: YesNo = Field(
        False, description="where plain text is allowed: a client that is silent for first_byte_timeout is plain; else closed"
    )
    fallback_write: YesNo = Field(False, description="whether a plain session on this port may write; else it only reads")
    handshake_timeout: Duration = Field(
        10.0, gt=0, description="a connection that is not secured within this time is closed, however busy it is"
    )

    @field_validator("server_name")
    @classmethod
    def _is_host(cls, name: str | None) -> str | None:
        if name is not None and (not name.isascii() or not name.strip() or any(char in "/[]@ " for char in name)):
            raise ValueError(f"{name!r} is not a host name or an IP address")
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for problem in self._contradictions():
            raise ValueError(problem)
        return self

    def _contradictions(self) -> Sequence[str]:
        asks = self.client_certificates != "none"
        plain = self.fallback != "never"
        needed = f"client_certificates = {self.client_certificates} needs"
        plain_only = "is of use with fallback = allowlist or any only"
        rules = (
            (bool(self.certificate) != bool(self.private_key), "certificate and private_key go together: give both (they may be one file)"),
            (self.passphrase and not self.private_key, "passphrase is of no use without private_key"),
            (asks and not self.ca, f"{needed} ca, the file of the CAs that sign them"),
            (asks and not self.certificate, f"{needed} certificate and private_key: a listener asks for them"),
            (
                plain and self.client_certificates == "required",
                f"fallback = {self.fallback} lets clients in without a certificate, against client_certificates = required",
            ),
            (self.fallback == "allowlist" and not self.fallback_from, "fallback = allowlist needs fallback_from, the networks it allows"),
            (self.fallback_from and self.fallback != "allowlist", "fallback_from is of use with fallback = allowlist only"),
            (self.silent_is_plain and not plain, f"silent_is_plain = yes {plain_only}"),
            (self.fallback_write and not plain, f"fallback_write = yes {plain_only}"),
            (plain and self.first_byte_timeout >= self.handshake_timeout, "first_byte_timeout must be shorter than handshake_timeout"),
        )
        return [text for broken, text in rules if broken]
