"""The examples of conf/, put somewhere else with throw-away certificates and changed where the machine would be."""

from __future__ import annotations

import re
from pathlib import Path

import trustme

from scripts import demo_log

ROOT = Path(__file__).resolve().parent.parent
CONF = ROOT / "conf"
REFERENCE = "reference"
"""Not an example: every option, made from the code."""


def examples() -> list[str]:
    """The names of the examples, without .ini."""
    return sorted(path.stem for path in CONF.glob("*.ini") if path.stem != REFERENCE)


def put(name: str, folder: Path, *changes: tuple[str, str]) -> Path:
    """Copy one example into a folder, with changes (what is written, what instead), listening on free ports of loopback only."""
    text = (CONF / f"{name}.ini").read_text()
    for written, instead in changes:
        if written not in text:
            raise ValueError(f"{name}.ini has no {written!r}")
        text = text.replace(written, instead)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ini"
    path.write_text(re.sub(r"(?m)^(listen\s*=\s*)\S+", r"\g<1>127.0.0.1:0", text))
    return path


def put_files(folder: Path) -> trustme.CA:
    """Put the files that the examples name beside them: certificates and keys, and the demo's log. Gives the CA of them all."""
    demo = folder / "demo"
    demo_log.main(demo / "nmea.log")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    for name, host in (("site", "localhost"), ("central", "central.example"), ("edge-1", "edge-1")):
        certificate = ca.issue_cert(host)
        _write(certificate, folder / f"{name}.pem", folder / f"{name}.key")
    _write(ca.issue_cert("localhost"), demo / "certificate.pem", demo / "private_key.pem")
    return ca


def _write(certificate: trustme.LeafCert, chain: Path, key: Path) -> None:
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.touch(0o600)
    certificate.private_key_pem.write_to_path(key)
