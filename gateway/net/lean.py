"""Imports Twisted's TCP transports without pyOpenSSL, if nothing has imported either by now. To be imported before them.

Twisted imports pyOpenSSL, and with it 12 MB, for its own ``startTLS`` on TCP transports, which the gateway never calls: `gateway.tls` puts
Twisted's TLS protocol above a transport instead, and imports what that needs when there is a ``tls = NAME``.
"""

from __future__ import annotations

import sys
from typing import Any

if "OpenSSL" not in sys.modules and "twisted.internet.tcp" not in sys.modules:
    modules: dict[str, Any] = sys.modules
    modules["OpenSSL"] = None  # an import of it raises ImportError, which Twisted takes for "not installed"
    try:
        import twisted.internet.endpoints
        import twisted.internet.posixbase
        import twisted.internet.tcp  # noqa: F401
    finally:
        del modules["OpenSSL"]
